/** Where runs can be recorded. Another ledger is a file of its own, a line here, and the contract test. */
import type { RunLedger } from '../../core/ports.ts';
import { mayBeAlive } from '../system/owner.ts';

const LEDGERS = {
  sqlite: async (path) => (await import('./sqlite.ts')).openSqliteLedger(path, mayBeAlive),
  none: async () => (await import('./none.ts')).createNoLedger(),
} as const satisfies Record<string, (path: string) => Promise<RunLedger>>;

/** The driver of a ledger is loaded with it, not before. @throws RunbookError `io`, `busy`, `unavailable` */
export async function openLedger(name: keyof typeof LEDGERS, path: string): Promise<RunLedger> {
  return await LEDGERS[name](path);
}
