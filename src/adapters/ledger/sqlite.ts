/** The ledger in one SQLite file. Every transition is one durable transaction; see ADR 0004. */
import type { RunLedger } from '../../core/ports.ts';
import { isThere, isWritable, openToAsk, peekHome } from './asked.ts';
import { createCare } from './care.ts';
import { createClaims } from './claims.ts';
import { openDatabase, withLedgerErrors } from './database.ts';
import { createEntries } from './entries.ts';
import { openFile } from './file.ts';
import type { LedgerFile } from './file.ts';
import { createHome, isHome, noteHome, placeOf } from './home.ts';
import { createOperations } from './operations.ts';
import { createPruning } from './pruning.ts';
import { createQueries, createRunReader } from './runs.ts';
import { createSearch } from './search.ts';
import { createTransitions } from './transitions.ts';
import { createUpkeep } from './upkeep.ts';

type IsGone = LedgerFile['isGone'];

/** For who only asks. `copyOf`: of a ledger that lives in this folder; `isReadOnly`: nothing can be written where it lies. */
export interface AskedLedger {
  readonly ledger: RunLedger;
  readonly copyOf: string | null;
  readonly isReadOnly: boolean;
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

/** As `openLedgerToAsk`. */
export function openSqliteLedgerToAsk(path: string, isGone: IsGone, scratch: string): AskedLedger | null {
  if (!withLedgerErrors(path, () => isThere(path))) return null;
  const says = withLedgerErrors(path, () => peekHome(path, scratch));
  const isCopy = says !== null && withLedgerErrors(path, () => !isHome(says, placeOf(path)));
  if (!isCopy && isWritable(path)) {
    const file = openFile(path, openDatabase(path, false), isGone);
    noteHome(file);
    return { ledger: ledgerOf(file), copyOf: null, isReadOnly: false };
  }
  const file = openFile(path, openToAsk(path, scratch), isGone, true);
  return { ledger: ledgerOf(file), copyOf: isCopy ? says.path : null, isReadOnly: !isWritable(path) };
}

function ledgerOf(file: LedgerFile): RunLedger {
  const reader = createRunReader(file);
  return {
    ...createTransitions(file),
    ...createQueries(file, reader),
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
