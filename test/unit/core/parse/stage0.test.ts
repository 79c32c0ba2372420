/** Documents as users of Stage0 have them mean here what they mean there. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseRunbook } from '../../../../src/core/parse/parse.ts';

function load(fileName: string) {
  const bytes = readFileSync(new URL(`../../../fixtures/stage0/${fileName}`, import.meta.url));
  const { runbook, problems, historyOffset } = parseRunbook(bytes, { fileName });
  if (runbook === null || historyOffset === null) throw new Error(JSON.stringify(problems));
  return { runbook, problems: problems.map(({ rule }) => rule), tail: bytes.subarray(historyOffset).toString() };
}
const roles = (...anyOf: string[]) => [[{ claim: 'roles', anyOf }]];
const ZSH = { interpreter: 'zsh', options: ['-f'] };

test('SimpleRunbook', () => {
  const { runbook, problems, tail } = load('SimpleRunbook.md');
  expect(problems).toEqual([]);
  expect(runbook).toMatchObject({
    name: 'SimpleRunbook',
    kind: 'classic',
    claims: roles('sre', 'api'),
    readers: null,
    env: [
      { name: 'TEST_VAR', description: 'Any text; the script prints it', typed: false, type: 'text', secret: false },
    ],
    files: [],
    limits: {},
  });
  expect(runbook.steps).toHaveLength(1);
  expect(runbook.steps[0]?.script).toMatchObject({ ...ZSH, line: 22 });
  expect(runbook.steps[0]?.script?.body.split('\n')).toHaveLength(3);
  expect(tail).toMatch(/^# History\n/);
});

test('ParentRunbook: empty requirements', () => {
  const { runbook, problems } = load('ParentRunbook.md');
  expect(problems).toEqual([]);
  expect(runbook).toMatchObject({ env: [], files: [], claims: roles('sre') });
  expect(runbook.steps[0]?.script).toMatchObject(ZSH);
});

test('CreatePackage: inputs, a secret, and a fence that is never executed', () => {
  const { runbook, problems } = load('CreatePackage.md');
  expect(problems).toEqual(['script-extra-fence']);
  expect(runbook.env.map(({ name, secret }) => [name, secret])).toEqual([
    ['GITHUB_TOKEN', true],
    ['PACKAGE_NAME', false],
    ['PACKAGE_VERSION', false],
  ]);
  expect(runbook.files.map(({ direction, path }) => [direction, path])).toEqual([
    ['input', 'CreatePackage.dockerfile'],
    ['input', 'CreatePackage'],
  ]);
  expect(runbook.claims).toEqual(roles('sre', 'data', 'api', 'ux'));
  expect(runbook.steps[0]?.script?.body).not.toContain('image rm');
});

test('LongRunningRunbook', () => {
  const { runbook, problems } = load('LongRunningRunbook.md');
  expect(problems).toEqual([]);
  expect(runbook.env.map(({ name }) => name)).toEqual(['CYCLES']);
  expect(runbook.steps[0]?.script).toMatchObject(ZSH);
});

test('Runbook: the form differs from its file name, which is a warning only', () => {
  const { runbook, problems } = load('Runbook.md');
  expect(problems).toEqual(['title-differs']);
  expect(runbook).toMatchObject({ name: 'Runbook', title: 'Runbook Template', claims: roles('developer', 'admin') });
  expect(runbook.files).toMatchObject([{ path: 'file spec' }]);
});
