/** A ledger's file that is only asked: a copy, or one that can only be read. Nothing is written where it lies. */
import {
  accessSync,
  constants,
  chmodSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  rmSync,
  statfsSync,
  statSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import { RunbookError } from '../../core/errors.ts';
import { codeOf } from '../../core/failures.ts';
import { freeBytesOf } from '../system/free-bytes.ts';
import { notALedger, withLedgerErrors } from './database.ts';
import type { Home } from './home.ts';
import { readHome } from './home.ts';
import { APPLICATION_ID, migrate, MIGRATIONS } from './migrations.ts';

/** Who writes all the time lets nobody copy. */
const TRIES = 5;
/** Bytes of shared memory that SQLite lays beside a file while it is open, at least; and with what a file system takes for that. */
const SHARED = 32 * 1024;
const BESIDE = 2 * SHARED;

/** What only keeps it from being looked at (no permission, a file where a folder should be) is thrown. */
export function isThere(path: string): boolean {
  try {
    statSync(path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
}

/** Whether a ledger can be kept there: SQLite makes files beside it. */
export function isWritable(path: string): boolean {
  try {
    for (const one of [path, dirname(path)]) accessSync(one, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** Whether SQLite can open it there. Where it tries and finds no room it takes the last of the disk, and leaves that behind. */
export function hasRoomBeside(path: string): boolean {
  const shared = statSync(`${path}-shm`, { throwIfNoEntry: false })?.size ?? 0;
  return shared >= SHARED || (freeBytesOf(statfsSync(dirname(path))) ?? Infinity) >= BESIDE;
}

/** What the file says of its home; null where it does not, or is damaged. @throws Error of the system */
export function peekHome(path: string, scratch: string): Home | null {
  try {
    const db = openAsIs(path, scratch);
    try {
      return readHome(db);
    } finally {
      db.close();
    }
  } catch (error) {
    // Whoever opens it next says what is wrong.
    if (codeOf(error).startsWith('SQLITE_')) return null;
    throw error;
  }
}

/**
 * @param scratch a folder where a private copy may be made, for as long as the ledger is open: of a ledger with a write-ahead
 *   log, and of one of an older schema
 * @throws RunbookError `io`, `busy`, `unavailable`
 */
export function openToAsk(path: string, scratch: string): Database.Database {
  return withLedgerErrors(path, () => {
    const db = openAsIs(path, scratch);
    try {
      if (schemaOf(db, path) === MIGRATIONS.length) return prepared(db);
    } catch (error) {
      db.close();
      throw error;
    }
    db.close();
    return prepared(openCopy(path, scratch, migrate));
  });
}

/**
 * Whatever schema it has. Neither the file nor its log is written: who may write puts away what SQLite lays beside a file
 * without a log; beside a log it lies already. Where there is no room for that, or no permission, a copy is read.
 * @throws RunbookError `busy`, `io`, Error of SQLite or of the system
 */
export function openAsIs(path: string, scratch: string): Database.Database {
  const hasLog = existsSync(`${path}-wal`);
  const canBeOpened = hasLog ? existsSync(`${path}-shm`) : isWritable(path);
  return (canBeOpened ? openInPlace(path, hasLog) : null) ?? openCopy(path, scratch);
}

/** @returns null where that needs what cannot be written there. @throws Error of SQLite or of the system */
export function openInPlace(path: string, readonly: boolean): Database.Database | null {
  if (!hasRoomBeside(path)) return null;
  const db = new Database(path, { readonly, fileMustExist: true });
  try {
    db.pragma('query_only = ON');
    db.prepare('SELECT 1 FROM sqlite_schema').get();
    return db;
  } catch (error) {
    db.close();
    if (!/^SQLITE_(?:CANTOPEN|READONLY|FULL|IOERR)/.test(codeOf(error))) throw error;
    return null;
  }
}

function prepared(db: Database.Database): Database.Database {
  db.pragma('trusted_schema = OFF');
  return db;
}

function schemaOf(db: Database.Database, path: string): number {
  const schema = Number(db.pragma('user_version', { simple: true }));
  if (db.pragma('application_id', { simple: true }) !== APPLICATION_ID || schema === 0) throw notALedger(path);
  return schema;
}

/**
 * It has no name any more when this returns, so it is gone with the process, whatever becomes of that.
 * @throws RunbookError `busy`, `io`, Error of SQLite or of the system
 */
export function openCopy(
  path: string,
  scratch: string,
  bring: (db: Database.Database) => void = () => {},
): Database.Database {
  const folder = makeFolder(path, scratch);
  try {
    const file = join(folder, basename(path));
    copyStill(path, file);
    const db = new Database(file, { fileMustExist: true });
    try {
      db.pragma('journal_mode = MEMORY');
      bring(db);
      return db;
    } catch (error) {
      db.close();
      throw error;
    }
  } catch (error) {
    throw NOT_COPIED.test(codeOf(error)) ? notCopied(path, scratch, error) : error;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function makeFolder(path: string, scratch: string): string {
  try {
    return mkdtempSync(join(scratch, 'runbook-ledger-'));
  } catch (error) {
    throw notCopied(path, scratch, error);
  }
}

/** The disk of the copy is full. */
const NO_ROOM = /^(?:ENOSPC|EDQUOT|EFBIG|SQLITE_(?:FULL|IOERR_WRITE|IOERR_TRUNCATE|IOERR_FSYNC|IOERR_SHM))/;
/** Of the copy, whatever SQLite cannot do; reading what is copied fails otherwise. */
const NOT_COPIED = /^(?:ENOSPC|EDQUOT|EFBIG|SQLITE_(?:FULL|IOERR|CANTOPEN))/;

function notCopied(path: string, scratch: string, cause: unknown): RunbookError {
  const code = codeOf(cause);
  const why = NO_ROOM.test(code) ? `there is no room for a copy in ${scratch}` : `it cannot be copied to ${scratch}`;
  return new RunbookError('io', `The ledger ${path} cannot be read where it lies, and ${why} (${code}).`, {
    fix: 'Make room on one of the two disks, or set RUNBOOK_EXECUTION_DIR to a folder that has room.',
    cause,
  });
}

/** File and log, of one moment. */
function copyStill(path: string, target: string): void {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const before = stateOf(path);
    copyOurs(path, target);
    rmSync(`${target}-wal`, { force: true });
    if (existsSync(`${path}-wal`)) copyOurs(`${path}-wal`, `${target}-wal`);
    if (stateOf(path) === before) return;
  }
  throw new RunbookError('busy', `The ledger ${path} is written all the time, so it could not be copied to be read.`, {
    fix: 'Try again, or ask it where it lives.',
  });
}

/** A copy takes the mode of what is copied, and one that may only be read cannot be opened for a question. */
function copyOurs(path: string, target: string): void {
  rmSync(target, { force: true });
  copyFileSync(path, target, constants.COPYFILE_FICLONE);
  chmodSync(target, 0o600);
}

function stateOf(path: string): string {
  return [path, `${path}-wal`]
    .map((one) => {
      const facts = statSync(one, { bigint: true, throwIfNoEntry: false });
      return facts === undefined ? '' : `${facts.ino} ${facts.size} ${facts.mtimeNs}`;
    })
    .join(', ');
}
