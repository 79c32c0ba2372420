/** A ledger for who wants to know what a run would meet: nothing is made, nothing is written, nothing is moved. */
import { dirname } from 'node:path';
import { RunbookError } from '../../core/errors.ts';
import type { RunLedger } from '../../core/ports.ts';
import { checkCanMake } from '../system/can-make.ts';
import { isThere, isWritable, openToAsk } from './asked.ts';
import { withLedgerErrors } from './database.ts';
import { openFile } from './file.ts';
import type { LedgerFile } from './file.ts';
import { createNoLedger } from './none.ts';
import { ledgerOf } from './sqlite.ts';

export interface ForeseenLedger {
  /** Empty where there is none yet, and where it cannot be read. */
  readonly ledger: RunLedger;
  /** What a run would be refused with; null where its ledger can be written, as far as permissions tell. */
  readonly obstacle: RunbookError | null;
}

/** @param scratch as of `openToAsk` */
export function foreseeSqliteLedger(path: string, isGone: LedgerFile['isGone'], scratch: string): ForeseenLedger {
  try {
    if (!withLedgerErrors(path, () => isThere(path))) {
      withLedgerErrors(path, () => {
        checkCanMake(dirname(path));
      });
      return { ledger: createNoLedger(), obstacle: null };
    }
    const ledger = ledgerOf(openFile(path, openToAsk(path, scratch), isGone, true));
    return { ledger, obstacle: isWritable(path) ? null : notWritable(path) };
  } catch (error) {
    if (error instanceof RunbookError) return { ledger: createNoLedger(), obstacle: error };
    throw error;
  }
}

function notWritable(path: string): RunbookError {
  return new RunbookError('io', `The ledger ${path} or its folder cannot be written.`, {
    fix: 'Make both writable, or choose another folder with --state-dir.',
  });
}
