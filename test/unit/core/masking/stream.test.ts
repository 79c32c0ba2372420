/** The automata and the stream by themselves, over few letters, where everything overlaps. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HEX, PLAIN } from '../../../../src/core/masking/alphabet.ts';
import type { Alphabet } from '../../../../src/core/masking/alphabet.ts';
import { Automaton } from '../../../../src/core/masking/automaton.ts';
import { Filter } from '../../../../src/core/masking/filter.ts';
import { AutomataStream } from '../../../../src/core/masking/stream.ts';
import { tries } from '../../../helpers/property.ts';

const pattern = fc
  .array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 9 })
  .map((letters) => letters.join(''));
const patterns = fc.array(pattern, { minLength: 1, maxLength: 6 });
const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 10 });
const text = fc
  .array(fc.constantFrom('a', 'a', 'b', 'b', 'c', 'x'), { maxLength: 60 })
  .map((letters) => letters.join(''));
const lines = fc
  .array(fc.constantFrom('a', 'a', 'b', 'b', 'c', 'C', 'x', '\n', '\n', '\r\n'), { maxLength: 60 })
  .map((letters) => letters.join(''));

const none = new Automaton([], PLAIN);

function streamOf(words: readonly string[], alphabet: Alphabet, filtered = false): AutomataStream {
  const all = words.map((word) => Buffer.from(word));
  const automaton = new Automaton(all, alphabet);
  const filter = filtered ? Filter.of([[all, alphabet]], 3) : null;
  expect(filter !== null).toBe(filtered);
  const automata = {
    plain: alphabet === PLAIN ? automaton : none,
    base64: none,
    hex: alphabet === PLAIN ? none : automaton,
    filter: () => filter,
  };
  return new AutomataStream(() => automata, 0);
}

/** @returns what comes out; `sizes` is gone through again and again */
function through(stream: AutomataStream, document: string, chunkSizes: readonly number[]): string {
  const out: Buffer[] = [];
  for (let at = 0, turn = 0; at < document.length; turn += 1) {
    const size = chunkSizes[turn % chunkSizes.length] ?? 1;
    out.push(Buffer.from(stream.write(Buffer.from(document.slice(at, at + size)))));
    at += size;
  }
  return Buffer.concat([...out, stream.end()]).toString();
}

/** Every occurrence is looked for at every place; those that overlap or touch are one. */
function naive(words: readonly string[], document: string): string {
  const covered = Array.from(document, () => false);
  for (const word of words) {
    for (let at = document.indexOf(word); at !== -1; at = document.indexOf(word, at + 1))
      covered.fill(true, at, at + word.length);
  }
  return Array.from(document, (letter, at) => (!covered[at] ? letter : covered[at - 1] === true ? '' : '***')).join('');
}

describe('with a filter', () => {
  const longer = fc.array(
    fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 4, maxLength: 12 }).map((letters) => letters.join('')),
    { minLength: 1, maxLength: 4 },
  );
  const words = (...others: readonly string[]) =>
    fc
      .array(fc.constantFrom('abcdabcd', 'dcba', 'aaaa', 'xxxxxxxxx', 'cdxabxc', ...others), { maxLength: 12 })
      .map((parts) => parts.join(''));
  /** A text that holds what is looked for as well. */
  const cases = longer.chain((patternsOf) => fc.tuple(fc.constant(patternsOf), words(...patternsOf, ...patternsOf)));

  test('the stream finds what a search at every place finds, however the text is cut', () => {
    fc.assert(
      fc.property(cases, sizes, ([found, document], chunkSizes) => {
        expect(through(streamOf(found, PLAIN, true), document, chunkSizes)).toBe(naive(found, document));
      }),
      tries(3000, 300_000),
    );
  });

  test('… over line ends as without one, but for letters that are let go before them', () => {
    const wrapped = cases.chain(([found, document]) =>
      fc.tuple(
        fc.constant(found),
        fc
          .array(fc.constantFrom('', '', '', '\n', '\r\n'), { minLength: document.length, maxLength: document.length })
          .map((ends) => Array.from(document, (letter, at) => letter + (ends[at] ?? '')).join('')),
      ),
    );
    fc.assert(
      fc.property(wrapped, sizes, ([found, document], chunkSizes) => {
        const [filtered, plain] = [true, false].map((isFiltered) =>
          through(streamOf(found, HEX, isFiltered), document, chunkSizes)
            .replaceAll(/[\r\n]/g, '')
            .replaceAll(/[a-d]{0,2}\*+[a-d]{0,2}/g, '*'),
        );
        expect(filtered).toBe(plain);
      }),
      tries(3000, 300_000),
    );
  });
});

