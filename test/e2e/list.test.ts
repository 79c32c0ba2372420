/** `runbook list`: which runbooks, in which order, how they ran, and how wide that is. */
import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { widthOf } from '../../src/core/width.ts';
import { BIN, classic, createHome } from '../helpers/cli.ts';
import type { Home } from '../helpers/cli.ts';
import { asObject } from '../helpers/schemas.ts';
import { inTerminal } from '../helpers/terminal.ts';

const METADATA = (text: string): string => `# Metadata\n\`\`\`yaml\n${text}\n\`\`\`\n\n# Environment`;

function folder(home: Home, documents: Readonly<Record<string, string>>): void {
  mkdirSync(path.join(home.folder, 'runbooks'));
  for (const [name, text] of Object.entries(documents)) home.write(`runbooks/${name}.md`, text);
}

const tagged = (name: string, metadata: string): string =>
  classic(name, 'true').replace('# Environment', METADATA(metadata));

/** Names in the order of the lines. */
const namesIn = (stdout: string): readonly string[] =>
  stdout
    .split('\n')
    .slice(1, -1)
    .map((line) => line.split(' ')[0] ?? '');

const THREE = {
  DrainNode: tagged('DrainNode', 'owner: edge\ntags: k8s, nodes\nalerts: NodeNotReady'),
  RotateKey: tagged('RotateKey', 'owner: security\ntags: keys'),
  Broken: '# Broken\n',
};

describe('which runbooks', () => {
  test.each([
    [['--search', 'dn'], ['DrainNode']],
    [['--search', 'roatte'], ['RotateKey']],
    [['--search', 'key', '--search', 'rot'], ['RotateKey']],
    [['--search', 'k8s'], ['DrainNode']],
    [['--tag', 'K8S', '--tag', 'nodes'], ['DrainNode']],
    [['--tag', 'k8s', '--owner', 'security'], []],
    [['--alert', 'NodeNotReady'], ['DrainNode']],
  ])('%j: %j', async (args, expected) => {
    const home = createHome();
    folder(home, THREE);
    const { stdout, stderr, exitCode } = await home.run(['list', ...args]);
    expect(namesIn(stdout)).toEqual(expected);
    expect(exitCode).toBe(0);
    // Nobody is left to think that there was nothing else.
    expect(stderr.includes('No runbook fits')).toBe(expected.length === 0);
    const isFiltered = args.some((arg) => /^--(?:tag|owner|alert)$/.test(arg));
    expect(stderr.includes('One document is not valid, so whether it fits is not known: Broken.')).toBe(isFiltered);
    expect((await home.run(['list', ...args, '-q'])).stderr).toBe('');
  });
});

