/** `plan` says what `execute` would do and meet, by the same words and the same exit code, and leaves no trace of itself. */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { BIN, classic, cleanEnvironment, createHome } from '../helpers/cli.ts';
import type { Home } from '../helpers/cli.ts';
import { AUTH, CONFIRMED, mint, STEPS } from '../helpers/json-calls.ts';
import { PLAN_CASES } from '../helpers/plan-cases.ts';
import { requires } from '../helpers/requires.ts';
import { inTerminal } from '../helpers/terminal.ts';

interface Plan {
  readonly wouldRun: boolean;
  readonly exitCode: number;
  readonly refusals: readonly { code: string; message: string; problems: readonly { rule: string }[] }[];
  readonly variables: readonly { name: string; source: string; value: string | null }[];
  readonly environment: readonly string[];
  readonly containment: unknown;
  readonly limits: readonly { name: string; value: number | null; from: string | null; held: boolean | null }[];
  readonly steps: readonly { name: string; runs: string; argv: readonly string[] | null }[];
  readonly document: { commit: string | null } | null;
  readonly warnings: readonly string[];
}

const planned = async (home: Home, args: readonly string[], env = {}): Promise<Plan> =>
  (await home.json(['plan', ...args], { env })) as unknown as Plan;

/** Of any command: where Node keeps compiled code, and the folder for temporary files. */
const CACHES = new Set(['.cache', '.cache/runbook', '.tmp']);

/** Every file below a folder, by what is in it. */
function contents(folder: string): ReadonlyMap<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true });
  return new Map(
    files
      .filter(({ name, parentPath }) => !CACHES.has(path.relative(folder, path.join(parentPath, name))))
      .map((entry) => [path.join(entry.parentPath, entry.name), entry] as const)
      .map(([file, entry]) => [
        file,
        entry.isFile() ? createHash('sha256').update(readFileSync(file)).digest('hex') : 'no file',
      ]),
  );
}

describe('plan and execute', () => {
  test.each(PLAN_CASES)('$name', async ({ refusals, exit, prepare }) => {
    const home = createHome();
    const { args, after, ...options } = await prepare(home);
    // Whoever runs meanwhile writes to the ledger.
    const before = after === undefined ? contents(home.folder) : null;
    const plan = await home.run(['plan', ...args, '--json'], options);
    if (before !== null) expect(contents(home.folder)).toEqual(before);
    const executed = await home.run(['execute', ...args, '--json'], options);
    await after?.();

    const { error, ...said } = JSON.parse(plan.stdout) as Plan & { readonly error?: Plan['refusals'][number] };
    const all = error === undefined ? said.refusals : [error];
    expect(all.map(({ code }) => code)).toEqual(refusals);
    expect({ exit: plan.exitCode, stderr: plan.stderr }).toEqual({ exit, stderr: plan.stderr });
    const run = JSON.parse(executed.stdout) as { readonly error?: { message: string; problems: unknown } };
    expect({ exit: executed.exitCode, stderr: executed.stderr }).toEqual({ exit, stderr: executed.stderr });
    expect(run.error?.problems).toEqual(all[0]?.problems);
    // A path is looked at in another way where nothing may be made on it.
    const first = all[0]?.message.replace(/\([A-Z]+\)|: [A-Z]+: .*/, '');
    expect(run.error?.message.replace(/\([A-Z]+\)|: [A-Z]+: .*/, '')).toBe(first);
  });

  test('have the same options, and `execute --dry-run` is `plan`', async () => {
    const home = createHome();
    home.write('Task.md', classic('Task', 'touch "$HOME/ran"', { env: 'A: a' }));
    const options = async (command: string): Promise<readonly string[]> => {
      const { stdout } = await home.run([command, '--help']);
      const names = [...stdout.matchAll(/^ +(?:-\w, )?(--[\w-]+)/gm)].map(([, name]) => name ?? '');
      return [...new Set(names)].sort();
    };
    const ofPlan = await options('plan');
    expect(await options('execute')).toEqual(ofPlan.concat('--dry-run').sort());
    expect(ofPlan.length).toBeGreaterThan(20);
    const dry = await home.run(['execute', './Task.md', '--dry-run', '--env', 'A=1']);
    expect(dry).toEqual(await home.run(['plan', './Task.md', '--env', 'A=1']));
    expect(dry.stderr).toBe('It would run. Nothing was started or written.\n');
    expect(contents(home.folder)).toEqual(contents(home.folder));
    expect([...contents(home.folder).keys()].filter((file) => /ran$|sqlite|\.key$/.test(file))).toEqual([]);
  });
});

