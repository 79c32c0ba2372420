/** What was done besides executing runbooks, as links of the chain; and the switch that stops every `begin`. */
import { accessSync, constants } from 'node:fs';
import { dirname } from 'node:path';
import type { Operation, Pause, RunLedger, StoredOperation } from '../../core/ports.ts';
import { NO_PATIENCE } from './file.ts';
import type { LedgerFile } from './file.ts';

/** Within a transaction. */
export function appendOperation(file: LedgerFile, operation: Operation): void {
  const { operationId, at } = operation;
  const seq = file.append(operationId, 'done', at, operation);
  file.db.prepare<[number]>('INSERT INTO operations VALUES (?)').run(seq);
}

export function createOperations(
  file: LedgerFile,
): Pick<RunLedger, 'pause' | 'resume' | 'paused' | 'tryChange' | 'operations'> {
  const { db } = file;
  const pause = db.prepare<[string, string | null, string | null]>(
    "INSERT OR REPLACE INTO switches VALUES ('paused', ?, ?, ?)",
  );
  const resume = db.prepare<[]>("DELETE FROM switches WHERE name = 'paused'");
  const paused = db.prepare<[], Pause>("SELECT since, by, reason FROM switches WHERE name = 'paused'");
  const newest = db.prepare<[number], { seq: number; hash: string; record: string }>(
    'SELECT seq, hash, record FROM operations JOIN transitions USING (seq) ORDER BY seq DESC LIMIT ?',
  );
  return {
    async pause(operation) {
      // The brake has to hold also where there is no room for anything else.
      file.changeOnFullDisk(() => {
        pause.run(operation.at, byWhom(operation), operation.reason);
        appendOperation(file, operation);
      });
    },
    resume: async (operation) =>
      file.changeOnFullDisk(() => {
        if (resume.run().changes === 0) return false;
        appendOperation(file, operation);
        return true;
      }),
    paused: async () => file.ask(() => paused.get() ?? null),
    async tryChange() {
      file.tryChange(() => {
        // A file system that was mounted for reading only takes whatever is taken back again.
        accessSync(dirname(file.path), constants.W_OK);
        pause.run('', null, null);
      }, NO_PATIENCE);
    },
    operations: async (limit) => file.ask(() => newest.all(limit).map(storedOperation)),
  };
}

function byWhom({ who: { osUser, host } }: Operation): string {
  return osUser === null ? host : `${osUser}@${host}`;
}

function storedOperation({
  seq,
  hash,
  record,
}: {
  readonly seq: number;
  readonly hash: string;
  readonly record: string;
}): StoredOperation {
  // Only this program writes records, and the chain holds them: their shape is not checked once more.
  const said: Operation & { runId?: string; state?: string } = JSON.parse(record);
  const { runId: _id, state: _state, ...operation } = said;
  return { ...operation, seq, hash };
}
