/** One process after the other: a refresh token counts once, and an issuer that sees one twice may end the whole login. */
import { closeSync, openSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { RunbookError } from '../../core/errors.ts';
import { codeOf } from '../../core/failures.ts';

/** An issuer is not waited for longer than 10 s. */
const PATIENCE_MS = 15_000;
const PAUSE_MS = 50;

/**
 * The turn is a lock of an empty database: the system takes it back from whoever dies.
 * @param folder that is there
 * @throws RunbookError `busy` after 15 s, Error of the system, or what `work` throws
 */
export async function inTurn<T>(folder: string, work: () => Promise<T>): Promise<T> {
  const file = path.join(folder, 'turn');
  closeSync(openSync(file, 'a', 0o600));
  const lock = new Database(file, { timeout: 0 });
  try {
    const until = performance.now() + PATIENCE_MS;
    while (!isTaken(lock)) {
      if (performance.now() > until)
        throw new RunbookError('busy', 'Another process renews a login, and does not come to an end.', {
          fix: 'Try again in a moment.',
        });
      await delay(PAUSE_MS);
    }
    return await work();
  } finally {
    lock.close();
  }
}

function isTaken(lock: Database.Database): boolean {
  try {
    lock.exec('BEGIN EXCLUSIVE');
    return true;
  } catch (error) {
    if (codeOf(error).startsWith('SQLITE_BUSY')) return false;
    throw error;
  }
}
