import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compilePattern, MAX_MATCHED_LENGTH } from '../../../src/core/pattern.ts';
import { tries } from '../../helpers/property.ts';

/** A long run takes minutes; only a hang takes an hour. */
const HANG_MS = 3_600_000;

function matches(source: string, value: string): boolean {
  const compiled = compilePattern(source);
  if (!compiled.ok) throw new Error(`${source}: ${compiled.reason}`);
  return compiled.pattern.matches(value);
}

/** The platform's own answer; the values are short, so that backtracking cannot hurt. */
function native(source: string, value: string): boolean {
  return new RegExp(`^(?:${source})$`, 'u').test(value);
}

const atom = fc.constantFrom(
  'a',
  'b',
  'ä',
  '😀',
  '.',
  '\\d',
  '\\w',
  '[ab]',
  '[^a]',
  '[a-c\\]]',
  '\\u{1F600}',
  '\\uD83D\\uDE00',
  '\\u0061',
  '\\x62',
  '\\p{L}',
  '\\.',
  '^',
  '$',
  '\\n',
  '\\cJ',
  '[\\b]',
);
const quantifier = fc.constantFrom('', '', '', '*', '+', '?', '*?', '{2}', '{0,2}', '{1,}', '{0}');
const simple = fc.tuple(atom, quantifier).map(([a, q]) => (a === '^' || a === '$' ? a : a + q));

/** Repetitions lie at most three deep: with more of them the platform may take a minute even for a short value. */
function expressionOf(depth: number): fc.Arbitrary<string> {
  const piece = depth === 0 ? simple : fc.oneof(simple, groupOf(expressionOf(depth - 1)));
  return fc.oneof(
    fc.array(piece, { maxLength: 4 }).map((pieces) => pieces.join('')),
    fc.tuple(piece, piece).map(([a, b]) => `${a}|${b}`),
  );
}

function groupOf(inner: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc
    .tuple(fc.constantFrom('(', '(?:', '(?<n>'), inner, quantifier)
    .map(([open, expression, q]) => `${open}${expression})${q}`);
}

const expression = expressionOf(2);
const value = fc
  .array(fc.constantFrom('a', 'b', 'c', '1', 'ä', '😀', '.', ']', '\n', '\b'), { maxLength: 5 })
  .map((characters) => characters.join(''));

test('agrees with the platform', { timeout: HANG_MS }, () => {
  let [compared, matched] = [0, 0];
  fc.assert(
    fc.property(expression, value, (source, text) => {
      try {
        void new RegExp(source, 'u');
      } catch {
        // Two groups of one name.
        return;
      }
      const ours = matches(source, text);
      expect(ours).toBe(native(source, text));
      compared += 1;
      if (ours) matched += 1;
    }),
    tries(7000, 1_000_000),
  );
  expect(compared).toBeGreaterThan(3500);
  expect(matched).toBeGreaterThan(150);
});

describe('refused', () => {
  test.each([
    '(',
    '[',
    '*',
    'a{2',
    '\\',
    '(?=a)',
    '(?!a)',
    '(?<=a)',
    '(?<!a)',
    '(?i:a)',
    '(a)\\1',
    '(?<n>a)\\k<n>',
    '\\b',
    'a\\B',
    'a{1001}',
    '(a{500}){500}',
    'a'.repeat(513),
  ])('%s', (source) => {
    const compiled = compilePattern(source);
    expect(compiled.ok).toBe(false);
    expect('reason' in compiled ? compiled.reason : '').toMatch(/^It [^\n]*\.$/);
  });
});

test('the time cannot explode', () => {
  const text = `${'a'.repeat(MAX_MATCHED_LENGTH - 1)}!`;
  for (const source of [
    '(a+)+',
    '(a|a)*',
    '(a*)*b',
    '(a|aa)+',
    'a*a*a*a*a*a*a*a*b',
    '(.*)*x',
    '((a?){30}){30}',
    '(\\w+\\s?)*',
  ]) {
    expect(matches(source, text)).toBe(false);
  }
});

test('never throws', { timeout: HANG_MS }, () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom(...'ab(){}[]|*+?\\^$.,0123:<>=!kpuxd-'.split('')), maxLength: 20 }),
      (source) => {
        const compiled = compilePattern(source);
        expect(compiled.ok ? compiled.pattern.matches('ab1') : compiled.reason).toBeDefined();
      },
    ),
    tries(7000, 1_000_000),
  );
});
