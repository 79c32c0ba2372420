/** From options to what the ledger is asked. */
import { RunbookError } from '../../../core/errors.ts';
import type { RunFilter } from '../../../core/ports.ts';
import type { HistoryOptions } from './options.ts';

/** @throws RunbookError `usage` */
export function filterOf({ runbook, subject, outcome, limit: count }: HistoryOptions): RunFilter {
  const limit = Number(count ?? '20');
  if (!Number.isInteger(limit) || limit < 1 || limit > 10_000)
    throw new RunbookError('usage', '--limit is not a number from 1 to 10000.', { fix: 'Write `--limit 20`.' });
  const byState = outcome === 'refused' || outcome === 'interrupted';
  return {
    limit,
    ...(runbook === undefined ? {} : { runbook: runbook.replace(/\.md$/, '') }),
    ...(subject === undefined ? {} : { subject }),
    ...(outcome === undefined ? {} : byState ? { state: outcome } : { outcome }),
  };
}
