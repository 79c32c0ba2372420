/**
 * Whether a chain holds, link by link as they come. Records that were taken out are part of it: an operation further on has
 * to say so. The first thing that is wrong is told; behind it nothing can be said.
 */
import { createHash } from 'node:crypto';
import type { Hash } from 'node:crypto';
import { GENESIS, placeFault, textFault } from './chain.ts';
import type { ChainLink, LinkFault } from './chain.ts';
import type { Fault, Finding } from './finding.ts';
import { createTakenOut } from './taken-out.ts';
import type { TakenOut } from './taken-out.ts';

/** A link as somebody has kept it elsewhere. */
export type Anchor = Pick<ChainLink, 'seq' | 'hash'>;

export interface ChainAudit {
  /** @returns what is wrong with it; nothing is to be taken any more then */
  take(link: ChainLink): Finding | null;
  /** When there are no more links. */
  end(): Finding | null;
  /** The last link that holds; number 0 before the first. */
  readonly last: Anchor;
  /** How many of them were taken out. */
  readonly takenOut: number;
}

const TOLD: Readonly<Record<LinkFault, (seq: number, link: ChainLink) => string>> = {
  missing: (seq, { seq: next }) => `Record ${seq} is missing: the next one there is ${next}.`,
  'out-of-order': (seq, { seq: found }) => `Where record ${seq} belongs, there is record ${found}.`,
  unchained: (seq) =>
    `Record ${seq} does not follow from the one before it: one of the two is not the one that was written.`,
  edited: (seq) => `Record ${seq} was changed: its hash does not fit.`,
  columns: (seq) => `Record ${seq} is listed under another number, run, state or time than it says itself.`,
};

/**
 * @param operations as `LedgerView` has them: some of them took records out
 * @param anchors links that were kept elsewhere: each has to be there
 */
export function createChainAudit(operations: Iterable<ChainLink>, anchors: readonly Anchor[] = []): ChainAudit {
  const taken = createTakenOut(operations);
  const digests = new Map<number, Hash>();
  let last: Anchor = { seq: 0, hash: GENESIS };
  let takenOut = 0;

  const faultOf = (link: ChainLink): Finding | null => {
    const seq = last.seq + 1;
    const place = placeFault(link, last);
    // The record of a missing one cannot tell of which run it is.
    if (place !== null)
      return finding(seq, place, TOLD[place](seq, link), place === 'missing' ? null : link.runId || null);
    const by = taken.by(seq);
    if (link.record === '' || by !== null) {
      const fault = tombstoneFault(link, by);
      // What was taken out is known from operations: where one of them was changed, it is that one that does not hold.
      if (fault !== null && taken.altered !== null) return alteredFault(taken.altered);
      if (fault !== null || by === null) return fault;
      takenOut += 1;
      const digest = digests.get(by) ?? createHash('sha256');
      digests.set(by, digest.update(`${link.hash}\n`));
    } else {
      const text = textFault(link);
      if (text !== null) return finding(seq, text, TOLD[text](seq, link), link.runId || null);
      const fault = pruningFault(taken, seq, digests);
      if (fault !== null) return fault;
    }
    return anchorFault(link, anchors);
  };

  return {
    take: (link) => {
      const fault = faultOf(link);
      if (fault === null) last = { seq: link.seq, hash: link.hash };
      return fault;
    },
    end: () => {
      const { seq } = last;
      const gone = anchors.find((anchor) => anchor.seq > seq);
      if (gone === undefined) return null;
      return finding(seq + 1, 'cut-off', `The record ends with ${seq}, and you have kept the hash of ${gone.seq}.`);
    },
    get last() {
      return last;
    },
    get takenOut() {
      return takenOut;
    },
  };
}

/** @param by the operation that says that the record was taken out */
function tombstoneFault({ seq, record, runId, state, at }: ChainLink, by: number | null): Finding | null {
  if (by === null)
    return finding(seq, 'taken-out', `The text of record ${seq} is gone, and no operation says that it was taken out.`);
  if (record === '' && runId === '' && state === '' && at === '') return null;
  return finding(seq, 'pruning', `Record ${seq} is there, although record ${by} says that it was taken out.`);
}

function alteredFault(seq: number): Finding {
  return finding(seq, 'edited', `Record ${seq}, which says what was taken out, was changed: its hash does not fit.`);
}

/** What an operation says of the records that it took out, against what stands in their places. */
function pruningFault(taken: TakenOut, seq: number, digests: Map<number, Hash>): Finding | null {
  const pruning = taken.pruning(seq);
  if (pruning === null) return null;
  if (pruning.problem !== null) return finding(seq, 'pruning', `Record ${seq} ${pruning.problem}.`);
  const digest = (digests.get(seq) ?? createHash('sha256')).digest('hex');
  digests.delete(seq);
  if (digest === pruning.digest) return null;
  const { first, end } = pruning;
  const places = first === end ? `${first}` : `one of ${first} to ${end}`;
  return finding(
    first,
    'pruning',
    `The hash of a record that was taken out (${places}) is not the one that record ${seq} says.`,
  );
}

function anchorFault({ seq, hash }: ChainLink, anchors: readonly Anchor[]): Finding | null {
  const other = anchors.find((anchor) => anchor.seq === seq && anchor.hash !== hash);
  if (other === undefined) return null;
  return finding(seq, 'unexpected', `Record ${seq} is not the one whose hash you have kept: it has ${hash}.`);
}

function finding(seq: number, fault: Fault, message: string, runId: string | null = null): Finding {
  return { seq, runId, fault, message };
}
