import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { foldCase, LineSearch } from '../../../src/core/text-search.ts';
import { times, tries } from '../../helpers/property.ts';

function linesOf(text: string, pieces: readonly string[], most = 99): readonly string[] {
  const search = new LineSearch(text, most);
  for (const piece of pieces) search.push(piece);
  search.end();
  return search.lines;
}

/** From here on no letter has a case, so that some will do. */
const BEYOND_CASE = 0x2_0000;

describe('text without its case', () => {
  test('is the same wherever a character stands, and gets no shorter, for every character there is', () => {
    const wrong: string[] = [];
    for (let point = 0; point <= 0x10_ffff; point += point < BEYOND_CASE ? 1 : times(13, 1)) {
      if (point >= 0xd800 && point <= 0xdfff) continue;
      const character = String.fromCodePoint(point);
      const folded = foldCase(character);
      const isFine =
        folded.length >= character.length &&
        foldCase(folded) === folded &&
        foldCase(character.toLowerCase()) === folded &&
        foldCase(character.toUpperCase()) === folded &&
        foldCase(`aΣ${character}b`) === `aσ${folded}b` &&
        foldCase(`${character}Σ`) === `${folded}σ` &&
        foldCase(`σ${character}`) === `σ${folded}`;
      if (!isFine) wrong.push(point.toString(16));
    }
    expect(wrong).toEqual([]);
  });

  test('of a part is part of the text without its case', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (a, b) => {
        expect(foldCase(a + b)).toBe(foldCase(a) + foldCase(b));
      }),
      tries(2000, 100_000),
    );
  });
});

describe('lines that hold a text', () => {
  test.each([
    ['a part of a line', 'rror', ['one\nan Error here \nthree\n'], ['an Error here']],
    ['each line once', 'ab', ['abab ab\nx\nab\n'], ['abab ab', 'ab']],
    ['no more than are wanted', 'x', ['x1\nx2\nx3\n'], ['x1', 'x2']],
    ['over pieces', 'needle', ['a nee', 'd', 'le', '.\n'], ['a needle.']],
    ['over a line feed', 'a\nb', ['xa\nby\n'], ['xa']],
    ['lines of a progress bar', '50 %', ['10 %\r50 %\r90 %\n'], ['50 %']],
    ['with a letter that grows', 'STRASSE', ['İİİ Hauptstraße 1\n'], ['İİİ Hauptstraße 1']],
    ['a sigma at the end', 'ΟΔΟΣ', ['η οδος\n'], ['η οδος']],
    ['half of a letter', 'fi x', ['ﬃ x\n'], ['ﬃ x']],
    ['emoji', 'b😀', ['a😀B😀c\n'], ['a😀B😀c']],
    ['none', 'nothing', ['some\nlines\n'], []],
  ])('%s', (_, text, pieces, lines) => {
    expect(linesOf(text, pieces, 2)).toEqual(lines);
  });

  test('a long line is cut around its first place, the same however it came', () => {
    const line = `${'<'.repeat(300)}needle${'>'.repeat(40_000)}needle${'>'.repeat(300)}`;
    const shown = [`…${'<'.repeat(60)}needle${'>'.repeat(134)}…`, 'needle'];
    expect(linesOf('NEEDLE', [`${line}\nneedle\n`])).toEqual(shown);
    expect(linesOf('NEEDLE', Array.from(`${line}\nneedle\n`))).toEqual(shown);
  });

  test('each of many lines once and whole, wherever what has come ends', () => {
    const lines = Array.from({ length: 4000 }, (_, n) => `${n} needle ${'y'.repeat(n % 50)}`);
    const text = lines.map((line) => `${line}${'\n'.repeat(40)}`).join('');
    const pieces = Array.from({ length: Math.ceil(text.length / 7) }, (_, n) => text.slice(n * 7, n * 7 + 7));
    expect(linesOf('NEEDLE', pieces, 9999)).toEqual(lines.map((line) => line.trim()));
  });

  test('what is missing in between keeps its ends apart', () => {
    const search = new LineSearch('needle', 9);
    search.push('need');
    search.end();
    search.push('le\n');
    search.end();
    expect(search.lines).toEqual([]);
  });

  /** Pieces longer than a batch in between, so that windows move. */
  const piece = fc.oneof(
    { weight: 8, arbitrary: fc.string({ unit: fc.constantFrom('a', 'B', 'ß', 's', 'İ', 'σ', 'ς', '😀', '\n', ' ') }) },
    { weight: 1, arbitrary: fc.constantFrom('x'.repeat(20_000), 'ab\n'.repeat(9000), 'ß'.repeat(17_000)) },
  );

  test('are there when the whole text has it, and only then', () => {
    let found = 0;
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 8 }),
        fc.string({ unit: fc.constantFrom('A', 'b', 'SS', 's', 'i', 'Σ', '😀', '\n'), minLength: 1, maxLength: 4 }),
        (pieces, text) => {
          const isThere = foldCase(pieces.join('')).includes(foldCase(text));
          found += Number(isThere);
          expect(linesOf(text, pieces, 1)).toHaveLength(Number(isThere));
        },
      ),
      tries(1000, 20_000),
    );
    expect(found).toBeGreaterThan(100);
  });

  test('are each of the lines that have it, however they came', () => {
    const line = fc.string({ unit: fc.constantFrom('a', 'B', 'ß', 'x', '😀', ' '), maxLength: 30 });
    fc.assert(
      fc.property(fc.array(line, { maxLength: 30 }), fc.integer({ min: 1, max: 9 }), (lines, size) => {
        const all = lines.map((text) => `${text}\n`).join('');
        const characters = Array.from(all);
        const pieces = Array.from({ length: Math.ceil(characters.length / size) }, (_, n) =>
          characters.slice(n * size, n * size + size).join(''),
        );
        const expected = lines.filter((text) => foldCase(text).includes('ab')).map((text) => text.trim());
        expect(linesOf('AB', pieces)).toEqual(expected);
      }),
      tries(500, 20_000),
    );
  });
});
