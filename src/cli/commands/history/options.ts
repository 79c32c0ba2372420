/** What `runbook history` takes. */
import type { CommonOptions } from '../../context.ts';

export interface HistoryOptions extends CommonOptions {
  readonly runbook?: string;
  readonly subject?: string;
  readonly outcome?: string;
  readonly limit?: string;
  readonly artifact?: string;
  readonly follow?: boolean;
  readonly prune?: boolean;
  readonly olderThan?: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}
