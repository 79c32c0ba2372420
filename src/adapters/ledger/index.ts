/** Where runs can be recorded. Another ledger is a file of its own, a line here, and the contract test. */
import type { LedgerView, RunLedger } from '../../core/ports.ts';
import type { RunOwner } from '../../core/run.ts';

type IsGone = (owner: RunOwner, leaseUntil: string | null) => boolean;

const LEDGERS = {
  sqlite: async (path, isGone) => (await import('./sqlite.ts')).openSqliteLedger(path, isGone),
  none: async () => (await import('./none.ts')).createNoLedger(),
} as const satisfies Record<string, (path: string, isGone: IsGone) => Promise<RunLedger>>;

/** The driver of a ledger is loaded with it, not before. @throws RunbookError `io`, `busy`, `unavailable` */
export async function openLedger(name: keyof typeof LEDGERS, path: string, isGone: IsGone): Promise<RunLedger> {
  return await LEDGERS[name](path, isGone);
}

/** Whatever an auditor looks at is a file of SQLite. @throws RunbookError `not-found`, `io`, `busy`, `unavailable` */
export async function openView(path: string, isCopy: boolean): Promise<LedgerView> {
  return (await import('./view.ts')).openLedgerView(path, isCopy);
}
