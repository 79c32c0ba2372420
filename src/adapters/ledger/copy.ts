/** Copies of a ledger's file: consistent while others write, private, whole or not at all. */
import { closeSync, linkSync, openSync, unlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { RunbookError } from '../../core/errors.ts';
import { codeOf } from '../../core/failures.ts';
import { syncFile, syncFolder } from '../system/sync.ts';

/**
 * @param draft in the folder of `target`; whatever lies there under this name goes
 * @throws RunbookError `usage` where `target` is there, `io`; nothing of the copy is left then
 */
export function copyWhole(db: Database.Database, target: string, draft: string): void {
  let isMade = false;
  try {
    removeFile(draft);
    // SQLite takes an empty file for one that is not there; so nobody else can read it at any time.
    closeSync(openSync(draft, 'wx', 0o600));
    isMade = true;
    // Also of a ledger that is only asked: what it is copied from is not written.
    const isOnlyAsked = db.pragma('query_only', { simple: true });
    db.pragma('query_only = OFF');
    try {
      db.prepare<[string]>('VACUUM INTO ?').run(draft);
    } finally {
      db.pragma(`query_only = ${isOnlyAsked === 1 ? 'ON' : 'OFF'}`);
    }
    forgetRequests(draft);
    syncFile(draft);
    linkSync(draft, target);
    syncFolder(dirname(target));
  } catch (error) {
    throw asCopyError(target, error);
  } finally {
    if (isMade) removeFile(draft);
  }
}

/** Why somebody wants a run to end is not masked before the run has heard of it, and a copy is not told what becomes of that. */
function forgetRequests(file: string): void {
  const copy = new Database(file, { fileMustExist: true });
  try {
    copy.pragma('journal_mode = MEMORY');
    copy.pragma('secure_delete = ON');
    const hasRequests =
      copy.prepare("SELECT 1 FROM pragma_table_info('runs') WHERE name = 'cancel'").get() !== undefined;
    if (hasRequests) copy.exec('UPDATE runs SET cancel = NULL WHERE cancel IS NOT NULL');
  } finally {
    copy.close();
  }
}

function removeFile(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
}

function asCopyError(target: string, error: unknown): unknown {
  const code = codeOf(error);
  if (code === 'EEXIST')
    return new RunbookError('usage', `${target} is there already.`, { fix: 'Name a file that is not there yet.' });
  if (!/^SQLITE_(?:FULL|IOERR|CANTOPEN|READONLY)|^E[A-Z0-9]+$/.test(code)) return error;
  return new RunbookError('io', `The ledger could not be copied to ${target} (${code}).`, {
    fix: 'See that its folder is there and yours, and that the disk has as much room as the ledger takes.',
    cause: error,
  });
}
