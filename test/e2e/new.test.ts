/** `runbook new`: what it writes validates without a warning and runs as it is, and nothing is ever overwritten. */
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { createHome, REPOSITORY } from '../helpers/cli.ts';
import type { Home } from '../helpers/cli.ts';
import { requires } from '../helpers/requires.ts';
import { CTRL_C, CTRL_D, ENTER, inTerminal } from '../helpers/terminal.ts';

const PAGES = path.join(REPOSITORY, 'test/fixtures/pages');
const documents = (home: Home): readonly string[] => readdirSync(home.folder).filter((name) => name.endsWith('.md'));

describe('from a template', () => {
  const interpreters = ['bash', 'sh', 'zsh', 'python'].filter((name) => requires(name === 'python' ? 'python3' : name));

  const kinds = ['', '--steps'];
  const facts = ['', '--env HOST=db-1 --env DAYS=30', `--env A_TOKEN --title ${JSON.stringify('Restarts:"it"&#more')}`];
  const all = interpreters.flatMap((interpreter) =>
    kinds.flatMap((kind) => facts.map((more) => `--interpreter ${interpreter} ${kind} ${more}`.trim().split(/ +/))),
  );

  test.each(all)('%j… is valid, and runs', async (...options) => {
    const home = createHome();
    const made = await home.run(['new', 'RestartService', ...options]);
    expect(made).toMatchObject({ exitCode: 0, stdout: 'RestartService.md\n' });
    expect(made.stderr).toContain('`runbook execute ./RestartService.md`');
    expect(await home.run(['validate', '--strict', './RestartService.md'])).toMatchObject({ exitCode: 0, stdout: '' });
    const env = { A_TOKEN: 'x'.repeat(20) };
    const run = await home.run(['execute', './RestartService.md', '--yes', '--no-input'], { env });
    expect({ exitCode: run.exitCode, stderr: run.stderr }).toEqual({ exitCode: 0, stderr: run.stderr });
    expect(run.stdout).toContain('looked at');
    if (options.includes('HOST=db-1')) expect(run.stdout).toContain('HOST is db-1\nDAYS is 30\n');
  });

  test('who may run it, and variables, stand where they belong', async () => {
    const home = createHome();
    await home.run(['new', 'Drain', '--claim', 'roles=sre, dba', '--claim', 'team=a b: c', '--env', 'NODE']);
    const { documents: shown } = { documents: await home.json(['show', './Drain.md']) };
    expect(JSON.stringify(shown)).toContain(
      '"claims":[[{"claim":"roles","anyOf":["sre","dba"]},{"claim":"team","anyOf":["a b: c"]}]]',
    );
    expect(JSON.stringify(shown)).toContain('"name":"NODE"');
  });

  test('the name comes from the title, and the folder of the runbooks is where it goes', async () => {
    const home = createHome();
    mkdirSync(path.join(home.folder, 'runbooks'));
    mkdirSync(path.join(home.folder, 'other'));
    const { stdout } = await home.run(['new', '--title', 'Rotate the API key']);
    expect(stdout).toBe('runbooks/RotateTheApiKey.md\n');
    expect(readFileSync(path.join(home.folder, stdout.trim()), 'utf8')).toMatch(
      /^# RotateTheApiKey\n\nRotate the API key\.\n/,
    );
    expect((await home.run(['new', 'A', '--dir', 'other'])).stdout).toBe('other/A.md\n');
    expect(statSync(path.join(home.folder, 'other/A.md')).mode & 0o777).toBe(0o666 & ~process.umask());
    expect(readdirSync(path.join(home.folder, 'other'))).toEqual(['A.md']);
  });

  test('--stdout prints it, byte for byte what would be written, and writes nothing', async () => {
    const home = createHome();
    const { stdout, stderr } = await home.run(['new', 'A', '--steps', '--stdout']);
    expect(documents(home)).toEqual([]);
    expect(stderr).toBe('');
    await home.run(['new', 'A', '--steps']);
    expect(readFileSync(path.join(home.folder, 'A.md'), 'utf8')).toBe(stdout);
  });

  test('nothing that is there is overwritten, not even a link that leads nowhere', async () => {
    const home = createHome();
    home.write('A.md', 'mine');
    symlinkSync('nowhere', path.join(home.folder, 'B.md'));
    for (const name of ['A', 'B']) {
      const { exitCode, stderr } = await home.run(['new', name]);
      expect(stderr).toContain(`${name}.md is there already.`);
      expect(exitCode).toBe(64);
    }
    expect(readFileSync(path.join(home.folder, 'A.md'), 'utf8')).toBe('mine');
    expect(existsSync(path.join(home.folder, 'nowhere'))).toBe(false);
    expect(readdirSync(home.folder).filter((name) => name.includes('.md.'))).toEqual([]);
  });

  test.each([
    [[], 'The new runbook has no name.', 64],
    [['../x'], '"../x" cannot be the name', 64],
    [['.hidden'], 'cannot be the name', 64],
    [['Steps'], 'does not make a valid runbook', 64],
    [['Required claims'], 'does not make a valid runbook', 64],
    [['A', '--env', '1X'], 'Invalid environment variable name', 64],
    [['A', '--env', 'X', '--env', 'X=1'], '--env X is given twice', 64],
    [['A', '--env', 'LD_PRELOAD'], 'LD_PRELOAD may not be set', 64],
    [['A', '--env', 'DB_PASSWORD=x'], 'DB_PASSWORD is a secret by its name', 64],
    [['A', '--env', 'X=a\u202eb'], 'does not make a valid runbook', 64],
    [['A', '--claim', 'sre'], '"sre" is no claim', 64],
    [['A', '--interpreter', 'perl'], 'is not one of sh, bash, zsh, python', 64],
    [['A', '--dir', 'none'], 'There is no folder none.', 66],
    [['--from', 'none.md'], 'none.md is not there', 66],
    [['--from', 'page.txt', '--env', 'X'], '--env is not for --from', 64],
    [['A', '--json', '--stdout'], '--json and --stdout exclude each other', 64],
  ])('%j is refused, and nothing is written', async (args, message, exit) => {
    const home = createHome();
    home.write('page.txt', '# A\n');
    const { stderr, stdout, exitCode } = await home.run(['new', ...args]);
    expect(stderr).toContain(message);
    expect(exitCode).toBe(exit);
    if (!args.includes('--json')) expect(stdout).toBe('');
    expect(documents(home)).toEqual([]);
  });
});

