/** An older ledger is kept as it was before it is brought to the schema of this program. */
import { existsSync } from 'node:fs';
import Database from 'better-sqlite3';
import { RunbookError } from '../../core/errors.ts';
import { codeOf, messageOf } from '../../core/failures.ts';
import { copyWhole } from './copy.ts';

/**
 * To be called under the lock of the migration, so that nothing is written behind the copy: `ledger.sqlite.schema-2`, with
 * another number behind it where something else lies there. What an interrupted attempt has kept already is enough.
 * @throws RunbookError `io` where it cannot be made; then nothing was changed
 */
export function keepBefore(path: string, schema: number): void {
  const name = `${path}.schema-${schema}`;
  const db = new Database(path, { readonly: true, fileMustExist: true });
  try {
    for (let n = 1; ; n += 1) {
      const target = n === 1 ? name : `${name}.${n}`;
      if (!existsSync(target)) {
        copyWhole(db, target, `${name}.new`);
        return;
      }
      if (endOfFile(target) === endOf(db)) return;
    }
  } catch (error) {
    throw error instanceof RunbookError ? cannotKeep(path, error) : error;
  } finally {
    db.close();
  }
}

/** Schema and end of the chain: whoever has both has all of it. */
function endOf(db: Database.Database): string {
  const end = db.prepare('SELECT seq, hash FROM transitions ORDER BY seq DESC LIMIT 1').raw().get();
  return JSON.stringify([db.pragma('user_version', { simple: true }), end]);
}

function endOfFile(path: string): string | null {
  try {
    const db = new Database(path, { readonly: true, fileMustExist: true });
    try {
      return endOf(db);
    } finally {
      db.close();
    }
  } catch (error) {
    if (codeOf(error) === '') throw error;
    return null;
  }
}

function cannotKeep(path: string, cause: RunbookError): RunbookError {
  return new RunbookError(
    'io',
    `The ledger ${path} is of an older version and could not be kept before it is changed: ${messageOf(cause)}`,
    {
      fix: `Nothing was changed. ${cause.fix}`,
      cause,
    },
  );
}
