/** A run as people name it: by its id, by a beginning of it that no other run has, or as `last`. */
import { RunbookError } from '../core/errors.ts';
import type { RunLedger } from '../core/ports.ts';
import type { StoredRun } from '../core/run.ts';

const NEWEST = 'LAST';
/** Operations are few: what people do, not what runs do. */
const ALL = 1_000_000;

/** @throws RunbookError `not-found` (also of what was taken out); `usage` where several runs begin so */
export async function findRun(ledger: Pick<RunLedger, 'list' | 'operations'>, reference: string): Promise<StoredRun> {
  const wanted = reference.trim().toUpperCase();
  // A variable of a shell that is not set must not mean the only run there is.
  if (wanted === '')
    throw new RunbookError('usage', 'No run is named: the id is empty.', {
      fix: 'Write the id of a run, its beginning, or `last`.',
    });
  // No id has an L (Crockford's base 32), so the name hides none.
  const [run, another] = await ledger.list(wanted === NEWEST ? { limit: 1 } : { idPrefix: wanted, limit: 2 });
  if (run === undefined) {
    if (wanted !== NEWEST) await refuseTakenOut(ledger, wanted);
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

/** A beginning tells it only where it is that of one run. */
async function refuseTakenOut({ operations }: Pick<RunLedger, 'operations'>, wanted: string): Promise<void> {
  const found = (await operations(ALL)).flatMap((operation) =>
    (operation.pruned?.runIds ?? []).filter((id) => id.startsWith(wanted)).map((runId) => ({ runId, operation })),
  );
  const [one] = found;
  if (one === undefined || found.length > 1) return;
  const { at, who, seq } = one.operation;
  const by = who.osUser === null ? who.host : `${who.osUser}@${who.host}`;
  throw new RunbookError('not-found', `Run ${one.runId} was taken out of the ledger at ${at} by ${by}.`, {
    fix: `\`runbook audit list\` shows it as record ${seq}; a backup from before that has the run.`,
  });
}
