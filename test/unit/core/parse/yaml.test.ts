/** What people and attackers write into yaml blocks: refused, or text as it stands. */
import { describe, expect, test } from 'vitest';
import { claims, classic, parse, section } from './documents.ts';

const read = (yaml: string) => parse(classic({ env: section('Environment Requirements', yaml) }));
const rules = (yaml: string): readonly string[] => [...new Set(read(yaml).problems.map(({ rule }) => rule))];

/** `{a: &a [x], b: &b [*a,*a,…], …}`: nine levels of nine would be 9^9 texts. */
function aliasBomb(): string {
  const names = 'abcdefghi'.split('');
  const line = (name: string, index: number) =>
    `${name}: &${name} [${Array.from({ length: 9 }, () => (index === 0 ? 'x' : `*${names[index - 1]}`)).join(',')}]`;
  return names.map(line).join('\n');
}

describe('refused', () => {
  test.each([
    ['an alias bomb', aliasBomb(), 'yaml-feature'],
    ['a merge key', 'A:\n  <<: {description: x}', 'yaml-feature'],
    ['a merge of an alias', 'A: &a {type: text}\nB:\n  <<: *a', 'yaml-feature'],
    ['a core tag', 'A: !!int 1', 'yaml-feature'],
    ['an unknown tag', 'A: !php/object x', 'yaml-feature'],
    ['a JavaScript tag', 'A: !!js/function x', 'yaml-feature'],
    ['a verbatim tag', 'A: !<tag:yaml.org,2002:str> x', 'yaml-feature'],
    ['a binary tag', 'A: !!binary aGk=', 'yaml-feature'],
    ['a tag directive', '%TAG ! tag:x,2000:\n---\nA: !y b', 'yaml-feature'],
    ['a version directive', '%YAML 1.1\n---\nA: yes', 'yaml-feature'],
    ['a second document', 'A: x\n---\nB: y', 'yaml-syntax'],
    ['a document end and more', 'A: x\n...\nB: y', 'yaml-syntax'],
    ['twice the same key', 'A: x\nA: y', 'yaml-duplicate-key'],
    ['twice the same key in flow', 'A: {type: text, "type": integer}', 'yaml-duplicate-key'],
    ['twice __proto__', 'A: {__proto__: x, __proto__: y}', 'yaml-duplicate-key'],
    ['20,000 brackets', `A: ${'['.repeat(20_000)}`, 'yaml-too-deep'],
    ['20,000 braces', '{'.repeat(20_000), 'yaml-too-deep'],
    ['20,000 dashes', '- '.repeat(20_000), 'yaml-too-deep'],
    ['20,000 question marks', '? '.repeat(20_000), 'yaml-too-deep'],
    ['brackets hidden by quotes', `A: ${'["]",'.repeat(10_000)}`, 'yaml-too-deep'],
    ['brackets hidden by comments', `A:\n${'  [ # ]\n'.repeat(2_000)}`, 'yaml-too-deep'],
    ['900 brackets', `A: ${'['.repeat(900)}${']'.repeat(900)}`, 'yaml-too-deep'],
    ['deep indents', Array.from({ length: 200 }, (_, index) => `${' '.repeat(index)}a:`).join('\n'), 'yaml-too-deep'],
    ['a scalar of 5 MB', `A: ${'x'.repeat(1_000_000)}`, 'yaml-too-large'],
    ['64 KiB in two-byte letters', `A: ${'ü'.repeat(33_000)}`, 'yaml-too-large'],
    ['an escaped control character', 'A: "\\x07"', 'yaml-syntax'],
    ['an escaped NUL', 'A: "\\0"', 'yaml-syntax'],
    ['an unclosed quote', 'A: "x', 'yaml-syntax'],
    ['a reserved indicator', 'A: @x', 'yaml-syntax'],
    ['a tab as indentation', 'A:\n\ttype: text', 'yaml-syntax'],
    ['a list as key', '[A]: x', 'yaml-feature'],
    ['an empty key', ': x', 'yaml-feature'],
  ])('%s', (_, yaml, rule) => {
    expect(rules(yaml)).toEqual([rule]);
  });

  test('NUL never reaches a value', () => {
    expect(read('A: x\0y').runbook).toBeNull();
  });
});

describe('text stays text', () => {
  test.each([
    'yes',
    'no',
    'on',
    'off',
    'true',
    'True',
    'null',
    '~',
    'NULL',
    '1.10',
    '010',
    '0o17',
    '0x1F',
    '1e3',
    '.inf',
    '.NaN',
    '1:30',
    '2001-12-14',
    '2001-12-14t21:59:43.10-05:00',
    '+1',
    '-0',
    '1_000',
    '=',
    'y',
    'a b  c',
  ])('%s', (text) => {
    expect(read(`A: ${text}`).runbook?.env[0]?.description).toBe(text);
    const { runbook } = parse(classic({ middle: claims(`roles: ${text}`) }));
    expect(runbook?.claims).toEqual([[{ claim: 'roles', anyOf: [text] }]]);
  });

  test.each([
    ['"a: b # c"', 'a: b # c'],
    ["'it''s'", "it's"],
    ['"\\u00fc\\t\\n"', 'ü\t\n'],
    ['|\n  a\n   b', 'a\n b\n'],
    ['>-\n  a\n  b', 'a b'],
    ['a # comment', 'a'],
    ['""', ''],
  ])('%s', (yaml, text) => {
    expect(read(`A: ${yaml}`).runbook?.env[0]?.description).toBe(text);
  });
});

test('16 levels are read', () => {
  expect(rules(`A: ${'['.repeat(15)}${']'.repeat(15)}`)).toEqual(['value-shape']);
});

test('an empty block is an empty mapping, and a comment is nothing', () => {
  for (const yaml of ['', '\n', '# only a comment', '---', '{}']) expect(read(yaml).runbook?.env).toEqual([]);
});

test('keys of JavaScript mean nothing', () => {
  const before = JSON.stringify(Object.getOwnPropertyNames(Object.prototype));
  const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty'];
  expect(read(names.map((name) => `${name}: x`).join('\n')).runbook?.env.map(({ name }) => name)).toEqual(names);
  const yaml = '__proto__: {polluted: a}\nconstructor: {prototype: {polluted: a}}\nreaders: {__proto__: a}';
  expect(parse(classic({ middle: claims(yaml) })).runbook).toBeNull();
  expect(parse(classic({ middle: section('Limits', '__proto__: {timeout: 1m}') })).runbook).toBeNull();
  expect(JSON.stringify(Object.getOwnPropertyNames(Object.prototype))).toBe(before);
  expect('polluted' in {}).toBe(false);
});

test('places are those of the document, also in an indented fence', () => {
  const { problems } = parse(classic({ middle: '# Limits\n  ```yaml\n  timeout: 1m\n  memory: much\n  ```\n\n' }));
  expect(problems.map(({ rule, line, column }) => `${line}:${column} ${rule}`)).toEqual(['15:11 limit-size']);
});
