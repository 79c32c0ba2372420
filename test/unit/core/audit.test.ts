/** The chain as an auditor walks it: whatever is done to it is found, at its place; what is not seen is said. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createChainAudit } from '../../../src/core/audit.ts';
import type { Anchor } from '../../../src/core/audit.ts';
import type { ChainLink } from '../../../src/core/chain.ts';
import { canonicalJson, chainHash } from '../../../src/core/chain.ts';
import type { Finding } from '../../../src/core/finding.ts';
import { at, chainOf, chains, flipped, prunedOf, tombstoneOf } from '../../helpers/chains.ts';
import type { Chain } from '../../helpers/chains.ts';
import { times } from '../../helpers/property.ts';

const ATTACKS = times(250, 20_000);

function findingOf(
  links: readonly ChainLink[],
  operations: ReadonlySet<number>,
  anchors: readonly Anchor[] = [],
): Finding | null {
  const listed = links.filter(({ seq }) => operations.has(seq));
  const audit = createChainAudit(listed, anchors);
  for (const link of links) {
    const finding = audit.take(link);
    if (finding !== null) return finding;
  }
  return audit.end();
}

/** A chain and a link of it; the last one is left out, where some attacks are a cut. */
const aimed = chains.chain((chain) => fc.record({ chain: fc.constant(chain), n: fc.nat(chain.links.length - 2) }));

const remade = (link: ChainLink, record: string): ChainLink => ({
  ...link,
  record,
  hash: chainHash(link.prev, record),
});
const isGone = (link: ChainLink): boolean => link.record === '';
/** Another text, which is one also where there was none. */
const edited = ({ record }: ChainLink): string => (record === '' ? '{"x":1}' : record.replace('{', '{"x":1,'));

interface Attack {
  readonly to: (links: readonly ChainLink[], n: number, salt: number) => readonly ChainLink[];
  /** Number that is to be named; that of the link itself where nothing is said. */
  readonly named?: (chain: Chain, n: number) => number | readonly number[];
  /** Whether there is something to attack. */
  readonly fits?: (link: ChainLink) => boolean;
}

const next = (_: Chain, n: number): number => n + 2;

const ON_LINKS: Readonly<Record<string, Attack>> = {
  edit: { to: (links, n) => links.with(n, { ...at(links, n), record: edited(at(links, n)) }) },
  'an edit with a new hash': {
    to: (links, n) => links.with(n, remade(at(links, n), edited(at(links, n)))),
    // Of one that was taken out nothing may be there; else its own hash fits again, and the next link tells.
    named: ({ links }, n) => (isGone(at(links, n)) ? n + 1 : n + 2),
  },
  deletion: {
    to: (links, n) => links.toSpliced(n, 1),
    // Without the operation, what it took out is gone without a word.
    named: ({ takenOut }, n) => takenOut.get(n + 1) ?? n + 1,
  },
  're-ordering': { to: (links, n) => links.with(n, at(links, n + 1)).with(n + 1, at(links, n)) },
  're-ordering with new numbers': {
    to: (links, n) => links.with(n, { ...at(links, n + 1), seq: n + 1 }).with(n + 1, { ...at(links, n), seq: n + 2 }),
    // Both places hold another record; where an operation belongs to one of them, it may be that one.
    named: ({ operations }, n) => (operations.has(n + 1) || operations.has(n + 2) ? [n + 1, n + 2] : n + 1),
  },
  duplicate: { to: (links, n) => links.toSpliced(n, 0, at(links, n)), named: next },
  'a duplicate with the next number': {
    to: (links, n) => links.toSpliced(n + 1, 0, { ...at(links, n), seq: n + 2 }),
    named: next,
  },
  'a bit flip in the record': {
    to: (links, n, salt) => links.with(n, { ...at(links, n), record: flipped(at(links, n).record, salt) }),
    fits: (link) => !isGone(link),
  },
  'a bit flip in the hash': {
    to: (links, n, salt) => links.with(n, { ...at(links, n), hash: flipped(at(links, n).hash, salt) }),
    named: ({ links }, n) => (isGone(at(links, n)) ? n + 2 : n + 1),
  },
  'a bit flip in prev': {
    to: (links, n, salt) => links.with(n, { ...at(links, n), prev: flipped(at(links, n).prev, salt) }),
  },
};

const ON_COLUMNS: Readonly<Record<string, Attack>> = Object.fromEntries(
  (['runId', 'state', 'at'] as const).map((column) => [
    `another ${column} beside the record`,
    { to: (links: readonly ChainLink[], n: number) => links.with(n, { ...at(links, n), [column]: 'other' }) },
  ]),
);

const ON_PRUNING: Readonly<Record<string, Attack>> = {
  'a record that is taken out without a word': {
    to: (links, n) => links.with(n, tombstoneOf(at(links, n))),
    fits: (link) => !isGone(link),
  },
};

