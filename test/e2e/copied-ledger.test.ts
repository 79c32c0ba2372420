/** A ledger that was copied, moved, cannot be written, or is not there: what is looked after, and what is left alone. */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import type { StoredRun } from '../../src/core/run.ts';
import { BIN, classic, cleanEnvironment, createHome, KILL_RUNNER } from '../helpers/cli.ts';
import type { CliResult, Home } from '../helpers/cli.ts';
import { requires } from '../helpers/requires.ts';

/** Its script kills the runner. */
const DIES = classic('Dies', `echo began; ${KILL_RUNNER}`);
const IS_COPY = /This is a copy of the ledger of .*: it is read, not looked after\.\n/;

/** A home with one run whose runner is gone, and nobody has looked yet. */
async function withDeadRun(): Promise<Home & { readonly document: string }> {
  const home = createHome();
  const document = home.write('Dies.md', DIES);
  home.write('Task.md', classic('Task', 'echo out'));
  expect((await home.run(['execute', '-q', './Dies.md'])).exitCode).toBeUndefined();
  return { ...home, document };
}

const stateOf = (folder: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((one) => one.isFile() && !one.name.endsWith('-shm'))
      .map((one) => path.join(one.parentPath, one.name))
      .map((file) => [path.relative(folder, file), readFileSync(file).toString('base64')]),
  );
const scratchOf = (home: Home): readonly string[] =>
  readdirSync(path.join(home.folder, '.tmp'), { recursive: true }).map(String).sort();
const runsOf = async (home: Home, ...options: readonly string[]): Promise<readonly StoredRun[]> =>
  (await home.json(['history', ...options]))['runs'] as readonly StoredRun[];
const statesOf = async (home: Home, ...options: readonly string[]): Promise<readonly string[]> =>
  (await runsOf(home, ...options)).map(({ runbook, state }) => `${runbook.name} ${state}`);

describe('a copy of a ledger', () => {
  it('is asked without a change, and nobody is looked after', async () => {
    const home = await withDeadRun();
    const copy = path.join(home.folder, 'copy');
    cpSync(home.stateDir, copy, { recursive: true });
    const before = [stateOf(copy), readFileSync(home.document, 'utf8'), scratchOf(home)];
    const [one] = await runsOf(home, '--state-dir', copy);
    expect(one?.state).toBe('started');
    for (const args of [
      ['history'],
      ['history', one?.runId ?? ''],
      ['history', '--grep', 'began'],
      ['ps'],
      ['audit', 'list'],
      ['history', '--prune', '--older-than', '1s', '--dry-run'],
      ['audit', 'verify'],
    ]) {
      const { exitCode, stderr } = await home.run([...args, '--state-dir', copy]);
      expect([args, exitCode]).toEqual([args, 0]);
      if (args[1] !== '--prune' && args[1] !== 'verify') expect(stderr).toMatch(IS_COPY);
    }
    expect([stateOf(copy), readFileSync(home.document, 'utf8'), scratchOf(home)]).toEqual(before);
    // Where it lives the run is looked after.
    expect(await statesOf(home)).toEqual(['Dies interrupted']);
    expect(readFileSync(home.document, 'utf8')).toContain('Exit Code: -1');
  });

  it('is a ledger of its own when something is run there: what was under way has its end there alone', async () => {
    const home = await withDeadRun();
    const copy = path.join(home.folder, 'copy');
    cpSync(home.stateDir, copy, { recursive: true });
    const before = [stateOf(home.stateDir), readFileSync(home.document, 'utf8'), scratchOf(home)];
    const first = await home.run(['execute', './Task.md', '--history', 'ledger', '--state-dir', copy]);
    expect(first).toMatchObject({ exitCode: 0, stdout: 'out\n' });
    expect(first.stderr).toContain(`was copied from ${home.stateDir} and is one of its own from now on.`);
    expect([stateOf(home.stateDir), readFileSync(home.document, 'utf8'), scratchOf(home)]).toEqual(before);
    const runs = await runsOf(home, '--state-dir', copy);
    expect(runs.map(({ runbook, state }) => `${runbook.name} ${state}`)).toEqual(['Task finished', 'Dies interrupted']);
    expect(runs[1]?.interruption).toMatchObject({ survivors: null, workFolder: null });
    const { stdout, stderr } = await home.run(['history', runs[1]?.runId ?? '', '--state-dir', copy]);
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^not ended +not known: nobody could look for processes of it$/m);
    expect((await home.run(['audit', 'list', '--state-dir', copy])).stdout).toMatch(/ move .*copied from /);
    expect((await home.run(['audit', 'verify', '--state-dir', copy])).exitCode).toBe(0);
    expect(scratchOf(home)).toEqual(before[2]);
    expect(await statesOf(home)).toEqual(['Dies interrupted']);
  });

  it.each([['pause', 'because'], ['resume'], ['history', '--prune', '--older-than', '1s', '--yes']])(
    'is one of its own after %s %s',
    async (...args) => {
      const home = createHome();
      home.write('Task.md', classic('Task', 'echo out'));
      await home.run(['execute', './Task.md', '--history', 'ledger']);
      if (args[0] === 'resume') await home.run(['pause', 'because']);
      // So that there is something to take out.
      if (args[1] === '--prune') await delay(1000);
      const copy = path.join(home.folder, 'copy');
      cpSync(home.stateDir, copy, { recursive: true });
      const given = args.filter((one) => typeof one === 'string');
      expect((await home.run([...given, '--state-dir', copy])).exitCode).toBe(0);
      expect((await home.run(['audit', 'list', '--state-dir', copy])).stdout).toMatch(/ move /);
      expect((await home.run(['ps', '--state-dir', copy])).stderr).not.toMatch(IS_COPY);
    },
  );
});

