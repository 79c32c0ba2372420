/** The ledger of a command: one that is written to, or one that is only asked; made, or found. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { findLedger, foreseeLedger, openLedger, openLedgerToAsk } from '../adapters/ledger/index.ts';
import { RunbookError } from '../core/errors.ts';
import type { RunLedger } from '../core/ports.ts';
import type { RunOwner } from '../core/run.ts';

/**
 * What a command does with it: `run` makes one where there is none; `prepare`, too, but not in a folder that somebody names
 * and that is not there; `change` needs one that is there; `ask` as well, and writes nothing to a copy, or to what can only be
 * read; `look` is as `ask`, and that there is none is an answer; `foresee` writes nothing at all and says what a run would be
 * refused with.
 */
export type LedgerUse = 'run' | 'prepare' | 'change' | 'ask' | 'look' | 'foresee';

export interface OpenedLedger {
  readonly ledger: RunLedger;
  /** Nothing is made for a question: where there is none, this one knows nothing. */
  readonly isThere: boolean;
  readonly whyLeftAlone: string | null;
  /** Where it is foreseen: what a run would be refused with. */
  readonly obstacle?: RunbookError | null;
}

export interface LedgerPlace {
  readonly file: string;
  /** Whether somebody says where it is: then none there is a mistake, else nothing was run yet. */
  readonly isNamed: boolean;
  /** For a private copy. */
  readonly scratch: string;
  readonly isGone: (owner: RunOwner, leaseUntil: string | null) => boolean;
}

/** @throws RunbookError `io`, `busy`, `unavailable`; `not-found` where it was named, is not there, and is not made */
export async function openFor(use: LedgerUse, place: LedgerPlace): Promise<OpenedLedger> {
  const { file, isNamed, isGone } = place;
  if (use === 'foresee') return await openToForesee(place);
  const isMade = use === 'run' || (use === 'prepare' && (!isNamed || existsSync(path.dirname(file))));
  if (isMade) return { ledger: await openLedger('sqlite', file, isGone), isThere: true, whyLeftAlone: null };
  const found = use === 'ask' || use === 'look' ? await openToAsk(place) : await openToChange(place);
  if (found !== null) return found;
  if (isNamed && use !== 'look') throw notThere(path.dirname(file), use);
  return { ...(await openNone(file)), isThere: false };
}

async function openToChange({ file, isGone }: LedgerPlace): Promise<OpenedLedger | null> {
  const ledger = await findLedger(file, isGone);
  return ledger === null ? null : { ledger, isThere: true, whyLeftAlone: null };
}

async function openToAsk({ file, isGone, scratch }: LedgerPlace): Promise<OpenedLedger | null> {
  const found = await openLedgerToAsk(file, isGone, scratch);
  if (found === null) return null;
  const { ledger, copyOf, readOnly } = found;
  const why = copyOf === null ? null : `This is a copy of the ledger of ${copyOf}: it is read, not looked after.`;
  return { ledger, isThere: true, whyLeftAlone: why ?? (readOnly === null ? null : LEFT_ALONE[readOnly]) };
}

async function openToForesee({ file, isGone, scratch }: LedgerPlace): Promise<OpenedLedger> {
  return { ...(await foreseeLedger(file, isGone, scratch)), isThere: existsSync(file), whyLeftAlone: null };
}

/** Where nothing is recorded. */
export async function openNone(file: string): Promise<OpenedLedger> {
  return { ledger: await openLedger('none', file, () => false), isThere: true, whyLeftAlone: null };
}

const LEFT_ALONE = {
  forbidden: 'This ledger can only be read: nobody looks after its runs.',
  failing: 'This ledger cannot be written now, since its disk is full or fails: nobody looks after its runs.',
} as const;

function notThere(folder: string, use: LedgerUse): RunbookError {
  return new RunbookError('not-found', `There is no ledger in ${folder}.`, {
    fix:
      use === 'prepare'
        ? 'Name its folder with --state-dir; for one that is still to come, make the folder first.'
        : 'Name its folder with --state-dir.',
  });
}
