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
 * @returns ends it
 * @throws RunbookError `busy` after 15 s, Error of the system
 */
export async function takeTurn(folder: string): Promise<() => void> {
  const file = path.join(folder, 'turn');
  closeSync(openSync(file, 'a', 0o600));
  const lock = new Database(file, { timeout: 0 });
  const until = performance.now() + PATIENCE_MS;
  try {
    while (!isTaken(lock)) {
      if (performance.now() > until)
        throw new RunbookError('busy', 'Another process renews a login, and does not come to an end.', {
          fix: 'Try again in a moment.',
        });
      await delay(PAUSE_MS);
    }
  } catch (error) {
    lock.close();
    throw error;
  }
  return () => {
    lock.close();
  };
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
