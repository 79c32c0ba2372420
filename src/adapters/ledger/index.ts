/** Where runs can be recorded. Another ledger is a file of its own, a line here, and the contract test. */
import { existsSync } from 'node:fs';
import type { LedgerView, RunLedger } from '../../core/ports.ts';
import type { RunOwner } from '../../core/run.ts';
import type { ForeseenLedger } from './foreseen.ts';
import type { AskedLedger } from './sqlite.ts';

type IsGone = (owner: RunOwner, leaseUntil: string | null) => boolean;

const LEDGERS = {
  sqlite: async (path, isGone) => (await import('./sqlite.ts')).openSqliteLedger(path, isGone),
  none: async () => (await import('./none.ts')).createNoLedger(),
} as const satisfies Record<string, (path: string, isGone: IsGone) => Promise<RunLedger>>;

/** The driver of a ledger is loaded with it, not before. @throws RunbookError `io`, `busy`, `unavailable` */
export async function openLedger(name: keyof typeof LEDGERS, path: string, isGone: IsGone): Promise<RunLedger> {
  return await LEDGERS[name](path, isGone);
}

/** For who changes what is recorded: null where there is none. @throws RunbookError `io`, `busy`, `unavailable` */
export async function findLedger(path: string, isGone: IsGone): Promise<RunLedger | null> {
  return (await import('./sqlite.ts')).findSqliteLedger(path, isGone);
}

/**
 * For who only asks: nothing is made, and a copy is not written to, nor what can only be read. Null where there is none.
 * @param scratch a folder for a private copy, which is gone when the ledger is closed
 * @throws RunbookError `io`, `busy`, `unavailable`
 */
export async function openLedgerToAsk(path: string, isGone: IsGone, scratch: string): Promise<AskedLedger | null> {
  return (await import('./sqlite.ts')).openSqliteLedgerToAsk(path, isGone, scratch);
}

/**
 * For who only wants to know: neither the ledger nor what lies beside it is written. Null where there is none; then nothing is loaded.
 * @throws RunbookError `io`, `busy`, `unavailable`
 */
export async function openLedgerToRead(path: string, isGone: IsGone, scratch: string): Promise<RunLedger | null> {
  if (!existsSync(path)) return null;
  return (await import('./sqlite.ts')).openSqliteLedgerToRead(path, isGone, scratch);
}

/** What a run would find: nothing is made or written, and nothing is thrown that a run would be refused with. */
export async function foreseeLedger(path: string, isGone: IsGone, scratch: string): Promise<ForeseenLedger> {
  return (await import('./foreseen.ts')).foreseeSqliteLedger(path, isGone, scratch);
}

/** Whatever an auditor looks at is a file of SQLite. @throws RunbookError `not-found`, `io`, `busy`, `unavailable` */
export async function openView(path: string, isCopy: boolean, scratch: string): Promise<LedgerView> {
  return (await import('./view.ts')).openLedgerView(path, isCopy, scratch);
}
