import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fitWidth, padWidth, widthOf } from '../../../src/core/width.ts';
import { tries } from '../../helpers/property.ts';

const JOINED = String.fromCodePoint(0x1f469, 0x200d, 0x1f680);
const HEART = String.fromCodePoint(0x2764, 0xfe0f);
const ACCENT = `e${String.fromCodePoint(0x301)}`;

describe('widthOf', () => {
  it.each([
    ['', 0],
    ['plain', 5],
    ['naïve – “x”…', 12],
    ['再起動', 6],
    ['ｆｕｌｌ', 8],
    ['한국', 4],
    ['🙂', 2],
    [JOINED, 2],
    [HEART, 2],
    [ACCENT, 1],
  ])('%j takes %i columns', (text, columns) => {
    expect(widthOf(text)).toBe(columns);
  });
});

describe('fitWidth', () => {
  it.each([
    ['short', 5, 'short'],
    ['longer', 5, 'long…'],
    ['two words', 5, 'two…'],
    ['再起動', 6, '再起動'],
    ['再起動', 5, '再起…'],
    ['再起動', 4, '再…'],
    [`a${JOINED}b`, 3, 'a…'],
    [`${ACCENT}${ACCENT}${ACCENT}`, 2, `${ACCENT}…`],
    ['x', 0, ''],
  ])('%j in %i columns', (text, columns, expected) => {
    expect(fitWidth(text, columns)).toBe(expected);
  });

  it('never takes more than there is, and pads to exactly that', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.nat({ max: 20 }), (text, columns) => {
        const fitted = fitWidth(text, columns);
        expect(widthOf(fitted)).toBeLessThanOrEqual(columns);
        expect(widthOf(padWidth(fitted, columns))).toBe(columns);
      }),
      tries(500, 20_000),
    );
  });
});
