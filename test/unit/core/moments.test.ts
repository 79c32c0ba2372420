import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parsePeriod } from '../../../src/core/moments.ts';
import { tries } from '../../helpers/property.ts';

const NOW = new Date('2026-03-15T12:00:00.000Z');

const period = (text: string): readonly string[] | null => {
  const found = parsePeriod(text, NOW);
  return found === null ? null : [found.from.toISOString(), found.to.toISOString()];
};

describe('moments as people name them', () => {
  test.each([
    ['2026-03-01', '2026-03-01T00:00:00.000Z', '2026-03-02T00:00:00.000Z'],
    ['2024-02-29', '2024-02-29T00:00:00.000Z', '2024-03-01T00:00:00.000Z'],
    ['2026-12-31', '2026-12-31T00:00:00.000Z', '2027-01-01T00:00:00.000Z'],
    ['2026-03', '2026-03-01T00:00:00.000Z', '2026-04-01T00:00:00.000Z'],
    ['2026-12', '2026-12-01T00:00:00.000Z', '2027-01-01T00:00:00.000Z'],
    ['0099-01', '0099-01-01T00:00:00.000Z', '0099-02-01T00:00:00.000Z'],
  ])('%s is the whole of it', (text, from, to) => {
    expect(period(text)).toEqual([from, to]);
  });

  test.each([
    ['2026-03-01T14:30', '2026-03-01T14:30:00.000Z'],
    ['2026-03-01 14:30', '2026-03-01T14:30:00.000Z'],
    ['2026-03-01T14:30:05', '2026-03-01T14:30:05.000Z'],
    ['2026-03-01T14:30:05.1Z', '2026-03-01T14:30:05.100Z'],
    ['2026-03-01T14:30+01:00', '2026-03-01T13:30:00.000Z'],
    ['2026-03-01T00:30:00.123-05:30', '2026-03-01T06:00:00.123Z'],
    ['7d', '2026-03-08T12:00:00.000Z'],
    ['24h', '2026-03-14T12:00:00.000Z'],
    ['1w2d3h4m5s', '2026-03-06T08:55:55.000Z'],
    ['0s', '2026-03-15T12:00:00.000Z'],
  ])('%s is a moment', (text, at) => {
    expect(period(text)).toEqual([at, at]);
  });

  test.each([
    '',
    ' ',
    '7',
    'd',
    '7 d',
    '-7d',
    '1.5h',
    '2h1d',
    'yesterday',
    '2026',
    '2026-3-1',
    '2026-02-30',
    '2026-13-01',
    '2026-00',
    '2026-03-00',
    '2025-02-29',
    '2026-02-30T10:00',
    '2026-03-01T24:30',
    '2026-03-01T10:60',
    '2026-03-01T10',
    '2026-03-01T10:00+25:00',
    '2026-03-01T10:00 CET',
    '01.03.2026',
    '9999-12-31',
    '9999w99999d999999h99999999m999999999s'.repeat(2),
  ])('“%s” is none', (text) => {
    expect(period(text)).toBeNull();
  });

  test('whatever is written, an answer can be compared as text, and a day contains its moments', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[0-9TZwdhms :.+-]{0,20}$/), (text) => {
        for (const at of period(text) ?? []) expect(at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      }),
      tries(2000, 50_000),
    );
    fc.assert(
      fc.property(
        fc.date({ min: new Date('0001-01-01'), max: new Date('9999-11-30'), noInvalidDate: true }),
        (date) => {
          const at = date.toISOString();
          expect(period(at)).toEqual([at, at]);
          for (const text of [at.slice(0, 10), at.slice(0, 7)]) {
            const [from = '', to = ''] = period(text) ?? [];
            expect(from <= at && at < to).toBe(true);
          }
        },
      ),
      tries(500, 20_000),
    );
  });
});
