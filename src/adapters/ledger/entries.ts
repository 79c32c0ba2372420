/** Entries that documents still have to get. */
import type { RunLedger } from '../../core/ports.ts';
import type { RunOwner } from '../../core/run.ts';
import type { LedgerFile, OwnerRow } from './file.ts';
import { OWNER_COLUMNS } from './file.ts';
import type { RunReader } from './runs.ts';

export function createEntries(
  file: LedgerFile,
  reader: RunReader,
): Pick<RunLedger, 'pendingEntries' | 'claimEntry' | 'entryWritten'> {
  const { db } = file;
  const pending = db
    .prepare<[number], string>("SELECT run_id FROM runs WHERE entry = 'pending' ORDER BY first_seq LIMIT ?")
    .pluck();
  const claimed = db.prepare<[string], OwnerRow & { readonly writer: string | null }>(
    `SELECT ${OWNER_COLUMNS}, entry_writer AS writer FROM runs WHERE run_id = ? AND entry = 'pending'`,
  );
  const claim = db.prepare<[string, string]>('UPDATE runs SET entry_writer = ? WHERE run_id = ?');
  const written = db.prepare<[string]>("UPDATE runs SET entry = 'written' WHERE run_id = ?");
  return {
    pendingEntries: async (limit) => file.ask(() => pending.all(limit).map((runId) => reader.load(runId))),
    claimEntry: async (runId, writer) =>
      file.change(() => {
        const row = claimed.get(runId);
        if (row === undefined) return false;
        const { writer: before, leaseUntil, ...owner } = row;
        // Only this program writes this column.
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion
        const current = before === null ? owner : (JSON.parse(before) as RunOwner);
        if (!isSame(current, writer) && !file.isGone(current, leaseUntil)) return false;
        claim.run(JSON.stringify(writer), runId);
        return true;
      }),
    async entryWritten(runId) {
      file.note(() => written.run(runId));
    },
  };
}

function isSame(a: RunOwner, b: RunOwner): boolean {
  return a.bootId === b.bootId && a.pidNamespace === b.pidNamespace && a.pid === b.pid && a.startTime === b.startTime;
}