describe('the stream', () => {
  test('finds what a search at every place finds, however the text is cut', () => {
    fc.assert(
      fc.property(patterns, text, sizes, (words, document, chunkSizes) => {
        expect(through(streamOf(words, PLAIN), document, chunkSizes)).toBe(naive(words, document));
      }),
      tries(5000, 1_000_000),
    );
  });

  test('gives the same over line ends, however the text is cut', () => {
    fc.assert(
      fc.property(patterns, lines, sizes, (words, document, chunkSizes) => {
        const stream = streamOf(words, HEX);
        expect(through(stream, document, chunkSizes)).toBe(through(stream, document, [1000]));
      }),
      tries(5000, 1_000_000),
    );
  });

  test('finds over line ends what is there without them, but for two letters', () => {
    const long = fc
      .array(fc.constantFrom('a', 'b', 'c'), { minLength: 4, maxLength: 12 })
      .map((letters) => letters.join(''));
    const ends = fc.array(fc.constantFrom('', '', '', '\n', '\r\n'), { minLength: 12, maxLength: 12 });
    fc.assert(
      fc.property(long, ends, sizes, (word, between, chunkSizes) => {
        const wrapped = Array.from(word, (letter, index) => (index === 0 ? letter : `${between[index]}${letter}`)).join(
          '',
        );
        expect(through(streamOf([word], HEX), `x${wrapped.toUpperCase()}x`, chunkSizes)).toMatch(
          /^x(?:[ABC]{0,2}\r?\n|[ABC]\r?\n[ABC]\r?\n)?\*{3}x$/,
        );
      }),
      tries(5000, 500_000),
    );
  });

  test('passes over one line end, not over an empty line', () => {
    const word = 'abcdef';
    expect(through(streamOf([word], HEX), 'abc\r\ndef', [1])).toBe('***');
    expect(through(streamOf([word], HEX), 'abc\n\ndef', [1])).toBe('***');
    expect(through(streamOf([word], HEX), 'abc\r\n\r\ndef', [1])).toBe('abc\r\n\r\ndef');
    expect(through(streamOf([word], PLAIN), 'abc\ndef', [1])).toBe('abc\ndef');
  });

  test.each([
    ['the longest pattern', PLAIN, 'a', 1],
    ['three times the longest pattern, where line ends are passed over', HEX, 'a\r\n', 3],
  ])('never holds back more than %s', (_, alphabet, unit, factor) => {
    const word = `${'a'.repeat(199)}b`;
    const stream = streamOf([word, 'aab'], alphabet);
    let written = 0;
    let released = 0;
    let most = 0;
    for (let count = 0; count < 5000; count += 1) {
      const chunk = Buffer.from(unit);
      written += chunk.length;
      released += stream.write(chunk).length;
      most = Math.max(most, written - released);
    }
    expect(most).toBeLessThanOrEqual(factor * word.length);
    expect(most).toBeGreaterThan((factor * word.length) / 2);
    expect(released + stream.end().length).toBe(written);
  });

  test('masks a union that never ends without keeping it', () => {
    const stream = streamOf(['abab'], PLAIN);
    let released = '';
    for (let count = 0; count < 10_000; count += 1) released += stream.write(Buffer.from('ab')).toString();
    expect(released + stream.end().toString()).toBe('***');
  });
});
