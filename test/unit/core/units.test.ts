import { describe, expect, it } from 'vitest';
import {
  formatBytes,
  formatDuration,
  formatSize,
  parseAge,
  parseDuration,
  parseSize,
} from '../../../src/core/units.ts';

describe('durations', () => {
  it.each([
    ['90s', 90_000],
    ['10m', 600_000],
    ['1h30m', 5_400_000],
    ['1h2m3s', 3_723_000],
  ])('%s is %i ms', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });
  it.each(['90', '', '0s', '1m1h', '-1s', '1.5h', ' 1s', '1S', '600h', '99999999999s'])('%j is refused', (text) => {
    expect(parseDuration(text)).toBeNull();
  });
  it.each([
    [0, '0ms'],
    [250, '250ms'],
    [1234, '1.2s'],
    [5000, '5s'],
    [90_000, '1m30s'],
    [5_400_000, '1h30m'],
    [90_061_000, '1d1h1m1s'],
  ])('%i ms is shown as %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });
});

describe('ages', () => {
  it.each([
    ['90d', 7_776_000_000],
    ['1d12h', 129_600_000],
    ['3650d', 315_360_000_000],
    ['12h', 43_200_000],
    ['90s', 90_000],
  ])('%s is %i ms', (text, ms) => {
    expect(parseAge(text)).toBe(ms);
  });
  it.each(['', '0d', '90', 'd', '1d1d', '1h1d', '-1d', '1.5d', '1000000d', '1d0s'])('%j is refused', (text) => {
    expect(parseAge(text)).toBeNull();
  });
});

describe('sizes', () => {
  it.each([
    ['512KiB', 524_288],
    ['10MiB', 10_485_760],
    ['1GiB', 1_073_741_824],
  ])('%s is %i bytes', (text, bytes) => {
    expect(parseSize(text)).toBe(bytes);
  });
  it.each(['10', '10MB', '0KiB', '1.5MiB', '', '10 MiB'])('%j is refused', (text) => {
    expect(parseSize(text)).toBeNull();
  });
  it.each([
    [1000, '1000 B'],
    [512 * 1024, '512KiB'],
    [1536 * 1024, '1536KiB'],
    [5 * 1024 ** 3, '5GiB'],
  ])('%i bytes are written as %s', (bytes, text) => {
    expect(formatSize(bytes)).toBe(text);
    expect(parseSize(text)).toBe(text.endsWith('B') && !text.endsWith('iB') ? null : bytes);
  });
  it.each([
    [17, '17 B'],
    [1536, '1.5 KiB'],
    [10_485_760, '10.0 MiB'],
  ])('%i bytes are shown as %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });
});
