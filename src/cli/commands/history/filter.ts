/** From options to what the ledger is asked. */
import type { RunFilter } from '../../../core/ports.ts';
import { readRunFilter } from '../../../core/run-filter.ts';
import { formatOf } from './options.ts';
import type { HistoryOptions } from './options.ts';

const MAX_LIMIT = 10_000;

/** @throws RunbookError `usage` */
export function filterOf(options: HistoryOptions, now: Date): RunFilter {
  const format = formatOf(options);
  // What is pasted or loaded elsewhere is to be whole.
  const limit = options.limit ?? (format === 'csv' || format === 'markdown' ? '1000' : '20');
  return readRunFilter({ ...options, limit }, now, MAX_LIMIT, (name) => `--${name}`);
}