describe('a ledger at another place that is no copy', () => {
  it.each<[how: string, move: (from: string, to: string) => void]>([
    ['moved', (from, to) => renameSync(from, to)],
    ['reached by a link', (from, to) => symlinkSync(from, to)],
  ])('(%s) is looked after', async (_, move) => {
    const home = await withDeadRun();
    const there = path.join(home.folder, 'there');
    move(home.stateDir, there);
    expect(await statesOf(home, '--state-dir', there)).toEqual(['Dies interrupted']);
    expect(readFileSync(home.document, 'utf8')).toContain('Exit Code: -1');
  });
});

describe('a ledger that is not there', () => {
  it('where somebody names it is a mistake, and none is made', async () => {
    const home = createHome();
    const typo = path.join(home.folder, 'typo');
    for (const args of [
      ['history'],
      ['history', '--follow'],
      ['ps'],
      ['audit', 'list'],
      ['pause', 'because'],
      ['resume'],
      ['cancel', 'last'],
      ['history', '--prune', '--older-than', '1d', '--yes'],
    ]) {
      const { exitCode, stderr } = await home.run([...args, '--state-dir', typo]);
      expect([args, exitCode]).toEqual([args, 66]);
      expect(stderr).toMatch(/There is no ledger in \S+typo\.\n {2}fix: /);
      const byName = await home.run(args, { env: { RUNBOOK_STATE_DIR: typo } });
      expect([args, byName.exitCode]).toEqual([args, 66]);
    }
    const doctor = await home.run(['doctor', '--state-dir', typo]);
    expect(doctor.stdout).toContain(`none in ${typo} yet: the first run makes one\n`);
    expect(existsSync(typo)).toBe(false);
  });

  it('can be paused before its first run where its folder is the default one, or is there', async () => {
    const home = createHome();
    const there = path.join(home.folder, 'there');
    mkdirSync(there);
    for (const options of [[], ['--state-dir', there]]) {
      for (const args of [['resume'], ['cancel', 'last'], ['history', '--prune', '--older-than', '1d'], ['doctor']])
        await home.run([...args, ...options]);
      expect([existsSync(home.stateDir), readdirSync(there)]).toEqual([options.length > 0, []]);
      expect(await home.run(['pause', 'because', ...options])).toMatchObject({ exitCode: 0 });
      expect((await home.run(['ps', ...options])).stderr).toContain('Runs are paused since');
    }
  });

  it('where a file stands in place of its folder: that is said, and the file stays', async () => {
    const home = createHome();
    const file = home.write('state', 'mine');
    home.write('Task.md', classic('Task', 'touch "$HOME/effect"'));
    const audits = [
      ['audit', 'list'],
      ['audit', 'verify'],
    ];
    const changes = [['pause', 'because'], ['resume'], ['cancel', 'last'], ['execute', './Task.md']];
    for (const args of [['history'], ['ps'], ...audits, ...changes])
      for (const folder of [file, path.join(file, 'below')]) {
        const { exitCode, stderr } = await home.run([...args, '--state-dir', folder]);
        expect([args, exitCode]).toEqual([args, 74]);
        expect(stderr).toMatch(
          /^runbook: error: \S+state is a file and not a folder, so there is no ledger in it\.\n {2}fix: Name the folder [^\n]*\n$/,
        );
      }
    expect((await home.run(['doctor', '--state-dir', file])).stdout).toContain('is a file and not a folder');
    expect(readFileSync(file, 'utf8')).toBe('mine');
    expect(existsSync(path.join(home.folder, 'effect'))).toBe(false);
  });

  it('where nobody names one has no runs yet, and none is made', async () => {
    const home = createHome();
    expect(await home.run(['history'])).toEqual({ exitCode: 0, stdout: '', stderr: 'No runs are recorded.\n' });
    expect(await home.run(['ps'])).toMatchObject({ exitCode: 0, stderr: 'Nothing runs.\n' });
    expect(await home.json(['history', '--grep', 'abc'])).toMatchObject({ runs: [] });
    expect(existsSync(path.join(home.folder, '.local'))).toBe(false);
  });
});

