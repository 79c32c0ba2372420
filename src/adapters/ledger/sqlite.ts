/** The ledger in one SQLite file. Every transition is one durable transaction; see ADR 0004. */
import type { RunLedger } from '../../core/ports.ts';
import type { RunOwner } from '../../core/run.ts';
import { createCare } from './care.ts';
import { createClaims } from './claims.ts';
import { openDatabase } from './database.ts';
import { createEntries } from './entries.ts';
import { openFile } from './file.ts';
import { createOperations } from './operations.ts';
import { createPruning } from './pruning.ts';
import { createQueries, createRunReader } from './runs.ts';
import { createSearch } from './search.ts';
import { createTransitions } from './transitions.ts';
import { createUpkeep } from './upkeep.ts';

/**
 * Opens the ledger, made on first use (file 0600, folder 0700). `isGone` tells whether the owner of a run that never
 * ended is dead. @throws RunbookError `io`, `busy`, `unavailable`
 */
export function openSqliteLedger(
  path: string,
  isGone: (owner: RunOwner, leaseUntil: string | null) => boolean = () => false,
): RunLedger {
  const db = openDatabase(path);
  const file = openFile(path, db, isGone);
  const reader = createRunReader(file);
  return {
    ...createTransitions(file),
    ...createQueries(file, reader),
    ...createCare(file, reader),
    ...createOperations(file),
    ...createClaims(file),
    ...createEntries(file, reader),
    ...createSearch(file, reader),
    ...createPruning(file),
    ...createUpkeep(file),
    close() {
      file.ask(() => db.close());
    },
  };
}
