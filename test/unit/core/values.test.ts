import { describe, expect, test } from 'vitest';
import { checkValue, hasControlCharacter, MAX_VALUE_BYTES } from '../../../src/core/values.ts';

const text = { name: 'A', type: 'text' } as const;

describe('a value of any type', () => {
  test.each(['', 'a', 'a\tb\r\nc', 'ü', '\u{1f600}', '\u00a0', 'x'.repeat(MAX_VALUE_BYTES)])(
    'is good (%#)',
    (value) => {
      expect(checkValue(text, value)).toBeNull();
    },
  );

  test.each([
    '\0',
    'a\u0001',
    '\u001b[1m',
    '\u000b',
    '\ud800',
    'x'.repeat(MAX_VALUE_BYTES + 1),
    'ü'.repeat(MAX_VALUE_BYTES / 2 + 1),
  ])('is refused in one sentence that does not hold it (%#)', (value) => {
    const answer = checkValue(text, value);
    expect(answer).toMatch(/^A [^\n]*\.$/);
    expect(answer?.length).toBeLessThan(100);
  });
});

describe('types', () => {
  test.each([
    ['integer', '0', true],
    ['integer', '-42', true],
    ['integer', '', false],
    ['integer', '1.0', false],
    ['integer', '1e3', false],
    ['integer', '٣', false],
    ['integer', '1\n', false],
    ['boolean', 'true', true],
    ['boolean', 'false', true],
    ['boolean', 'True', false],
    ['boolean', 'yes', false],
    ['duration', '1h30m', true],
    ['duration', '90', false],
  ] as const)('%s %j: %s', (type, value, good) => {
    expect(checkValue({ name: 'A', type }, value) === null).toBe(good);
  });
});

test('choices', () => {
  const requirement = { ...text, choices: ['a', 'b c'] };
  expect(checkValue(requirement, 'b c')).toBeNull();
  expect(checkValue(requirement, 'A')).toBe('A must be one of: a, b c.');
});

describe('patterns', () => {
  test.each([
    ['[a-z]+', 'abc', true],
    ['[a-z]+', 'abc1', false],
    ['[a-z]+', 'abc\n', false],
    ['^[a-z]+$', 'abc', true],
    ['a|b', 'ab', false],
    ['(', 'a', false],
    ['a*', 'a'.repeat(1024), true],
    ['a*', 'a'.repeat(1025), false],
    ['a*', 'a'.repeat(5000), false],
  ])('%s %s: %s', (pattern, value, good) => {
    expect(checkValue({ ...text, pattern }, value) === null).toBe(good);
  });
});

test('control characters are C0 without tab and line breaks, DEL and C1', () => {
  const found = Array.from({ length: 256 }, (_, code) => code).filter((code) =>
    hasControlCharacter(String.fromCharCode(code)),
  );
  expect(found).toEqual([
    ...Array.from({ length: 32 }, (_, code) => code).filter((code) => ![9, 10, 13].includes(code)),
    ...Array.from({ length: 33 }, (_, index) => 0x7f + index),
  ]);
});
