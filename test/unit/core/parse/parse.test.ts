import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { claims, classic, fence, parse, section, steps } from './documents.ts';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const middle = (text: string): string => classic({ middle: text });

/** The runbook of a document that must be valid and without warnings. */
function good(text: string, options = {}) {
  const { runbook, problems } = parse(text, options);
  expect(problems).toEqual([]);
  if (runbook === null) throw new Error('no runbook and no problem');
  return runbook;
}

describe('a classic document', () => {
  test('has one step, and empty sections are valid', () => {
    const runbook = good(classic(), { fileName: 'folder/Restart.md' });
    expect(runbook).toMatchObject({
      name: 'Restart',
      title: 'Restart',
      description: 'Restarts the service.',
      kind: 'classic',
    });
    expect(runbook.steps).toEqual([
      {
        name: 'Script',
        line: 12,
        script: { interpreter: 'zsh', options: ['-f'], body: 'echo "$HOST"', line: 14 },
        tty: false,
        outputs: [],
      },
    ]);
    expect(runbook.claims).toBeNull();
    expect(runbook.readers).toBeNull();
    expect(runbook.files).toEqual([]);
    expect(runbook.limits).toEqual({});
  });

  test('takes its name from the title where there is no file', () => {
    expect(good(classic()).name).toBe('Restart');
  });

  test('has its name from the file where the title differs', () => {
    const { runbook } = parse(classic(), { fileName: 'Other.md' });
    expect(runbook).toMatchObject({ name: 'Other', title: 'Restart' });
  });

  test('sections may come in any order before the history, and underlined headings are headings', () => {
    const text = `# A\n\nScript\n======\n${fence('sh', 'true')}# File System Requirements\n# Environment Requirements\n# History`;
    expect(good(text).steps[0]?.script?.body).toBe('true');
  });

  test('does not see headings and fences inside fences, quotes, lists and comments', () => {
    const body = 'cat <<EOF\n# History\n# Script\n``` not the end\nEOF';
    const hidden = '> # Limits\n\n- # Metadata\n\n<!--\n# Steps\n-->\n\n';
    const runbook = good(classic({ script: `# Script\n${hidden}~~~~sh\n${body}\n~~~\n~~~~\n` }));
    expect(runbook.steps[0]?.script?.body).toBe(`${body}\n~~~`);
  });

  test('executes the first sh fence also behind others', () => {
    const { runbook } = parse(
      classic({ script: `# Script\n${fence('bash', 'one')}${fence('sh', 'two')}${fence('sh', 'three')}` }),
    );
    expect(runbook?.steps[0]?.script).toMatchObject({ body: 'two', interpreter: 'zsh' });
  });

  test('does not warn of a fence tagged text', () => {
    expect(good(classic({ script: `# Script\n${fence('sh', 'true')}${fence('text', 'output')}` })).kind).toBe(
      'classic',
    );
  });
});

describe('which shell', () => {
  const run = (text: string) => {
    const script = good(text).steps[0]?.script;
    return [script?.interpreter, ...(script?.options ?? [])].join(' ');
  };
  test.each([
    ['sh', '', 'zsh -f'],
    ['bash', '', 'bash'],
    ['zsh', '', 'zsh -f'],
    ['python', '', 'python -s -u'],
    ['sh', '#!/bin/sh\n', 'sh'],
    ['sh', '#!/bin/sh -eu\n', 'sh -eu'],
    ['sh', '#!/usr/bin/env bash\n', 'bash'],
    ['sh', '#! /usr/local/bin/bash -euo pipefail\n', 'bash -euo pipefail'],
    ['sh', '#!/bin/zsh -o errexit -x\n', 'zsh -f -o errexit -x'],
    ['sh', '#!/usr/bin/env python3\n', 'python -s -u'],
    ['bash', '#!/usr/bin/python3 -B\n', 'python -s -u -B'],
    ['sh', '# comment\n#!/usr/bin/perl\n', 'zsh -f'],
  ])('classic %s %j → %s', (tag, shebang, expected) => {
    expect(run(classic({ script: `# Script\n${fence(tag, `${shebang}true`)}` }))).toBe(expected);
  });
  test.each([
    ['sh', '', 'sh -eu'],
    ['bash', '', 'bash -euo pipefail'],
    ['zsh', '', 'zsh -f -euo pipefail'],
    ['python', '', 'python -s -u'],
    ['bash', '#!/bin/bash\n', 'bash'],
  ])('steps %s %j → %s', (tag, shebang, expected) => {
    expect(run(steps(`## One\n${fence(tag, `${shebang}true`)}`))).toBe(expected);
  });
});

test.each(['# Tips', '# Stages', '# Script notes', '# Historical notes'])(
  '%s is no section, and near none',
  (heading) => {
    expect(parse(middle(`${heading}\n\n`)).problems.map(({ rule }) => rule)).toEqual(['section-unknown']);
  },
);

