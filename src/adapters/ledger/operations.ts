/** What was done besides executing runbooks, as links of the chain; and the switch that stops every `begin`. */
import { accessSync, constants } from 'node:fs';
import { dirname } from 'node:path';
import type { Operation, Pause, RunLedger, StoredOperation } from '../../core/ports.ts';
import { NO_PATIENCE } from './file.ts';
import type { LedgerFile } from './file.ts';
import { stored } from './stored.ts';

/** Within a transaction. */
export function appendOperation(file: LedgerFile, operation: Operation): void {
  const { operationId, at } = operation;
  const seq = file.append(operationId, 'done', at, operation);
  file.db.prepare<[number]>('INSERT INTO operations VALUES (?)').run(seq);
}

export function createOperations(
  file: LedgerFile,
): Pick<RunLedger, 'pause' | 'resume' | 'paused' | 'confirm' | 'tryChange' | 'operations' | 'cancelsOf' | 'answersOf'> {
  const { db } = file;
  const pause = db.prepare<[string, string | null, string | null]>(
    "INSERT OR REPLACE INTO switches VALUES ('paused', ?, ?, ?)",
  );
  const resume = db.prepare<[]>("DELETE FROM switches WHERE name = 'paused'");
  const paused = db.prepare<[], Pause>("SELECT since, by, reason FROM switches WHERE name = 'paused'");
  const mayAnswer = db.prepare<[string], number>(
    "SELECT 1 FROM runs WHERE run_id = ? AND state = 'started' AND cancel IS NULL",
  );
  const newest = db.prepare<[number], OperationRow>(
    'SELECT seq, hash, record FROM operations JOIN transitions USING (seq) ORDER BY seq DESC LIMIT ?',
  );
  // Only what is under way is canceled, or asks: what is done to it lies between its first transition and its last.
  const during = db.prepare<[string, string], OperationRow>(
    `SELECT seq, hash, record FROM operations JOIN transitions USING (seq)
     WHERE seq BETWEEN (SELECT min(seq) FROM transitions WHERE run_id = ?)
                   AND coalesce((SELECT max(seq) FROM transitions
                                 WHERE run_id = ? AND state IN ('finished', 'interrupted')), 9e15)
     ORDER BY seq`,
  );
  const of = (operation: Operation['operation'], runId: string): readonly StoredOperation[] =>
    file
      .ask(() => during.all(runId, runId).map(storedOperation))
      .filter((one) => one.operation === operation && one.run === runId);
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
    confirm: async (runId, operation) =>
      file.change(() => {
        if (mayAnswer.get(runId) === undefined) return false;
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
    cancelsOf: async (runId) => of('cancel', runId),
    answersOf: async (runId) => of('confirm', runId),
  };
}

function byWhom({ who: { osUser, host, subject } }: Operation): string {
  return subject ?? (osUser === null ? host : `${osUser}@${host}`);
}

interface OperationRow {
  readonly seq: number;
  readonly hash: string;
  readonly record: string;
}

function storedOperation({ seq, hash, record }: OperationRow): StoredOperation {
  const { runId: _id, state: _state, ...operation } = stored<Operation & { runId?: string; state?: string }>(record);
  return { ...operation, seq, hash };
}
