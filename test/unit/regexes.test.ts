/** No regular expression of ours can be made to run away: each is found mechanically and analysed. */
import { globSync, readFileSync } from 'node:fs';
import { check } from 'recheck';
import { describe, expect, test } from 'vitest';
import { times } from '../helpers/property.ts';
import { regexLiterals } from '../helpers/regex-literals.ts';

// A program of its own, four times as fast as the same analysis in JavaScript, which stands in where it is not built for.
process.env['RECHECK_BACKEND'] = 'native';

/** Quadratic time on what a head or a line may hold is short enough; more is not. */
const MAX_DEGREE = 2;
/** Expressions made at run time are not literals; these files make them, and say why that is safe. */
const MAKES_EXPRESSIONS = ['src/core/pattern.ts'];

const files = globSync('src/**/*.ts');
const literals = new Map(
  files.flatMap((file) =>
    regexLiterals(readFileSync(file, 'utf8')).map(
      ({ source, flags, line }) => [`/${source}/${flags}`, { source, flags, place: `${file}:${line}` }] as const,
    ),
  ),
);

async function complexityOf(source: string, flags: string): Promise<string> {
  const result = await analyse(source, flags);
  if (result.status === 'safe') return 'safe';
  if (result.status === 'unknown') return `unknown: ${result.error.kind}`;
  const { complexity } = result;
  return complexity.type === 'polynomial' && complexity.degree <= MAX_DEGREE ? 'quadratic' : complexity.summary;
}

async function analyse(source: string, flags: string): ReturnType<typeof check> {
  const settings = { timeout: 300_000, checker: 'automaton' } as const;
  try {
    return await check(source, flags, settings);
  } catch (error) {
    if (process.env['RECHECK_BACKEND'] === 'pure') throw error;
    process.env['RECHECK_BACKEND'] = 'pure';
    return await check(source, flags, settings);
  }
}

const LENGTH = times(20_000, 50_000);
const ATTACKS = [
  ...'` \t\n#~>-*+.)0a<!=|:_\\[]'.split(''),
  '`\n',
  '\n```\n',
  ' a',
  '- ',
  '> ',
  '1. ',
  '<!--',
  '**a:**\n',
  '\n**a:**\n```\n',
  '### ',
  '## | ',
].map((piece) => piece.repeat(Math.ceil(LENGTH / piece.length)));

/** @returns how many attacks were survived */
function attacked(source: string, flags: string): number {
  const expression = new RegExp(source, flags);
  for (const text of ATTACKS) for (const ending of ['', '\0', 'x\n']) (text + ending).replace(expression, '');
  return ATTACKS.length;
}

describe('regular expressions', () => {
  test('are found', () => {
    expect(literals.size).toBeGreaterThan(30);
    expect([...literals.keys()]).toContain('/^[A-Za-z_][A-Za-z0-9_]*$/');
  });

  // Minutes in JavaScript, where everything else wants the same two cores.
  test.each([...literals])('%s', { timeout: 600_000 }, async (_, { source, flags, place }) => {
    const complexity = await complexityOf(source, flags);
    // The analyser does not know look-ahead and back-references: these are attacked instead. More than quadratic
    // time would not come back from texts of this length within the limit of a test.
    if (complexity === 'unknown: unsupported') expect(attacked(source, flags)).toBe(ATTACKS.length);
    else expect(`${place} ${complexity}`).toMatch(/ (?:safe|quadratic)$/);
  });

  test('are not made at run time elsewhere', () => {
    const makers = files.filter((file) => /new RegExp\(|[^.\w]RegExp\(/.test(readFileSync(file, 'utf8')));
    expect(makers.map((file) => file.replaceAll('\\', '/'))).toEqual(MAKES_EXPRESSIONS);
  });
});

describe('the check itself', () => {
  test.each(['(a+)+$', '^(?:a|a)*$', 'a*a*a*a*$', '(?:\\s*\\w+)*;'])('%s is noticed', async (source) => {
    expect(await complexityOf(source, '')).not.toMatch(/^(?:safe|quadratic)$/);
  });

  test('finds literals and nothing else', () => {
    const text = [
      "const a = 'x/y/z'; // /comment/",
      '/* /comment/ */ const b = /[/]b\\/[^\\]/]+/gu.exec(c) / 2 / 1;',
      'const d = `text /no/ ${e.replace(/e/, `${/f/.source}`)} /no/`;',
      'if (g) return /h/;',
      'const i = { j: /k/ }; const l = (m) / n / o;',
    ].join('\n');
    expect(regexLiterals(text).map(({ source, line }) => `${line} ${source}`)).toEqual([
      '2 [/]b\\/[^\\]/]+',
      '3 e',
      '3 f',
      '4 h',
      '5 k',
    ]);
  });
});
