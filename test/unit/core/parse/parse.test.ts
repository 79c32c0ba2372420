import { describe, expect, test } from 'vitest';
import { classic, fence, good, parse, steps } from './documents.ts';

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
    expect(parse(classic({ middle: `${heading}\n\n` })).problems.map(({ rule }) => rule)).toEqual(['section-unknown']);
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