describe.skipIf(!requires('unshare', '-rm', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'))(
  'a ledger that can only be read (needs unshare of util-linux)',
  () => {
    /** The commands, one after the other, with the state folder mounted so that nobody can write there. */
    async function asked(home: Home, folder: string, commands: readonly string[]): Promise<CliResult> {
      const script = [
        'mount --bind "$1" "$1"; mount -o remount,bind,ro "$1"',
        ...commands.map((one) => `"$2" -- "$3" ${one} --state-dir "$1" || echo "$? of ${one}"`),
      ].join('\n');
      const args = ['-rm', 'sh', '-ec', script, 'sh', folder, process.execPath, BIN];
      const options = { cwd: home.folder, env: cleanEnvironment(home.folder), extendEnv: false, reject: false };
      const { exitCode, stdout, stderr } = await execa('unshare', args, options);
      return { exitCode, stdout, stderr };
    }

    it.each<[what: string, leave: (folder: string) => void]>([
      ['as it was left', () => {}],
      ['without what lies beside it for its log', (folder) => rmSync(path.join(folder, 'ledger.sqlite-shm'))],
    ])('is asked all the same (%s)', async (_, leave) => {
      const home = await withDeadRun();
      leave(home.stateDir);
      const before = stateOf(home.stateDir);
      const commands = ['history', 'ps', 'audit list', 'audit verify', 'history --grep began'];
      const { stdout, stderr } = await asked(home, home.stateDir, commands);
      expect(stdout.match(/ of .*/g)).toBeNull();
      expect(stdout).toMatch(/ Dies +started /);
      expect(stdout).toContain('The record holds.');
      expect(stderr).toContain('This ledger can only be read: nobody looks after its runs.');
      expect(stateOf(home.stateDir)).toEqual(before);
      expect(scratchOf(home).filter((name) => name.startsWith('runbook-ledger'))).toEqual([]);
      expect(await statesOf(home)).toEqual(['Dies interrupted']);
    });

    it('is asked where nothing is beside it, and a run is refused in one sentence', async () => {
      const home = createHome();
      home.write('Task.md', classic('Task', 'echo out'));
      await home.run(['execute', './Task.md', '--history', 'ledger']);
      mkdirSync(path.join(home.folder, 'out'));
      const commands = ['history', 'ps', 'audit verify', 'audit copy out/copy.sqlite', 'execute ./Task.md'];
      const { stdout, stderr } = await asked(home, home.stateDir, commands);
      expect(stdout).toMatch(/ Task +succeeded /);
      expect(stdout.match(/\d+ of .*/g)).toEqual(['74 of execute ./Task.md']);
      expect(stderr).toMatch(/The ledger .* cannot be written or read/);
      expect(existsSync(path.join(home.folder, 'out/copy.sqlite'))).toBe(true);
    });
  },
);