describe('how they ran', () => {
  test('is asked of a ledger, in any order, and none is made for it', async () => {
    const home = createHome();
    folder(home, {
      Fails: classic('Fails', 'exit 3'),
      Never: classic('Never', 'true'),
      Works: classic('Works', 'true'),
      Was: classic('Was', 'true'),
    });
    expect((await home.run(['list'])).stdout).toMatch(/^Fails {2}script {2}- /m);
    expect(existsSync(home.stateDir)).toBe(false);
    const named = await home.run(['list', '--state-dir', 'nowhere']);
    expect(named).toMatchObject({ exitCode: 0, stderr: '' });
    expect(existsSync(path.join(home.folder, 'nowhere'))).toBe(false);

    for (const name of ['Works', 'Was', 'Fails']) await home.run(['execute', name, '--history', 'ledger']);
    // A rehearsal and a refusal say nothing about the world.
    mkdirSync(path.join(home.folder, 'stubs'));
    await home.run(['execute', 'Fails', '--stubs', 'stubs']);
    await home.run(['execute', 'Works', '--env', 'no name=1']);

    const { stdout } = await home.run(['list']);
    expect(stdout).toMatch(/^Fails {2}script {2}failed \d+[sm] ago {5}/m);
    expect(stdout).toMatch(/^Works {2}script {2}succeeded \d+[sm] ago {2}/m);
    expect(stdout).toMatch(/^Never {2}script {2}- /m);
    expect(namesIn((await home.run(['list', '--sort', 'last'])).stdout)).toEqual(['Fails', 'Was', 'Works', 'Never']);
    expect(namesIn((await home.run(['list', '--sort', 'age'])).stdout)).toEqual(['Fails', 'Was', 'Works', 'Never']);
    expect(namesIn((await home.run(['list', '--sort', 'name'])).stdout)).toEqual(['Fails', 'Never', 'Was', 'Works']);
    const without = await home.json(['list'], { env: { RUNBOOK_HISTORY: 'none' } });
    expect(JSON.stringify(without)).not.toContain('succeeded');
  });

  test('is of this document, not of another with the same name', async () => {
    const home = createHome();
    folder(home, { Task: classic('Task', 'exit 3') });
    home.write('Task.md', classic('Task', 'true'));
    await home.run(['execute', 'Task', '--history', 'ledger']);
    await home.run(['execute', './Task.md', '--history', 'ledger']);
    expect((await home.run(['list'])).stdout).toMatch(/^Task {2}script {2}failed /m);
  });

  test('is left out where the ledger cannot be read, and that is said', async () => {
    const home = createHome();
    folder(home, { Task: classic('Task', 'true') });
    mkdirSync(home.stateDir, { recursive: true });
    home.write(
      path.relative(home.folder, path.join(home.stateDir, 'ledger.sqlite')),
      'no ledger at all, but some text',
    );
    const { stdout, stderr, exitCode } = await home.run(['list']);
    expect(stdout).toMatch(/^Task {2}script {2}- /m);
    expect(stderr).toMatch(/^How they ran is not known: .*ledger/);
    expect(exitCode).toBe(0);
  });
});

describe('how wide it is', () => {
  const long = {
    ['Long'.repeat(12)]: classic('Long', 'true', { claims: 'roles: site-reliability, on-call, database' }),
  };
  const wide = {
    再起動手順: classic('再起動手順', 'true').replace('A test.', '再起動'.repeat(20)),
    A: classic('A', 'true'),
  };

  const onTerminal = async (home: Home, columns: number): Promise<readonly string[]> => {
    const sized = (args: readonly string[]): readonly string[] => [
      ...['sh', '-c', `stty cols ${columns}; exec "$0" "$@"`],
      ...[process.execPath, '--', BIN, ...args],
    ];
    const { screen } = await inTerminal(home.folder, ['list'], [], {}, sized);
    return screen.split('\r\n').slice(0, -1);
  };

  test.each([
    ['long names and claims', long, 80],
    ['wide characters', wide, 80],
    ['wide characters', wide, 50],
  ])('%s fit a terminal', async (_, documents, columns) => {
    const home = createHome();
    folder(home, documents);
    const lines = await onTerminal(home, columns);
    expect(lines).toHaveLength(1 + Object.keys(documents).length);
    expect(Math.max(...lines.map(widthOf))).toBeLessThanOrEqual(columns);
    expect(lines.join('\n')).toContain('…');
  });

  test('what stands below one another begins at the same column, whatever the width of letters', async () => {
    const home = createHome();
    folder(home, wide);
    const lines = await onTerminal(home, 80);
    const at = lines.slice(1).map((line) => widthOf(line.slice(0, line.indexOf('script'))));
    expect(new Set(at).size).toBe(1);
  });

  test('nothing is cut for a pipe', async () => {
    const home = createHome();
    folder(home, { ...long, ...wide });
    const { stdout } = await home.run(['list']);
    expect(stdout).toContain('roles = site-reliability or on-call or database');
    expect(stdout).toContain('再起動'.repeat(20));
    expect(stdout).not.toContain('…');
  });
});

test('an invalid document is named, with what says why', async () => {
  const home = createHome();
  folder(home, THREE);
  const { stdout } = await home.run(['list']);
  expect(stdout).toMatch(/^Broken +invalid +- +`runbook validate Broken` says why$/m);
  const { runbooks } = asObject(await home.json(['list', '--search', 'broken']));
  expect(runbooks).toMatchObject([{ name: 'Broken', valid: false, last: null }]);
});
