import { expect, test } from 'vitest';
import { MAX_DURATION_MS, parseDuration, parseSize } from '../../../src/core/units.ts';

test.each([
  ['1s', 1_000],
  ['90s', 90_000],
  ['10m', 600_000],
  ['1h30m', 5_400_000],
  ['1h0m1s', 3_601_000],
  ['576h', MAX_DURATION_MS],
])('%s is a duration', (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});

test.each([
  '',
  '0s',
  '0h0m',
  '600',
  '1.5h',
  '1d',
  '30m1h',
  '1h 30m',
  '-1s',
  '1S',
  '1m1m',
  '577h',
  '9999999999s',
  '1s\n',
  '١s',
])('%j is no duration', (text) => {
  expect(parseDuration(text)).toBeNull();
});

test.each([
  ['1KiB', 1024],
  ['10MiB', 10_485_760],
  ['2GiB', 2_147_483_648],
])('%s is a size', (text, bytes) => {
  expect(parseSize(text)).toBe(bytes);
});

test.each(['', '0KiB', '10', '10B', '10MB', '10M', '10mib', '1.5MiB', '10 MiB', '999999999TiB', '-1KiB'])(
  '%j is no size',
  (text) => {
    expect(parseSize(text)).toBeNull();
  },
);
