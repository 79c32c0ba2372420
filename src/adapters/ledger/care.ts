/** Between a run and whoever looks after it: who is responsible, where it is, whether it shall stop. */
import type { Operation, RunLedger } from '../../core/ports.ts';
import type { RunState } from '../../core/run.ts';
import { appendOperation } from './operations.ts';
import type { LedgerFile, OwnerRow } from './file.ts';
import { NO_PATIENCE, OWNER_COLUMNS } from './file.ts';
import type { RunReader } from './runs.ts';

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
          progress: parsed(progress),
          cancel: parsed(cancel),
        })),
      ),

    async progress(runId, progress) {
      file.note(() => setProgress.run(JSON.stringify(progress), runId), NO_PATIENCE);
    },

    renewLease: async (runId, leaseUntil) => file.note(() => renew.run(leaseUntil, runId).changes === 1, NO_PATIENCE),

    requestCancel: async (runId, operation) =>
      file.change(() => {
        if (setCancel.run(JSON.stringify(operation), runId).changes === 0) return false;
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
        const cancel = row?.state === 'interrupted' ? row.state : parsed<Operation>(row?.cancel ?? null);
        // Who has asked for it once and not heard may ask again.
        seen = cancel === null ? { runId, version } : null;
        return cancel;
      }, NO_PATIENCE),
  };
}

// Only this program writes these columns.
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters
function parsed<T>(json: string | null): T | null {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return json === null ? null : (JSON.parse(json) as T);
}
