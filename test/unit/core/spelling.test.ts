import { describe, expect, it } from 'vitest';
import { isNear, nearest } from '../../../src/core/spelling.ts';

describe('isNear', () => {
  it.each([
    ['claims', 'claims', 0],
    ['claims', 'claim', 1],
    ['claims', 'cliams', 1],
    ['claims', 'xlaims', 1],
    ['claims', 'clms', 2],
    ['', 'ab', 2],
  ])('%j and %j are %i edits apart', (a, b, edits) => {
    expect(isNear(a, b, edits)).toBe(true);
    expect(isNear(b, a, edits)).toBe(true);
    if (edits > 0) expect(isNear(a, b, edits - 1)).toBe(false);
  });
});

describe('nearest', () => {
  const known = ['DrainNode', 'RotateKey', 'Drain'];
  it.each([
    ['DrainNod', 'DrainNode'],
    ['drain', 'Drain'],
    ['RotatKeys', 'RotateKey'],
    ['Backup', null],
    ['', null],
  ])('of %j is %j', (name, expected) => {
    expect(nearest(name, known)).toBe(expected);
  });
});