describe('a document of steps', () => {
  test('needs a title and steps only', () => {
    const runbook = good(`# A\n\n# Steps\n\n## One\n${fence('sh', 'true')}`);
    expect(runbook).toMatchObject({ kind: 'steps', env: [], files: [], claims: null });
  });

  test('a step has keys, a script, and parts', () => {
    const yaml = fence('yaml', 'confirm: Sure?\nconfirm_typing: NODE\ntimeout: 1h30m\ntty: true\noutputs: A, B');
    const body = `## One *two*\n\nProse.\n${yaml}Prose.\n${fence('text', 'an example')}${fence('bash', 'one')}### Done when\nProse\n${fence('sh', 'two')}### Notes\n### Rollback\n${fence('python', 'three')}`;
    expect(good(steps(body)).steps).toEqual([
      {
        name: 'One *two*',
        line: 13,
        script: { interpreter: 'bash', options: ['-euo', 'pipefail'], body: 'one', line: 30 },
        confirm: 'Sure?',
        confirmTyping: 'NODE',
        timeoutMs: 5_400_000,
        tty: true,
        outputs: ['A', 'B'],
        doneWhen: { interpreter: 'sh', options: ['-eu'], body: 'two', line: 36 },
        rollback: { interpreter: 'python', options: ['-s', '-u'], body: 'three', line: 42 },
      },
    ]);
  });

  test('a manual step has no script, but may have parts', () => {
    const body = `## One\n${fence('yaml', 'manual: Call them.')}### Done when\n${fence('sh', 'true')}`;
    expect(good(steps(body)).steps[0]).toMatchObject({
      manual: 'Call them.',
      script: null,
      doneWhen: { body: 'true' },
    });
  });
});

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

describe('digest and history', () => {
  const head = classic({ history: '' });
  test('the digest is over the bytes before the history', () => {
    for (const history of ['# History\n', '# History', '# History\n\n### x\n', '   #  History  ##\n', 'History\n=\n']) {
      expect(parse(head + history)).toMatchObject({
        digest: sha256(head),
        historyOffset: Buffer.byteLength(head),
        problems: [],
      });
    }
  });

  test('it is over the raw bytes: BOM and CRLF count, and mean nothing else', () => {
    const raw = `\ufeff${head.replaceAll('\n', '\r\n')}`;
    const { digest, historyOffset, runbook, problems } = parse(`${raw}# History\r\n`);
    expect(problems).toEqual([]);
    expect(digest).toBe(sha256(raw));
    expect(historyOffset).toBe(Buffer.byteLength(raw));
    expect({ ...runbook, digest: '' }).toEqual({ ...parse(`${head}# History\n`).runbook, digest: '' });
  });

  test('without a history it is over all bytes', () => {
    expect(parse(steps())).toMatchObject({ digest: sha256(steps()), historyOffset: null });
  });

  test('a heading that is none does not end the document', () => {
    const text = classic({ title: '# Restart\n\n```\n# History\n```\n\n> # History\n\n# History\u2028of it\n\n' });
    const { historyOffset, problems } = parse(text);
    expect(historyOffset).toBe(Buffer.byteLength(text) - '# History\n'.length);
    expect(problems.map(({ rule }) => rule)).toEqual(['section-unknown']);
  });

  test('an invalid document has its title, digest and offset', () => {
    const broken = classic({ script: '' });
    expect(parse(broken)).toMatchObject({
      runbook: null,
      title: 'Restart',
      digest: sha256(broken.replace('# History\n', '')),
    });
  });

  test('the tail may hold any bytes, and be large', () => {
    const entry = `\n### t | Exit Code: 0\n\n**Stdout:**\n\`\`\`\n${'# output\n===\n'.repeat(1000)}\`\`\`\n`;
    const tail = Buffer.concat([Buffer.from(entry.repeat(200)), Buffer.from([0, 0xff, 0x1b, 0x0a])]);
    expect(parse(Buffer.concat([Buffer.from(classic()), tail])).problems).toEqual([]);
  });
});

describe('silencing', () => {
  const both = (comment: string) =>
    parse(classic({ title: `# Restart\n\n${comment}\n\n`, middle: '# Notes\n\n' }), { fileName: 'X.md' });
  test('a comment silences the warnings of one rule', () => {
    expect(both('').problems.map(({ rule }) => rule)).toEqual(['title-differs', 'section-unknown']);
    expect(both('<!-- runbook: allow title-differs -->').problems.map(({ rule }) => rule)).toEqual(['section-unknown']);
  });

  test('only as a comment of the document itself', () => {
    for (const text of ['`<!-- runbook: allow title-differs -->`', '```\n<!-- runbook: allow title-differs -->\n```']) {
      expect(both(text).problems).toHaveLength(2);
    }
  });
});
