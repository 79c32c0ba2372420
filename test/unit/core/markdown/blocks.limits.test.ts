/** Inputs that nobody writes: the scanner neither throws nor does more work than their length allows. */

import { assert, integer, oneof, property, string, tuple, uint8Array } from 'fast-check';
import { expect, it } from 'vitest';

import { structureOf } from './structure.ts';
import { fragileLines } from '../../../helpers/fragile-lines.ts';
import { markdown } from './document.arbitrary.ts';
import { isLong, times } from '../../../helpers/property.ts';

const INPUTS = times(2000, 200_000);
const SEED = isLong ? Date.now() % 2 ** 31 : 1;
const MAX_LENGTH = 65_536;
/** At this length, work that grows with the square takes a minute; linear work takes milliseconds. */
const LENGTH = times(250_000, 500_000);
const HANG_GUARD_MS = 15_000;

it(`takes any of ${INPUTS} texts of up to 64 KiB`, () => {
  const piece = oneof(
    uint8Array({ minLength: 1, maxLength: 200 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
    uint8Array({ minLength: 1, maxLength: 200 }).map((bytes) => Buffer.from(bytes).toString('utf8')),
    string({ unit: 'binary', minLength: 1 }),
    markdown,
  );
  // Most texts are short, so that many shapes are tried; one in 50 is repeated up to the full length.
  const text = tuple(piece, piece, integer({ min: 0, max: 49 })).map(([first, second, repeat]) => {
    const both = first + second;
    return repeat === 0 ? both.repeat(Math.ceil(MAX_LENGTH / (both.length + 1))).slice(0, MAX_LENGTH) : both;
  });
  let found = 0;
  const check = (input: string): void => {
    const blocks = structureOf(input);
    const lines = input.split('\n').length;
    const first = blocks.map(({ line }) => line);
    expect(first).toEqual(first.toSorted((a, b) => a - b));
    expect(blocks.every(({ line, column }) => line >= 1 && line <= lines && column >= 1)).toBe(true);
    fragileLines(input, blocks);
    found += blocks.length;
  };
  assert(property(text, check), { seed: SEED, numRuns: INPUTS });
  expect(found).toBeGreaterThan(INPUTS / 2);
});

const repeated = [
  [
    '#',
    ' ',
    '`',
    '>',
    '- ',
    '<',
    '[',
    '\t',
    '~',
    '*',
    '1.',
    '=',
    '\\',
    '"',
    '(',
    ')',
    '_',
    '-',
    '!',
    '\u2028',
    '\ud800',
  ],
  [
    '> ',
    '1. ',
    '- - ',
    '* - 1. ',
    '>\t',
    '-\t',
    '</',
    '<a ',
    '<a b=',
    "<a b='",
    '<!--',
    '<!-- --',
    '[a]: ',
    '[a](',
    '\\]',
  ],
].flat();
const lines = [
  [
    '#',
    '```',
    '~~~ x',
    '> a',
    '>',
    '- a',
    '-',
    '  - a',
    '1. a',
    '===',
    '---',
    '[a]: /u',
    '[a]:',
    '[a',
    "[a]: /u '",
    '"',
  ],
  [
    '<div',
    '<!--',
    '-->',
    '<b>',
    '<b',
    '</pre>',
    'a\n\n',
    '\t',
    '     a',
    '[a]: /u\n===',
    '> [a]: /u\n> ===',
    '> > > > > a\n',
  ],
].flat();
const ADVERSARIAL: readonly (readonly [string, (length: number) => string])[] = [
  ...repeated.map((unit) => [JSON.stringify(unit), (length: number) => unit.repeat(length / unit.length)] as const),
  ...repeated.map(
    (unit) =>
      [`a line, ${JSON.stringify(unit)}`, (length: number) => `a\n${unit.repeat(length / unit.length)}\n===`] as const,
  ),
  ...lines.map(
    (line) =>
      [`lines of ${JSON.stringify(line)}`, (length: number) => `${line}\n`.repeat(length / line.length)] as const,
  ),
  ['a deep quote and blank lines', (length) => `${'> '.repeat(64)}a\n${'\n'.repeat(length)}`],
  ['a deep list and blank lines', (length) => `${'- '.repeat(64)}a\n${'\n'.repeat(length)}`],
  ['a deep list and its lines', (length) => `${'- '.repeat(64)}a\n`.repeat(length / 128)],
  ['definitions with a title left open', (length) => `${"[a]: /u\n'".repeat(length / 10)}\n===`],
  ['attributes', (length) => `<a${' b=c'.repeat(length / 4)}`],
  ['attributes and white space', (length) => `<a${' b   '.repeat(length / 4)}=`],
];

it.each(ADVERSARIAL)('is linear in the length of %s', { timeout: HANG_GUARD_MS }, (_name, make) => {
  const text = make(LENGTH);
  const blocks = structureOf(text);
  fragileLines(text, blocks);
  expect(blocks.length).toBeLessThanOrEqual(LENGTH + 1);
});

it.each(['> ', '>', '- ', '1. ', '> - '])('ends the scan at 10,000 levels of %j', (unit) => {
  const blocks = structureOf(`# a\n${unit.repeat(10_000)}# b\n\n# c`);
  expect(blocks.map(({ type }) => type)).toEqual(['heading', 'too-deep']);
});
