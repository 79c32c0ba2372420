/** Entries that documents still have to get. */
import type { RunLedger } from '../../core/ports.ts';
import type { LedgerFile } from './file.ts';
import type { RunReader } from './runs.ts';

export function createEntries(
  file: LedgerFile,
  reader: RunReader,
): Pick<RunLedger, 'pendingEntries' | 'isEntryPending' | 'entryWritten' | 'forgetEntry'> {
  const { db } = file;
  // With `min` the other columns are those of the same row (SQLite, “bare columns in an aggregate query”).
  const pending = db.prepare<[number], { runId: string }>(
    `SELECT run_id AS runId, min(first_seq) AS oldest FROM runs WHERE entry = 'pending'
     GROUP BY path ORDER BY oldest LIMIT ?`,
  );
  const isPending = db.prepare<[string], object>("SELECT 1 FROM runs WHERE run_id = ? AND entry = 'pending'");
  const written = db.prepare<[string]>("UPDATE runs SET entry = 'written' WHERE run_id = ?");
  const forgotten = db.prepare<[string]>("UPDATE runs SET entry = NULL WHERE run_id = ? AND entry = 'pending'");
  return {
    pendingEntries: async (limit) => file.ask(() => pending.all(limit).map(({ runId }) => reader.load(runId))),
    isEntryPending: async (runId) => file.ask(() => isPending.get(runId) !== undefined),
    async entryWritten(runId) {
      file.note(() => written.run(runId));
    },
    async forgetEntry(runId) {
      file.note(() => forgotten.run(runId));
    },
  };
}
