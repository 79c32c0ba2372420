/** Opening a ledger's file: created whole or not at all, private, never replaced, durable at every commit. */
import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, linkSync, openSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { RunbookError } from '../../core/errors.ts';
import { codeOf } from '../../core/failures.ts';
import { makeFolders } from '../system/make-folders.ts';
import { syncFolder } from '../system/sync.ts';
import { asDiskFull } from './full-disk.ts';
import { keepBefore } from './keep-before.ts';
import { APPLICATION_ID, migrate, MIGRATIONS } from './migrations.ts';

/** How long a transaction waits for another process's; the wait blocks this process. */
export const BUSY_TIMEOUT_MS = 5000;

/** @param isMade whether it is made where there is none. @throws RunbookError `io`, `busy`, `unavailable` (corrupt, not a ledger, of a newer program) */
export function openDatabase(path: string, isMade = true): Database.Database {
  return withLedgerErrors(path, () => {
    if (isMade && !existsSync(path)) create(path);
    return connect(path, (db) => {
      // Before anything is written: what is not ours is left as it is.
      if (db.pragma('application_id', { simple: true }) !== APPLICATION_ID) throw notALedger(path);
    });
  });
}

/**
 * A new ledger is made under another name and then linked into place. So an empty file at `path` can only be damage,
 * and of two processes that start at once one wins and the other uses the winner's.
 */
function create(path: string): void {
  makeFolders(dirname(path), 0o700);
  const draft = `${path}.${randomBytes(6).toString('hex')}.new`;
  try {
    // SQLite gives its -wal and -shm files the mode of the main file.
    closeSync(openSync(draft, 'wx', 0o600));
    connect(draft).close();
    linkSync(draft, path);
    syncFolder(dirname(path));
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  } finally {
    for (const suffix of ['', '-wal', '-shm']) rmSync(draft + suffix, { force: true });
  }
}

function connect(path: string, check: (db: Database.Database) => void = () => {}): Database.Database {
  const db = new Database(path, { fileMustExist: true, timeout: BUSY_TIMEOUT_MS });
  try {
    check(db);
    if (db.pragma('journal_mode = WAL', { simple: true }) !== 'wal') {
      throw new RunbookError('unavailable', `The ledger ${path} lies on a file system without write-ahead logging.`, {
        fix: 'Choose a state folder on a local disk (--state-dir).',
      });
    }
    db.pragma('synchronous = FULL');
    db.pragma('foreign_keys = ON');
    // What was only noted for a while (why somebody cancels a run) leaves no traces in unused places.
    db.pragma('secure_delete = FAST');
    db.pragma('trusted_schema = OFF');
    migrate(db, MIGRATIONS, (from) => {
      keepBefore(path, from);
    });
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Carries out `work`; what the disk or the file is to blame for becomes an expected failure, a bug stays a bug. */
export function withLedgerErrors<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw asLedgerError(path, error);
  }
}

function asLedgerError(path: string, error: unknown): unknown {
  if (error instanceof RunbookError) return error;
  const code = codeOf(error);
  if (/^SQLITE_(?:BUSY|LOCKED)/.test(code)) {
    return new RunbookError('busy', `The ledger ${path} has been locked by another process for too long.`, {
      fix: 'Try again; if it stays so, find the process that holds the file.',
      cause: error,
    });
  }
  if (/^SQLITE_(?:CORRUPT|NOTADB)/.test(code)) return notALedger(path, error);
  const full = asDiskFull(path, error);
  if (full !== null) return full;
  const file = code === 'ENOTDIR' || code === 'EEXIST' ? fileAbove(path) : null;
  if (file !== null)
    return new RunbookError('io', `${file} is a file and not a folder, so there is no ledger in it.`, {
      fix: 'Name the folder that holds ledger.sqlite with --state-dir.',
      cause: error,
    });
  if (/^SQLITE_(?:FULL|IOERR|READONLY|CANTOPEN|PERM)|^E[A-Z0-9]+$/.test(code)) {
    return new RunbookError('io', `The ledger ${path} cannot be written or read (${code}).`, {
      fix: 'Make its folder writable and see that its disk is whole, or choose another one with --state-dir.',
      cause: error,
    });
  }
  return error;
}

/** What stands where a folder should be; null where nothing does. */
function fileAbove(path: string): string | null {
  const folder = dirname(path);
  const facts = folder === path ? undefined : statSync(folder, { throwIfNoEntry: false });
  if (facts?.isDirectory() === true || folder === path) return null;
  return facts === undefined ? fileAbove(folder) : folder;
}

export function notALedger(path: string, cause?: unknown): RunbookError {
  return new RunbookError('unavailable', `The file ${path} is damaged or is not a ledger of runbook.`, {
    fix: 'Restore it from a backup, or move it away to start a new ledger; it is never replaced by itself, and what runs have printed stays where it is.',
    cause,
  });
}
