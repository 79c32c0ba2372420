/** Chains as a ledger has them, with operations and records that were taken out; and what somebody may do to one. */
import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { canonicalJson, chainHash, GENESIS } from '../../src/core/chain.ts';
import type { ChainLink } from '../../src/core/chain.ts';

export interface Chain {
  readonly links: readonly ChainLink[];
  /** Numbers of operations, as the ledger lists them beside. */
  readonly operations: ReadonlySet<number>;
  /** First numbers that operations took out, by the number of the operation. */
  readonly takenOut: ReadonlyMap<number, number>;
}

/** What happens: a run gets another link, or some runs that have three are taken out. */
export type Happening = { readonly run: number; readonly facts: object } | { readonly prune: readonly number[] };

export function chainOf(happenings: readonly Happening[]): Chain {
  const links: ChainLink[] = [];
  const operations = new Set<number>();
  const takenOut = new Map<number, number>();
  const states = ['queued', 'started', 'finished'];
  const append = (runId: string, state: string, facts: object): void => {
    const columns = { seq: links.length + 1, runId, state, at: `t${links.length}` };
    const prev = links.at(-1)?.hash ?? GENESIS;
    const record = canonicalJson({ ...facts, ...columns });
    links.push({ ...columns, record, prev, hash: chainHash(prev, record) });
  };
  for (const [n, happening] of happenings.entries()) {
    if ('run' in happening) {
      const runId = `run-${happening.run}`;
      const state = states[links.filter((link) => link.runId === runId).length];
      if (state !== undefined) append(runId, state, happening.facts);
      continue;
    }
    const ended = happening.prune
      .map((run) => `run-${run}`)
      .filter((runId) => links.some((link) => link.runId === runId && link.state === 'finished'));
    const taken = links.filter((link) => ended.includes(link.runId));
    for (const { seq } of taken) links[seq - 1] = tombstoneOf(at(links, seq - 1));
    const seq = links.length + 1;
    operations.add(seq);
    if (taken[0] !== undefined) takenOut.set(seq, taken[0].seq);
    append(`operation-${n}`, 'done', { operation: 'prune', pruned: prunedOf(ended, taken) });
  }
  return { links, operations, takenOut };
}

export function tombstoneOf(link: ChainLink): ChainLink {
  return { ...link, runId: '', state: '', at: '', record: '' };
}

export function prunedOf(runIds: readonly string[], taken: readonly ChainLink[]): object {
  const digest = createHash('sha256');
  const ranges: [number, number][] = [];
  for (const { seq, hash } of taken) {
    digest.update(`${hash}\n`);
    const last = ranges.at(-1);
    if (last !== undefined && last[1] === seq - 1) last[1] = seq;
    else ranges.push([seq, seq]);
  }
  return { runIds, ranges, digest: digest.digest('hex') };
}

const facts = fc.dictionary(fc.string({ maxLength: 4 }), fc.oneof(fc.string(), fc.integer(), fc.boolean()), {
  maxKeys: 2,
});

/** Some runs side by side, now and then some of them taken out. */
export const chains: fc.Arbitrary<Chain> = fc
  .array(
    fc.oneof(
      { weight: 9, arbitrary: fc.record({ run: fc.nat(5), facts }) },
      {
        weight: 1,
        arbitrary: fc.record({ prune: fc.uniqueArray(fc.nat(5), { minLength: 1, maxLength: 4 }) }),
      },
    ),
    { minLength: 10, maxLength: 40 },
  )
  .map(chainOf)
  .filter(({ links }) => links.length > 3);

export function at<T>(items: readonly T[], index: number): T {
  const item = items[index];
  if (item === undefined) throw new RangeError(`nothing at ${index}`);
  return item;
}

/** One bit of the text, as bytes, the other way round. */
export function flipped(text: string, salt: number): string {
  const bytes = Buffer.from(text, 'latin1');
  const bit = salt % (bytes.length * 8);
  bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return bytes.toString('latin1');
}