describe('f1: attacks on a chain of which records were taken out', () => {
  test(`${ATTACKS} clean chains give no alarm, also with every link expected`, () => {
    let takenOut = 0;
    fc.assert(
      fc.property(chains, ({ links, operations }) => {
        takenOut += links.filter(isGone).length;
        expect(findingOf(links, operations)).toBeNull();
        expect(findingOf(links, operations, links)).toBeNull();
      }),
      { numRuns: ATTACKS },
    );
    expect(takenOut).toBeGreaterThan(ATTACKS);
  });

  test.each(Object.entries({ ...ON_LINKS, ...ON_COLUMNS, ...ON_PRUNING }))(
    `%s is found ${ATTACKS} times of ${ATTACKS}, and the first bad number named`,
    (_, { to, named = (__, n) => n + 1, fits = () => true }) => {
      fc.assert(
        fc.property(aimed, fc.nat(), ({ chain, n }, salt) => {
          fc.pre(fits(at(chain.links, n)));
          const finding = findingOf(to(chain.links, n, salt), chain.operations);
          expect([named(chain, n)].flat()).toContain(finding?.seq);
        }),
        { numRuns: ATTACKS },
      );
    },
  );

  test(`a cut end and a chain made anew are not seen, and with a link that was kept they are: ${ATTACKS} of ${ATTACKS}`, () => {
    fc.assert(
      fc.property(aimed, fc.nat(), ({ chain: { links, operations }, n }, salt) => {
        const kept = at(links, n + 1 + (salt % (links.length - n - 1)));
        const cut = links.slice(0, n + 1);
        // A cut that leaves records taken out, and no word of it, is seen by itself.
        fc.pre(findingOf(cut, operations) === null);
        expect(findingOf(cut, operations, [kept])).toMatchObject({ seq: n + 2, fault: 'cut-off' });

        let prev = at(links, n).prev;
        const anew: ChainLink[] = [];
        for (const link of links.slice(n)) {
          const said = isGone(link) ? {} : (JSON.parse(link.record) as object);
          const record = canonicalJson(anew.length === 0 ? { ...said, x: 1 } : said);
          anew.push({ ...link, record, prev, hash: chainHash(prev, record) });
          prev = anew.at(-1)?.hash ?? '';
        }
        // Where records were taken out behind it, their hashes cannot be made anew together with the operation's digest so simply.
        fc.pre(!isGone(at(links, n)) && !links.slice(n).some(isGone));
        const forged = [...links.slice(0, n), ...anew];
        expect(findingOf(forged, operations)).toBeNull();
        expect(findingOf(forged, operations, [kept])).toMatchObject({ seq: kept.seq, fault: 'unexpected' });
      }),
      { numRuns: ATTACKS },
    );
  });
});

describe('what an operation says that took records out', () => {
  const runs = [0, 0, 0, 1, 1, 1, 2, 2, 2].map((run) => ({ run, facts: {} }));

  /** As `chainOf`, with another thing said in the last operation. */
  const saying = (change: (pruned: Record<string, unknown>) => object): Finding | null => {
    const { links, operations } = chainOf([...runs, { prune: [0] }, { prune: [1] }]);
    const last = at(links, 10);
    const said: { pruned: Record<string, unknown> } = JSON.parse(last.record);
    return findingOf(links.with(10, remade(last, canonicalJson({ ...said, pruned: change(said.pruned) }))), operations);
  };

  test('holds as it is', () => {
    expect(saying((pruned) => pruned)).toBeNull();
  });

  test.each<[string, (pruned: Record<string, unknown>) => object, number, string]>([
    ['less than it took', (pruned) => ({ ...pruned, ranges: [[4, 5]] }), 6, 'taken-out'],
    ['more than it took', (pruned) => ({ ...pruned, ranges: [[4, 7]] }), 7, 'pruning'],
    ['what another one took as well', (pruned) => ({ ...pruned, ranges: [[1, 6]] }), 11, 'pruning'],
    ['that it took itself', (pruned) => ({ ...pruned, ranges: [[4, 11]] }), 4, 'taken-out'],
    [
      'one thing twice',
      (pruned) => ({
        ...pruned,
        ranges: [
          [4, 6],
          [5, 6],
        ],
      }),
      4,
      'taken-out',
    ],
    ['it backwards', (pruned) => ({ ...pruned, ranges: [[6, 4]] }), 4, 'taken-out'],
    ['another digest', (pruned) => ({ ...pruned, digest: 'f'.repeat(64) }), 4, 'pruning'],
    ['no digest', () => ({ ranges: [[4, 6]] }), 4, 'taken-out'],
    ['numbers that are none', (pruned) => ({ ...pruned, ranges: [['4', '6']] }), 4, 'taken-out'],
  ])('%s: found', (_, change, seq, fault) => {
    expect(saying(change)).toMatchObject({ seq, fault });
  });

  test('is kept for ever: an operation that is taken out is found, and what it had taken out with it', () => {
    const { links, operations } = chainOf([...runs, { prune: [0] }, { prune: [1] }]);
    expect(findingOf(links.with(9, tombstoneOf(at(links, 9))), operations)).toMatchObject({ seq: 10, fault: 'edited' });
  });

  test('a hash that was exchanged among those that were taken out is found by the digest, though every link fits', () => {
    const { links, operations } = chainOf([...runs, { prune: [0] }]);
    const forged = links
      .with(0, { ...at(links, 0), hash: 'a'.repeat(64) })
      .with(1, { ...at(links, 1), prev: 'a'.repeat(64) });
    expect(findingOf(forged, operations)).toMatchObject({ seq: 1, fault: 'pruning' });
  });

  // Said in docs/record.md: who can write the file can also append to it.
  test('who can append can say that something was taken out; it is on record from then on', () => {
    const { links } = chainOf(runs);
    const emptied = links.map((link) => (link.runId === 'run-0' ? tombstoneOf(link) : link));
    const columns = { seq: 10, runId: 'operation', state: 'done', at: 't10' };
    const record = canonicalJson({ operation: 'prune', pruned: prunedOf(['run-0'], links.slice(0, 3)), ...columns });
    const prev = at(links, 8).hash;
    const forged = [...emptied, { ...columns, record, prev, hash: chainHash(prev, record) }];
    expect(findingOf(forged, new Set([10]))).toBeNull();
  });
});
