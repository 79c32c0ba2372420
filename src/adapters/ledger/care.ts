/** Between a run and whoever looks after it: who is responsible, where it is, whether it shall stop. */
import type { Operation, RunLedger } from '../../core/ports.ts';
import type { NotedProgress, RunState } from '../../core/run.ts';
import type { LedgerFile, OwnerRow } from './file.ts';
import { NO_PATIENCE, OWNER_COLUMNS } from './file.ts';
import { appendOperation } from './operations.ts';
import type { RunReader } from './runs.ts';
import { stored, storedOrNull } from './stored.ts';

interface UnderWayRow extends OwnerRow {
  readonly runId: string;
  readonly progress: string | null;
  readonly cancel: string | null;
}

export function createCare(
  file: LedgerFile,
  reader: RunReader,
): Pick<RunLedger, 'underWay' | 'progress' | 'renewLease' | 'requestCancel' | 'cancelRequest'> {
  const { db } = file;
  const underWay = db.prepare<[], UnderWayRow>(
    `SELECT run_id AS runId, ${OWNER_COLUMNS}, progress, cancel FROM runs
     WHERE state <> 'finished' AND state IN ('queued', 'started') ORDER BY first_seq`,
  );
  const setProgress = db.prepare<[string, string]>('UPDATE runs SET progress = ? WHERE run_id = ?');
  const renew = db.prepare<[string, string]>(
    "UPDATE runs SET lease_until = ? WHERE run_id = ? AND state IN ('queued', 'started')",
  );
  const setCancel = db.prepare<[string, string]>(
    "UPDATE runs SET cancel = ? WHERE run_id = ? AND state IN ('queued', 'started')",
  );
  const requestOf = db.prepare<[string], { cancel: string | null; state: RunState }>(
    'SELECT cancel, state FROM runs WHERE run_id = ?',
  );
  // What was last looked at: by which run, and the version of the file then.
  let seen: { readonly runId: string; readonly version: number } | null = null;

  return {
    underWay: async () =>
      file.ask(() =>
        underWay.all().map(({ runId, leaseUntil, progress, cancel, ...owner }) => ({
          run: reader.load(runId),
          owner,
          leaseUntil,
          progress: storedOrNull<NotedProgress>(progress),
          cancel: requestsIn(cancel).at(-1) ?? null,
        })),
      ),

    async progress(runId, progress) {
      file.note(() => setProgress.run(JSON.stringify(progress), runId), NO_PATIENCE);
    },

    renewLease: async (runId, leaseUntil) => file.note(() => renew.run(leaseUntil, runId).changes === 1, NO_PATIENCE),

    requestCancel: async (runId, operation) =>
      // A run that fills the disk is the one that somebody wants to end.
      file.changeOnFullDisk(() => {
        const earlier = requestsIn(requestOf.get(runId)?.cancel ?? null);
        const noted: Noted = earlier.length === 0 ? operation : { ...operation, earlier };
        if (setCancel.run(JSON.stringify(noted), runId).changes === 0) return false;
        seen = null;
        // The reason may name a secret that only the owner knows; the column is emptied with the end of the run.
        appendOperation(file, { ...operation, reason: null });
        return true;
      }),

    cancelRequest: async (runId) =>
      file.ask(() => {
        // Changes when another connection has written: a look at the shared memory, not at the file.
        const version = Number(db.pragma('data_version', { simple: true }));
        if (seen?.runId === runId && seen.version === version) return null;
        const row = requestOf.get(runId);
        const requests = requestsIn(row?.cancel ?? null);
        const answer = row?.state === 'interrupted' ? row.state : requests.length === 0 ? null : requests;
        // Who has asked for it once and not heard may ask again.
        seen = answer === null ? { runId, version } : null;
        return answer;
      }, NO_PATIENCE),
  };
}

/** The newest request, as older programs read and write it, with those before it. */
interface Noted extends Operation {
  readonly earlier?: readonly Operation[];
}

/** Oldest first. */
function requestsIn(cancel: string | null): readonly Operation[] {
  if (cancel === null) return [];
  const { earlier = [], ...newest } = stored<Noted>(cancel);
  return [...earlier, newest];
}