describe('what a plan says', () => {
  test('is what then happens: variables, environment, containment, words, limits', async () => {
    const home = createHome();
    const script =
      'env -0 | cut -z -d= -f1 | sort -z | tr "\\0" "\\n" > "$HOME/names"\ntr "\\0" "\\n" < /proc/$$/cmdline > "$HOME/words"';
    const env = 'GIVEN: a\nFILED: b\nCALLER: c\nDEFAULT:\n  default: d\nMADE:\n  secret: true\n  generate: 12';
    home.write(
      'Task.md',
      classic('Task', script, { env }).replace(
        '# Script',
        '# Limits\n```yaml\ntimeout: 1m\nmemory: 1GiB\n```\n\n# Script',
      ),
    );
    home.write('file', 'FILED=from the file\n');
    const args = [
      './Task.md',
      '--env',
      'GIVEN=g',
      '--env-file',
      'file',
      '--pass-env',
      'PASS_*',
      '--env',
      'EXTRA=x',
      '--timeout',
      '30s',
      '--history',
      'ledger',
    ];
    const options = { env: { CALLER: 'c', PASS_ME: 'p', OTHER: 'o', TERM: 'dumb' } };
    const plan = (await home.json(['plan', ...args], options)) as unknown as Plan;
    expect(plan.variables.map(({ name, source, value }) => [name, source, value])).toEqual([
      ['GIVEN', 'given', 'g'],
      ['FILED', 'env-file', 'from the file'],
      ['CALLER', 'environment', 'c'],
      ['DEFAULT', 'default', 'd'],
      ['MADE', 'generated', null],
      ['EXTRA', 'given', 'x'],
    ]);
    expect(plan.limits.filter(({ value }) => value !== null)).toMatchObject([
      { name: 'timeout', value: 30_000, from: 'caller', held: true },
      { name: 'output', from: 'setting max_output', held: true },
      { name: 'memory', value: 1024 ** 3, from: 'runbook' },
    ]);

    expect((await home.run(['execute', ...args], options)).exitCode).toBe(0);
    // A shell adds these by itself.
    const own = new Set(['_', 'PWD', 'OLDPWD', 'SHLVL']);
    const names = readFileSync(path.join(home.folder, 'names'), 'utf8').trim().split('\n');
    expect(plan.environment).toEqual(names.filter((name) => !own.has(name)).sort());
    const { runs } = (await home.json(['history'])) as unknown as {
      runs: readonly {
        runId: string;
        containment: { rung: string; reaper: string; refused: readonly string[] };
        variables: readonly { name: string; origin: string }[];
      }[];
    };
    const { rung, reaper, refused } = runs[0]?.containment ?? {};
    expect(plan.containment).toEqual({ rung, reaper, refused });
    expect(plan.limits.find(({ name }) => name === 'memory')?.held).toBe(rung === 'cgroup');
    const words = readFileSync(path.join(home.folder, 'words'), 'utf8').trim().split('\n');
    const id = runs[0]?.runId.toLowerCase() ?? '';
    expect(plan.steps[0]?.argv).toEqual(words.map((word) => word.replace(id, 'run-id')));
    expect(new Map(plan.variables.map(({ name, source }) => [name, source]))).toEqual(
      new Map((runs[0]?.variables ?? []).map(({ name, origin }) => [name, origin])),
    );
  });

  test.each(['auto', 'reaper', 'process-group'])(
    'containment `%s` with every limit, as the run has it',
    async (containment) => {
      const home = createHome();
      home.write('Task.md', classic('Task', 'true'));
      const env = {
        RUNBOOK_CONTAINMENT: containment,
        MAX_MEMORY: '1GiB',
        MAX_PROCESSES: '500',
        MAX_FILE_SIZE: '1GiB',
        MAX_OPEN_FILES: '256',
      };
      const plan = await planned(home, ['./Task.md'], env);
      const { stderr } = await home.run(['execute', './Task.md', '--history', 'ledger'], { env });
      const { runs } = (await home.json(['history'])) as unknown as {
        runs: readonly { containment: { rung: string; reaper: string | null; refused: readonly string[] } }[];
      };
      const { rung, reaper, refused } = runs[0]?.containment ?? {};
      expect(plan.containment).toEqual({ rung, reaper, refused });
      const unheld = new Set(plan.limits.filter(({ held }) => held === false).map(({ name }) => name));
      for (const name of ['memory', 'processes', 'file size', 'open files'])
        expect({ name, isUnheld: unheld.has(name) }).toEqual({ name, isUnheld: stderr.includes(`\`${name}\``) });
    },
  );

  test('has no secret in it, however it came, and no word of it', async () => {
    const home = createHome();
    const secret = 'correct-horse-battery-staple';
    // Too short to be masked: only what knows that it is a secret can leave it out.
    const env = 'VAULT_TOKEN: a\nADDRESS: b\nPIN_TOKEN: c';
    home.write('Task.md', classic('Task', 'true', { env }));
    const options = { env: { VAULT_TOKEN: secret, PIN_TOKEN: '4Q7', ADDRESS: `https://anna:${secret}@host/` } };
    for (const form of [['--json'], []]) {
      const { stdout, stderr, exitCode } = await home.run(['plan', './Task.md', ...form], options);
      expect(exitCode).toBe(0);
      expect(stdout).toContain('https://anna:***@host/');
      expect(stdout + stderr).not.toMatch(/horse|4Q7/);
    }
  });

  test('asks nothing at a terminal, and says what would be asked', async () => {
    const home = createHome();
    home.write(
      'Task.md',
      CONFIRMED.replace('# Steps', '# Environment Requirements\n```yaml\nHOST: which one\n```\n\n# Steps'),
    );
    const { screen, exitCode } = await inTerminal(home.folder, ['plan', './Task.md'], []);
    expect(exitCode).toBe(0);
    expect(screen).toMatch(/HOST +would be asked for/);
    expect(screen).toMatch(/asks: Sure\?/);
    expect(screen).toContain('It would run.');
    expect(screen).not.toContain('HOST (which one):');
  });

  test('goes on from the run that execute would go on from', async () => {
    const home = createHome();
    home.write('Task.md', STEPS);
    const options = { env: AUTH };
    const args = [
      './Task.md',
      '--token-file',
      await mint(home, '--role', 'sre'),
      '--history',
      'ledger',
      '--env',
      'PASSWORD',
    ];
    const withPassword = { env: { ...AUTH, PASSWORD: 'correct-horse-battery' } };
    await home.run(['execute', ...args], withPassword);
    const { runs } = (await home.json(['history'])) as unknown as { runs: readonly { runId: string }[] };
    const plan = await home.json(['plan', ...args, '--from', 'Break'], withPassword);
    expect(plan).toMatchObject({ exitCode: 0, continues: { runId: runs[0]?.runId, obstacle: null } });
    expect(plan['variables']).toContainEqual(
      expect.objectContaining({ name: 'PLACE', source: 'earlier run', step: 'Ask' }),
    );
    const other = await home.json(['plan', ...args, '--env', 'COLOUR=green', '--from', 'Break'], withPassword);
    expect(other).toMatchObject({ continues: { obstacle: expect.stringContaining('COLOUR') } });
    expect(other['variables']).toContainEqual(expect.objectContaining({ name: 'PLACE', source: 'missing' }));
    expect(options).toEqual({ env: AUTH });
  });

  test.skipIf(!requires('git'))('has the commit that git has, without git', async () => {
    const home = createHome();
    const git = async (...words: readonly string[]): Promise<string> =>
      (
        await execa('git', ['-c', 'user.name=a', '-c', 'user.email=a@b.c', '-c', 'commit.gpgsign=false', ...words], {
          cwd: home.folder,
        })
      ).stdout;
    const commit = async (args: readonly string[]): Promise<string | null | undefined> =>
      (await planned(home, args, { PATH: '/usr/bin:/bin' })).document?.commit;
    home.write('Task.md', classic('Task', 'true'));
    expect(await commit(['./Task.md'])).toBeNull();
    await git('init', '--quiet');
    expect(await commit(['./Task.md'])).toBeNull();
    await git('add', 'Task.md');
    await git('commit', '--quiet', '-m', 'one');
    expect(await commit(['./Task.md'])).toBe(await git('rev-parse', 'HEAD'));
    await git('pack-refs', '--all');
    expect(await commit(['./Task.md'])).toBe(await git('rev-parse', 'HEAD'));
    await git('worktree', 'add', '--quiet', '-b', 'other/branch', 'linked');
    await git('-C', 'linked', 'commit', '--quiet', '--allow-empty', '-m', 'two');
    expect(await commit(['linked/Task.md'])).toBe(await git('-C', 'linked', 'rev-parse', 'HEAD'));
    await git('checkout', '--quiet', '--detach');
    expect(await commit(['./Task.md'])).toBe(await git('rev-parse', 'HEAD'));
  });
});

