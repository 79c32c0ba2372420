/** Markdown documents made of the constructs that decide what a heading or a fence is, then damaged at random. */

import type { Arbitrary } from 'fast-check';
import { array, constant, constantFrom, integer, nat, oneof, record, tuple } from 'fast-check';

const INDENTS = [
  ...Array.from({ length: 24 }, () => ''),
  ' ',
  ' ',
  '  ',
  '  ',
  '   ',
  '    ',
  '     ',
  '\t',
  ' \t',
  '  \t',
];
/** Marker of a container on its first line, and what continues it. */
const CONTAINERS: readonly (readonly [string, string])[] = [
  ...(['> ', '>', '>\t', '>  '] as const).map((marker) => [marker, marker] as const),
  ...(['- ', '* ', '+ ', '-'] as const).map((marker) => [marker, '  '] as const),
  ...(['-\t', '-   ', '-     ', '10. '] as const).map((marker) => [marker, '    '] as const),
  ...(['1. ', '2. ', '1)', '01) ', '3.  '] as const).map((marker) => [marker, '   '] as const),
];
const TAILS = [...Array.from({ length: 30 }, () => ''), ' ', '  ', '\t', ' #', ' ##', '#', '\\', ' x', ' `', ' | b'];
const BODIES = [
  ['# Script', '## b', '#', '######', '####### s', '#x', '#\ty', '# History', '# a #\t'],
  ['```', '``` sh', '```bash', '````', '`````', '~~~', '~~~ yaml', '~~~~', '``` a`b', '`', '``` a&amp;b \\*'],
  ['===', '=', '---', '--', '-', '- - -', '***', '_ _ _', '==='],
  [
    '[a]: /u',
    '[a]:',
    '[a]',
    '[b]: <x y> "t"',
    "[c]: /u 't'",
    '[d]: /u (t',
    '"t"',
    "'t'",
    't)',
    '[e]:\t/u',
    '[\\]]: (x)',
  ],
  [
    '<!-- c -->',
    '<!--',
    '-->',
    '<!-->',
    '<!--->',
    '<script>',
    '</script>',
    '<pre>',
    '</pre>',
    '<style a',
    '<textarea/>',
  ],
  [
    '<div>',
    '</div>',
    '<div',
    '<b>',
    '</b >',
    '<a href="x" b=c d>',
    "<a  b = 'c'/>",
    '<b',
    '<?',
    '?>',
    '<!X',
    '<![CDATA[',
    ']]>',
  ],
  ['a', 'word', 'a # b', '\\# no', '| - | - |', '--- | ---', 'x | y', '1', '1.', '+', '*'],
  [
    '[a]: /u\n===',
    '[a]:\n/u\n---',
    "[a]: /u\n'x\ny'\n===",
    '[a]: /u\n"t" x\n===',
    'a\nb\n===',
    '<!--\n# x\n-->',
    'a\n\tb\n-',
  ],
].flat();
/** `\f`, U+00A0, … are white space to JavaScript, but not to CommonMark. */
const CHARACTERS = [
  ...Array.from('\n\n\n  \t#`~>-=<[]:*"!\\a1.)|'),
  '\f',
  '\v',
  '\0',
  '\u00a0',
  '\u2028',
  '\ufeff',
  '\ud800',
  '\u{1f600}',
];

const line = oneof(
  { weight: 1, arbitrary: constantFrom('', '', '', ' ', '\t', '     ') },
  {
    weight: 5,
    arbitrary: tuple(constantFrom(...INDENTS), constantFrom(...BODIES), constantFrom(...TAILS)).map((parts) =>
      parts.join(''),
    ),
  },
);

const nested = tuple(
  constantFrom(...INDENTS),
  array(constantFrom(...CONTAINERS), { minLength: 1, maxLength: 4 }),
  array(line, { minLength: 1, maxLength: 3 }),
).map(([indent, containers, lines]) => {
  const prefixes = [0, 1].map((index) => indent + containers.map((container) => container[index] ?? '').join(''));
  return lines.map((text, index) => `${prefixes[Math.min(index, 1)] ?? ''}${text}`).join('\n');
});

interface Damage {
  readonly kind: 'insert' | 'remove' | 'repeat';
  readonly at: number;
  readonly length: number;
  readonly character: string;
}

const damage: Arbitrary<Damage> = record({
  kind: constantFrom('insert', 'remove', 'repeat'),
  at: nat(1000),
  length: integer({ min: 1, max: 12 }),
  character: constantFrom(...CHARACTERS),
});

function damaged(text: string, { kind, at, length, character }: Damage): string {
  const start = Math.floor((text.length * at) / 1000);
  const piece = text.slice(start, start + length);
  const rest = text.slice(kind === 'insert' ? start : start + length);
  return text.slice(0, start) + (kind === 'insert' ? character : kind === 'repeat' ? piece + piece : '') + rest;
}

/** Up to 12 lines or nested pieces, with or without a final line ending, three in ten of them damaged. */
export const markdown: Arbitrary<string> = tuple(
  array(oneof({ weight: 4, arbitrary: line }, { weight: 1, arbitrary: nested }), {
    minLength: 1,
    maxLength: 12,
    size: 'max',
  }),
  constantFrom('', '\n', '\n\n'),
  oneof(
    { weight: 7, arbitrary: constant<Damage[]>([]) },
    { weight: 3, arbitrary: array(damage, { minLength: 1, maxLength: 4 }) },
  ),
).map(([lines, end, damages]) => damages.reduce(damaged, lines.join('\n') + end));
