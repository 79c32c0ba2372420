import { describe, expect, test } from 'vitest';
import { claims, classic, fence, good, section, steps } from './documents.ts';

const middle = (text: string): string => classic({ middle: text });

describe('environment requirements', () => {
  test('the short form is text, and its name says whether it is secret', () => {
    expect(good(classic({ env: section('Environment Requirements', 'A: one\nB:\nAPI_TOKEN: no') })).env).toEqual([
      { name: 'A', description: 'one', typed: false, type: 'text', secret: false, line: 7 },
      { name: 'B', description: '', typed: false, type: 'text', secret: false, line: 8 },
      { name: 'API_TOKEN', description: 'no', typed: false, type: 'text', secret: true, line: 9 },
    ]);
  });

  test('the mapping form has rules for its value', () => {
    const yaml = `A:\n  description: one\n  type: integer\n  choices: [1, 20]\n  pattern: "[0-9]+"\n  default: 20\nB_KEY: {secret: false}\nC: {secret: true, generate: 8}\nD_TOKEN: {secret: }`;
    expect(good(classic({ env: section('Environment Requirements', yaml) })).env).toEqual([
      {
        name: 'A',
        description: 'one',
        typed: true,
        type: 'integer',
        choices: ['1', '20'],
        pattern: '[0-9]+',
        default: '20',
        secret: false,
        line: 7,
      },
      { name: 'B_KEY', description: '', typed: true, type: 'text', secret: false, line: 13 },
      { name: 'C', description: '', typed: true, type: 'text', secret: true, generate: 8, line: 14 },
      { name: 'D_TOKEN', description: '', typed: true, type: 'text', secret: true, line: 15 },
    ]);
  });
});

test('fences beside the yaml block of requirements are documentation', () => {
  const env = `${section('Environment Requirements', 'HOST: where')}${fence('', 'export HOST=a')}${fence('sh', 'x')}`;
  expect(good(classic({ env })).env.map(({ name }) => name)).toEqual(['HOST']);
});

describe('file system requirements', () => {
  test.each([
    ['Input:\nOutput:', []],
    ['Input: a b.txt', ['input a b.txt']],
    ['Input:\n- a/b\n-\n- c/b', ['input a/b', 'input c/b']],
    ['Output: [a, ./b/]', ['output a', 'output ./b/']],
    ['Input: [a]\nOutput: [a]', ['input a', 'output a']],
  ])('%j', (yaml, expected) => {
    const { files } = good(classic({ files: section('File System Requirements', yaml) }));
    expect(files.map(({ direction, path }) => `${direction} ${path}`)).toEqual(expected);
  });
});

describe('required claims', () => {
  const one = (claim: string, ...anyOf: string[]) => ({ claim, anyOf });
  test.each([
    ['roles: sre, dba', [[one('roles', 'sre', 'dba')]]],
    ['roles: [sre, dba]', [[one('roles', 'sre', 'dba')]]],
    ['roles:\n- sre\n- dba', [[one('roles', 'sre', 'dba')]]],
    ['roles: " sre , dba "', [[one('roles', 'sre', 'dba')]]],
    ['dn: ["CN=a,OU=b"]', [[one('dn', 'CN=a,OU=b')]]],
    [
      'a: 1.10\nb: no\nc: 0o17\nd: null\ne: ~',
      [[one('a', '1.10'), one('b', 'no'), one('c', '0o17'), one('d', 'null'), one('e', '~')]],
    ],
    ['__proto__: a\nconstructor: b', [[one('__proto__', 'a'), one('constructor', 'b')]]],
  ])('%j', (yaml, expected) => {
    expect(good(middle(claims(yaml))).claims).toEqual(expected);
  });

  test('a document of steps may list alternatives and readers', () => {
    const yaml = '- roles: a\n  team: [b, c]\n- sub: d\n- readers:\n  - roles: e\n  - roles: f';
    expect(good(steps(undefined, claims(yaml)))).toMatchObject({
      claims: [[one('roles', 'a'), one('team', 'b', 'c')], [one('sub', 'd')]],
      readers: [[one('roles', 'e')], [one('roles', 'f')]],
    });
  });

  test('readers stand beside the claims of a mapping', () => {
    expect(good(middle(claims('roles: a\nreaders:\n  roles: b')))).toMatchObject({
      claims: [[one('roles', 'a')]],
      readers: [[one('roles', 'b')]],
    });
  });

  test('where there is a valid section, other places are just text', () => {
    const text = 'Required Claims:\n\n## Required claims\n\n> # Required Claims\n\n';
    expect(good(middle(claims('roles: a') + text)).claims).toHaveLength(1);
  });

  test('history that speaks of claims inside a fence is no claims section', () => {
    expect(
      good(
        classic({
          history: `# History\n\n### t | Exit Code: 0\n\n**Stdout:**\n\`\`\`\n# Required Claims\n# Script\n\`\`\`\n`,
        }),
      ).claims,
    ).toBeNull();
  });
});

describe('limits and metadata', () => {
  test('limits', () => {
    const yaml = 'timeout: 1h30m\nmax_output: 10MiB\nconcurrency: 1\nmemory: 2GiB\nprocesses: 64';
    expect(good(middle(section('Limits', yaml))).limits).toEqual({
      timeoutMs: 5_400_000,
      maxOutputBytes: 10_485_760,
      concurrency: 1,
      memoryBytes: 2_147_483_648,
      processes: 64,
    });
  });

  test('metadata', () => {
    const yaml =
      'owner: me\nservice: web\ntags: a, b\nseverity: high\nalerts: [X]\nreview_by: 2027-03-01\nlinks: https://example.com/a\nformat: 1';
    expect(good(middle(section('Metadata', yaml)), { today: '2027-03-01' }).metadata).toEqual({
      owner: 'me',
      service: 'web',
      tags: ['a', 'b'],
      severity: 'high',
      alerts: ['X'],
      reviewBy: '2027-03-01',
      links: ['https://example.com/a'],
      format: 1,
    });
  });
});