describe('from a page', () => {
  test.each(readdirSync(PAGES))('%s: valid with --strict; what to look at is on stderr', async (page) => {
    const home = createHome();
    const { stdout, stderr, exitCode } = await home.run(['new', '--from', path.join(PAGES, page)]);
    expect(exitCode).toBe(0);
    expect(await home.run(['validate', '--strict', `./${stdout.trim()}`])).toMatchObject({ exitCode: 0, stdout: '' });
    const lines = stderr.split('\n').filter((line) => line.includes(': look at line '));
    expect(lines.length).toBeGreaterThan(0);
    for (const line of lines) expect(line).toMatch(/\.md: look at line \d+: \S.*\.$/);
  });

  test('a proposal runs in a rehearsal as it is', async () => {
    const home = createHome();
    mkdirSync(path.join(home.folder, 'stubs'));
    await home.run(['new', 'Drain', '--from', path.join(PAGES, 'k8s-node-drain.md')]);
    for (const program of ['kubectl', 'ssh'])
      chmodSync(home.write(`stubs/${program}`, '#!/bin/sh\necho "$0 $*" | sed "s,.*/,,"\n'), 0o755);
    const args = ['execute', './Drain.md', '--stubs', 'stubs', '--yes', '--env', 'NODE=worker 7', '--history', 'none'];
    const { stdout, exitCode, stderr } = await home.run(args);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr });
    expect(stdout).toContain('kubectl cordon worker 7\n');
    expect(stdout).toContain('kubectl drain worker 7 --ignore-daemonsets --delete-emptydir-data --timeout=10m\n');
  });

  test('a name, a title and claims of its own', async () => {
    const home = createHome();
    const page = home.write('page.txt', '# Old title\n\n1. Look\n');
    const args = ['new', 'Mine', '--from', page, '--title', 'What it is', '--claim', 'roles=sre', '--stdout'];
    expect((await home.run(args)).stdout).toMatch(
      /^# Mine\n\nWhat it is\.\n[^]*# Required Claims\n```yaml\nroles: sre\n```/,
    );
  });
});

describe.skipIf(!requires('script'))('at a terminal (needs script of util-linux)', () => {
  test('a short form asks for what the options do not say', async () => {
    const home = createHome();
    const { screen, exitCode } = await inTerminal(
      home.folder,
      ['new'],
      [
        [/Title \[New runbook\]: /, `Drain a node${ENTER}`],
        [/Name of the file \[DrainANode\]: /, ENTER],
        [/What it does.*: /, `Moves work away${ENTER}`],
        [/Variables.*: /, `LD_PRELOAD${ENTER}`],
        [/may not be set[^]*Variables.*: /, `NODE, DAYS=30${ENTER}`],
        [/Roles.*: /, `sre, dba${ENTER}`],
      ],
    );
    expect(exitCode).toBe(0);
    expect(screen).toContain('DrainANode.md');
    const text = readFileSync(path.join(home.folder, 'DrainANode.md'), 'utf8');
    expect(text).toMatch(/^# DrainANode\n\nDrain a node\.\n\nMoves work away\.\n/);
    expect(text).toContain('roles: [sre, dba]');
    expect(text).toContain('default: 30');
  });

  test.each([
    ['Ctrl-C', CTRL_C],
    ['Ctrl-D', CTRL_D],
  ])('%s leaves nothing', async (_, key) => {
    const home = createHome();
    const { screen, exitCode } = await inTerminal(
      home.folder,
      ['new', 'A'],
      [
        [/Title.*: /, ENTER],
        [/What it does.*: /, key],
      ],
    );
    expect(screen).toContain('Nothing was written.');
    expect(exitCode).toBe(130);
    expect(documents(home)).toEqual([]);
  });

  test('--no-input asks nothing', async () => {
    const home = createHome();
    expect((await inTerminal(home.folder, ['new', 'A', '--no-input'], [])).exitCode).toBe(0);
    expect(documents(home)).toEqual(['A.md']);
  });
});
