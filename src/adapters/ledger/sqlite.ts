/** The ledger in one SQLite file. Every transition is one durable transaction; see ADR 0004. */
import type Database from 'better-sqlite3';
import { RunbookError } from '../../core/errors.ts';
import type { RunLedger } from '../../core/ports.ts';
import { hasRoomBeside, isThere, isWritable, openToAsk, peekHome } from './asked.ts';
import { createCare } from './care.ts';
import { createClaims } from './claims.ts';
import { openDatabase, withLedgerErrors } from './database.ts';
import { createEntries } from './entries.ts';
import { openFile } from './file.ts';
import type { LedgerFile } from './file.ts';
import { createHome, isHome, noteHome, placeOf } from './home.ts';
import { createLatest } from './latest.ts';
import { createOperations } from './operations.ts';
import { createPruning } from './pruning.ts';
import { createKeyQueries } from './request-keys.ts';
import { createReports } from './reports.ts';
import { createQueries, createRunReader } from './runs.ts';
import { createSearch } from './search.ts';
import { createTransitions } from './transitions.ts';
import { createUpkeep } from './upkeep.ts';

type IsGone = LedgerFile['isGone'];

/** For who only asks. */
export interface AskedLedger {
  readonly ledger: RunLedger;
  /** It is a copy of a ledger that lives in this folder. */
  readonly copyOf: string | null;
  /** Why nothing can be written where it lies: nobody may, or it failed, as where the disk is full. Null where it can. */
  readonly readOnly: 'forbidden' | 'failing' | null;
}

/**
 * Opens the ledger, made on first use (file 0600, folder 0700). `isGone` tells whether the owner of a run that never
 * ended is dead. @throws RunbookError `io`, `busy`, `unavailable`
 */
export function openSqliteLedger(path: string, isGone: IsGone = () => false): RunLedger {
  const file = openFile(path, openDatabase(path), isGone);
  noteHome(file);
  return ledgerOf(file);
}

/** As `findLedger`. */
export function findSqliteLedger(path: string, isGone: IsGone): RunLedger | null {
  if (!withLedgerErrors(path, () => isThere(path))) return null;
  const file = openFile(path, openDatabase(path, false), isGone);
  noteHome(file);
  return ledgerOf(file);
}

/** As `openLedgerToRead`. */
export function openSqliteLedgerToRead(path: string, isGone: IsGone, scratch: string): RunLedger | null {
  if (!withLedgerErrors(path, () => isThere(path))) return null;
  return ledgerOf(openFile(path, openToAsk(path, scratch), isGone, true));
}

/** As `openLedgerToAsk`. */
export function openSqliteLedgerToAsk(path: string, isGone: IsGone, scratch: string): AskedLedger | null {
  if (!withLedgerErrors(path, () => isThere(path))) return null;
  const says = withLedgerErrors(path, () => peekHome(path, scratch));
  const isCopy = says !== null && withLedgerErrors(path, () => !isHome(says, placeOf(path)));
  const isWritten = isWritable(path);
  const home = isWritten && !isCopy ? openAtHome(path, isGone) : null;
  if (home !== null) return { ledger: ledgerOf(home), copyOf: null, readOnly: null };
  const file = openFile(path, openToAsk(path, scratch), isGone, true);
  if (isCopy) return { ledger: ledgerOf(file), copyOf: says.path, readOnly: isWritten ? null : 'forbidden' };
  return { ledger: ledgerOf(file), copyOf: null, readOnly: isWritten ? 'failing' : 'forbidden' };
}

/** Null where the disk is in the way, as when it is full: then it can still be asked. */
function openAtHome(path: string, isGone: IsGone): LedgerFile | null {
  if (!withLedgerErrors(path, () => hasRoomBeside(path))) return null;
  let db: Database.Database | null = null;
  try {
    db = openDatabase(path, false);
    const file = openFile(path, db, isGone);
    noteHome(file);
    return file;
  } catch (error) {
    db?.close();
    if (error instanceof RunbookError && error.code === 'io') return null;
    throw error;
  }
}

export function ledgerOf(file: LedgerFile): RunLedger {
  const reader = createRunReader(file);
  return {
    ...createTransitions(file),
    ...createReports(file, reader),
    ...createQueries(file, reader),
    ...createKeyQueries(file),
    ...createLatest(file),
    ...createCare(file, reader),
    ...createOperations(file),
    ...createClaims(file),
    ...createEntries(file, reader),
    ...createSearch(file, reader),
    ...createHome(file),
    ...createPruning(file),
    ...createUpkeep(file),
    close() {
      file.ask(() => file.db.close());
    },
  };
}
