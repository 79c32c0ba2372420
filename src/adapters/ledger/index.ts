/** Where runs can be recorded, by the name that the setting uses. */
import type { RunLedger } from '../../core/ports.ts';
import { openSqliteLedger } from './sqlite.ts';

export const LEDGERS: Readonly<Record<'sqlite', (path: string) => RunLedger>> = { sqlite: openSqliteLedger };
