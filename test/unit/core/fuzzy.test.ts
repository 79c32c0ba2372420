import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fuzzyScore } from '../../../src/core/fuzzy.ts';
import { tries } from '../../helpers/property.ts';

const NAMES = [
  'DrainNode',
  'DrainNodePool',
  'RestoreDatabase',
  'rotate-key',
  'Backup 2',
  'ÜberwachungStarten',
  '再起動',
];

/** The names that fit, best first. */
const found = (query: string): readonly string[] =>
  NAMES.flatMap((name) => {
    const score = fuzzyScore(query, name);
    return score === null ? [] : [{ name, score }];
  })
    .toSorted((a, b) => b.score - a.score)
    .map(({ name }) => name);

describe('fuzzyScore', () => {
  it.each([
    ['the whole name', 'drainnode', ['DrainNode', 'DrainNodePool']],
    ['its beginning, the shorter name first', 'dra', ['DrainNode', 'DrainNodePool']],
    ['the beginning of a word', 'node', ['DrainNode', 'DrainNodePool']],
    ['the beginning of a word behind a mark', 'key', ['rotate-key']],
    ['a part', 'ainno', ['DrainNode', 'DrainNodePool']],
    ['first letters of words', 'dnp', ['DrainNodePool']],
    ['letters in order', 'rstdb', ['RestoreDatabase']],
    ['letters in order, but none of them begins a word', 'tdb', []],
    ['one typo', 'drian', ['DrainNode', 'DrainNodePool']],
    ['two typos in a long word', 'restorrDatabsae', ['RestoreDatabase']],
    ['a typo in a short word is another word', 'kez', []],
    ['a number', '2', ['Backup 2']],
    ['letters of another language', 'überwachungs', ['ÜberwachungStarten']],
    ['characters', '再起', ['再起動']],
    ['something else', 'xyz', []],
  ])('%s: %j', (_, query, expected) => {
    expect(found(query)).toEqual(expected);
  });

  it('a way to fit is worth more than every lesser one, however long the name', () => {
    const long = 'x'.repeat(500);
    const ways = ['abc', `abc${long}`, `${long}-abc`, `${long}abc${long}`, `a${long}b${long}c`, `${long}-abcz`];
    const scores = ways.map((name) => fuzzyScore('abc', name) ?? -1);
    expect(scores.slice(0, 5)).toEqual(scores.slice(0, 5).toSorted((a, b) => b - a));
    expect(new Set(scores.slice(0, 5)).size).toBe(5);
  });

  it('nothing fits everything, and every name fits itself best', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (name, other) => {
        expect(fuzzyScore('', name)).toBe(0);
        const own = fuzzyScore(name, name);
        expect(own).not.toBeNull();
        expect(fuzzyScore(name, other) ?? 0).toBeLessThanOrEqual(own ?? 0);
      }),
      tries(500, 20_000),
    );
  });
});
