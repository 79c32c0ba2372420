import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ChainLink } from '../../../src/core/chain.ts';
import { canonicalJson, chainHash, GENESIS, verifyChain } from '../../../src/core/chain.ts';
import { tries } from '../../helpers/property.ts';

describe('canonical JSON', () => {
  test('sorts keys by UTF-16 code units and writes no white space (the example of RFC 8785, section 3.2.3)', () => {
    const value = {
      '\u20ac': 'Euro Sign',
      '\r': 'Carriage Return',
      '\ufb33': 'Hebrew Letter Dalet With Dagesh',
      '1': 'One',
      '\ud83d\ude00': 'Emoji: Grinning Face',
      '\u0080': 'Control',
      '\u00f6': 'Latin Small Letter O With Diaeresis',
    };
    expect(canonicalJson(value)).toBe(
      '{"\\r":"Carriage Return","1":"One","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis",' +
        '"\u20ac":"Euro Sign","\ud83d\ude00":"Emoji: Grinning Face","\ufb33":"Hebrew Letter Dalet With Dagesh"}',
    );
  });

  test.each([
    [[333_333_333.333_333_3, 1e30, 4.5, 2e-3, 1e-27, -0], '[333333333.3333333,1e+30,4.5,0.002,1e-27,0]'],
    [
      { b: [true, false, null], a: { d: undefined, c: 'é"\\\n\u0000' } },
      '{"a":{"c":"é\\"\\\\\\n\\u0000"},"b":[true,false,null]}',
    ],
    ['\ud800', '"\\ud800"'],
  ])('writes %j', (value, text) => {
    expect(canonicalJson(value)).toBe(text);
  });

  test('gives back any JSON value, and the same text whatever the order of the members', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = canonicalJson(value);
        const again: unknown = JSON.parse(text);
        expect(again).toEqual(JSON.parse(JSON.stringify(value)));
        expect(canonicalJson(again)).toBe(text);
        expect(canonicalJson(reversed(value))).toBe(text);
      }),
      tries(1000, 20_000),
    );
  });

  test.each([
    [NaN],
    [Infinity],
    [1n],
    [Symbol('s')],
    [new Date(0)],
    [new Map()],
    [Buffer.from('x')],
    [() => 1],
    [[undefined]],
  ])('does not write %s', (value) => {
    expect(() => canonicalJson({ value })).toThrow(TypeError);
  });
});

describe('the chain', () => {
  const ATTACKS = 200;
  const chains = fc
    .array(fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 4 }), { minLength: 3, maxLength: 30 })
    .map(chainOf);
  /** A chain and the place (index) that an attack is aimed at; the last one is left out where cutting it is not seen. */
  const aimed = chains.chain((links) => fc.record({ links: fc.constant(links), at: fc.nat(links.length - 2) }));

  test(`${ATTACKS} clean chains give no alarm, whole or from any trusted place on`, () => {
    fc.assert(
      fc.property(aimed, ({ links, at }) => {
        expect(verifyChain(links)).toBeNull();
        expect(verifyChain(links.slice(at + 1), links[at])).toBeNull();
      }),
      { numRuns: ATTACKS },
    );
    expect(verifyChain([])).toBeNull();
  });

  const attacks: Readonly<Record<string, (links: ChainLink[], at: number, salt: number) => ChainLink[]>> = {
    edit: (links, at) => links.with(at, { ...pick(links, at), record: pick(links, at).record.replace('{', '{"x":1,') }),
    'an edit with a new hash': (links, at) => {
      const record = pick(links, at).record.replace('{', '{"x":1,');
      // Its own hash fits again: the next link tells.
      return links.with(at, { ...pick(links, at), record, hash: chainHash(pick(links, at).prev, record) });
    },
    'an edit of a column': (links, at) => links.with(at, { ...pick(links, at), state: 'succeeded' }),
    deletion: (links, at) => links.toSpliced(at, 1),
    're-ordering': (links, at) => links.with(at, pick(links, at + 1)).with(at + 1, pick(links, at)),
    duplicate: (links, at) => links.toSpliced(at, 0, pick(links, at)),
    'a duplicate with the next number': (links, at) =>
      links.toSpliced(at + 1, 0, { ...pick(links, at), seq: pick(links, at).seq + 1 }),
    'a bit flip in the record': (links, at, salt) =>
      links.with(at, { ...pick(links, at), record: flipped(pick(links, at).record, salt) }),
    'a bit flip in the hash': (links, at, salt) =>
      links.with(at, { ...pick(links, at), hash: flipped(pick(links, at).hash, salt) }),
    'a bit flip in prev': (links, at, salt) =>
      links.with(at, { ...pick(links, at), prev: flipped(pick(links, at).prev, salt) }),
  };
  /** Where the place that does not hold is not the one that was attacked but the next. */
  const seenNext = new Set(['an edit with a new hash', 'duplicate', 'a duplicate with the next number']);

  test.each(Object.entries(attacks))(`%s is found ${ATTACKS} times of ${ATTACKS}, at its place`, (name, attack) => {
    fc.assert(
      fc.property(aimed, fc.nat(), ({ links, at }, salt) => {
        const expected = at + 1 + (seenNext.has(name) ? 1 : 0);
        expect(verifyChain(attack([...links], at, salt))).toBe(expected);
      }),
      { numRuns: ATTACKS },
    );
  });

  test('does not see that its end was cut off, nor that all of it was made anew', () => {
    const links = chainOf([{}, {}, {}]);
    expect(verifyChain(links.slice(0, 2))).toBeNull();
    expect(verifyChain(chainOf([{ x: 1 }, {}, {}]))).toBeNull();
  });
});

function chainOf(facts: readonly object[]): ChainLink[] {
  let prev = GENESIS;
  return facts.map((fact, n) => {
    const columns = { seq: n + 1, runId: `run-${n >> 1}`, state: n % 2 === 0 ? 'queued' : 'started', at: `t${n}` };
    const record = canonicalJson({ ...fact, ...columns });
    const link = { ...columns, record, prev, hash: chainHash(prev, record) };
    prev = link.hash;
    return link;
  });
}

function pick(links: readonly ChainLink[], at: number): ChainLink {
  const link = links[at];
  if (link === undefined) throw new RangeError(`no link ${at}`);
  return link;
}

/** One bit of the text, as bytes, the other way round. */
function flipped(text: string, salt: number): string {
  const bytes = Buffer.from(text, 'latin1');
  const bit = salt % (bytes.length * 8);
  bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return bytes.toString('latin1');
}

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([key, member]) => [key, reversed(member)]),
  );
}
