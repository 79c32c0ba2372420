import { describe, expect, it } from 'vitest';
import { didYouMean, isNear, nearestFew } from '../../../src/core/spelling.ts';

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

describe('nearestFew', () => {
  const known = ['DrainNode', 'RotateKey', 'Drain', 'Backup', 'DrainNodes', 'DrainMode'];
  it.each([
    ['DrainNod', ['DrainNode', 'DrainNodes', 'DrainMode']],
    ['drain', ['Drain']],
    ['RotatKeys', ['RotateKey']],
    ['Rotate', ['RotateKey']],
    ['BackupNow', ['Backup']],
    ['Ba', []],
    ['Restore', []],
    ['', []],
  ])('of %j are %j', (name, expected) => {
    expect(nearestFew(name, known)).toEqual(expected);
  });

  it('never offers more than three, each once', () => {
    expect(nearestFew('step', ['step1', 'step2', 'step3', 'step4', 'step1'])).toEqual(['step1', 'step2', 'step3']);
  });

  it('offers nothing that has hardly a letter of what was written', () => {
    expect(nearestFew('ab', ['x', 'yz'])).toEqual([]);
  });
});

describe('didYouMean', () => {
  it.each([
    ['Drain', ['Drian'], 'Did you mean “Drian”?'],
    ['Drain', ['Drains', 'Train'], 'Did you mean “Drains” or “Train”?'],
    ['Drain', ['Drains', 'Train', 'Brain'], 'Did you mean “Drains”, “Train” or “Brain”?'],
    ['Drain', ['Other'], null],
  ])('%j among %j', (name, known, expected) => {
    expect(didYouMean(name, known)).toBe(expected);
  });
});
