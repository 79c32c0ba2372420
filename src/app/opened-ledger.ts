/** The ledger of a command: one that is written to, or one that is only asked. */
import path from 'node:path';
import { openLedger, openLedgerToAsk } from '../adapters/ledger/index.ts';
import { RunbookError } from '../core/errors.ts';
import type { RunLedger } from '../core/ports.ts';
import type { RunOwner } from '../core/run.ts';

export interface OpenedLedger {
  readonly ledger: RunLedger;
  readonly whyLeftAlone: string | null;
}

/** @param isNamed whether somebody says where it is: then none there is a mistake, else nothing was run yet */
export async function openForQuestions(
  file: string,
  isGone: (owner: RunOwner, leaseUntil: string | null) => boolean,
  scratch: string,
  isNamed: boolean,
): Promise<OpenedLedger> {
  const found = await openLedgerToAsk(file, isGone, scratch);
  if (found === null && isNamed)
    throw new RunbookError('not-found', `There is no ledger in ${path.dirname(file)}.`, {
      fix: 'Name its folder with --state-dir; a first run makes one.',
    });
  // Nothing is made for a question.
  if (found === null) return { ledger: await openLedger('none', file, isGone), whyLeftAlone: null };
  const { ledger, copyOf, readOnly } = found;
  if (copyOf !== null)
    return { ledger, whyLeftAlone: `This is a copy of the ledger of ${copyOf}: it is read, not looked after.` };
  return { ledger, whyLeftAlone: readOnly === null ? null : LEFT_ALONE[readOnly] };
}

const LEFT_ALONE = {
  forbidden: 'This ledger can only be read: nobody looks after its runs.',
  failing: 'This ledger cannot be written now, since its disk is full or fails: nobody looks after its runs.',
} as const;
