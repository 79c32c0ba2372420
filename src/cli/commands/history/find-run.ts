/** The run that somebody means. */
import { RunbookError } from '../../../core/errors.ts';
import type { RunLedger } from '../../../core/ports.ts';
import type { StoredRun } from '../../../core/run.ts';

/** @param reference id of a run, or its beginning. @throws RunbookError `not-found`, `usage` (several begin so) */
export async function findRun(ledger: RunLedger, reference: string): Promise<StoredRun> {
  const [run, another] = await ledger.list({ idPrefix: reference.toUpperCase(), limit: 2 });
  if (run === undefined) {
    throw new RunbookError('not-found', `There is no run “${reference}” in the ledger.`, {
      fix: '`runbook history` shows the newest ones; `--state-dir` names another ledger.',
    });
  }
  if (another !== undefined) {
    throw new RunbookError('usage', `Several runs begin with “${reference}”.`, {
      fix: `Write more of the id, like ${run.runId}.`,
    });
  }
  return run;
}
