/** A run as people name it: by its id, by a beginning of it that no other run has, or as `last`. */
import { RunbookError } from '../core/errors.ts';
import type { RunLedger } from '../core/ports.ts';
import type { StoredRun } from '../core/run.ts';

const NEWEST = 'LAST';

/** @throws RunbookError `not-found`; `usage` where several runs begin so */
export async function findRun(ledger: Pick<RunLedger, 'list'>, reference: string): Promise<StoredRun> {
  const wanted = reference.trim().toUpperCase();
  // A variable of a shell that is not set must not mean the only run there is.
  if (wanted === '')
    throw new RunbookError('usage', 'No run is named: the id is empty.', {
      fix: 'Write the id of a run, its beginning, or `last`.',
    });
  // No id has an L (Crockford's base 32), so the name hides none.
  const [run, another] = await ledger.list(wanted === NEWEST ? { limit: 1 } : { idPrefix: wanted, limit: 2 });
  if (run === undefined) {
    throw new RunbookError(
      'not-found',
      wanted === NEWEST ? 'No run is recorded yet.' : `There is no run “${reference}” in the ledger.`,
      {
        fix: '`runbook history` shows the newest ones; `--state-dir` names another ledger.',
      },
    );
  }
  if (another !== undefined) {
    throw new RunbookError('usage', `Several runs begin with “${reference}”.`, {
      fix: `Write more of the id, like ${run.runId}.`,
    });
  }
  return run;
}