describe.skipIf(!requires('strace'))('a plan (needs strace)', () => {
  test('starts nothing, also of a runbook that would start much', async () => {
    const home = createHome();
    home.write(
      'Task.md',
      STEPS.replace('## Never', '## Terminal\n```yaml\ntty: true\n```\n```bash\ntrue\n```\n\n## Never'),
    );
    mkdirSync(path.join(home.folder, '.git'));
    const token = await mint(home, '--role', 'sre');
    const trace = path.join(home.folder, 'trace');
    const traced = async (command: string): Promise<readonly string[]> => {
      const words = [process.execPath, '--', BIN, command, './Task.md', '--token-file', token];
      const { timedOut } = await execa(
        'strace',
        ['-f', '-qq', '-e', 'trace=execve,execveat,fork,vfork,clone,clone3', '-o', trace, ...words],
        {
          cwd: home.folder,
          env: { ...cleanEnvironment(home.folder), ...AUTH },
          extendEnv: false,
          reject: false,
          stdio: 'ignore',
          timeout: 60_000,
        },
      );
      const calls = readFileSync(trace, 'utf8').split('\n');
      // It goes on without the one who looks at it.
      if (timedOut) process.kill(Number(calls[0]?.split(' ')[0]), 'SIGKILL');
      expect(timedOut).toBe(false);
      rmSync(trace);
      // Threads share the memory and the number of their process.
      return calls.filter(
        (call) => /\b(?:execve|execveat|fork|vfork|clone3?)\(/.test(call) && !/CLONE_THREAD/.test(call),
      );
    };
    const planCalls = await traced('plan');
    expect(planCalls).toHaveLength(1);
    expect(planCalls[0]).toContain('execve(');
    home.write('Task.md', classic('Task', 'true'));
    expect((await traced('execute')).length).toBeGreaterThan(3);
  });
});
