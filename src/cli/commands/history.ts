/** `runbook history`: what the ledger knows, newest first; or one run with its steps and its output. */
import { withApp } from '../context.ts';
import type { Terminal } from '../terminal.ts';
import { filterOf } from './history/filter.ts';
import { listRuns } from './history/list.ts';
import { showRun } from './history/one-run.ts';
import { checkOptions } from './history/options.ts';
import type { HistoryOptions } from './history/options.ts';

export type { HistoryOptions };

export async function historyCommand(
  terminal: Terminal,
  reference: string | undefined,
  options: HistoryOptions,
): Promise<number> {
  checkOptions(options, reference !== undefined);
  return await withApp(terminal, options, async (context) =>
    reference === undefined
      ? await listRuns(terminal, options, context, filterOf(options, context.app.clock.now()))
      : await showRun(terminal, options, context, reference),
  );
}
