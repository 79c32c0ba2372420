/** `runbook pause` and `runbook resume`: nothing begins meanwhile, whoever is refused hears why, and the chain keeps both. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { openSqliteLedger } from '../../src/adapters/ledger/sqlite.ts';
import type { StoredOperation } from '../../src/core/ports.ts';
import type { StoredRun } from '../../src/core/run.ts';
import { letGo, startRun, waitFor } from '../helpers/background.ts';
import { classic, createHome } from '../helpers/cli.ts';
import type { Home } from '../helpers/cli.ts';
import { AUTH, SECRET } from '../helpers/json-calls.ts';
import { requires } from '../helpers/requires.ts';
import { ENTER, inTerminal } from '../helpers/terminal.ts';

const EFFECT = classic('Task', 'touch "$HOME/effect"');
const EXECUTE = ['execute', './Task.md', '--history', 'ledger'];

const hasEffect = (home: Home): boolean => existsSync(path.join(home.folder, 'effect'));

async function operations(home: Home): Promise<readonly StoredOperation[]> {
  const ledger = openSqliteLedger(path.join(home.stateDir, 'ledger.sqlite'));
  try {
    return await ledger.operations(100);
  } finally {
    ledger.close();
  }
}

describe('while runs are paused', () => {
  it('the reason has no password of an address in it', async () => {
    const home = createHome();
    const { stderr } = await home.run(['pause', 'https://ci:hunter22@ci.example/7', 'and', 'hunter22']);
    expect(stderr).toContain(': https://ci:***@ci.example/7 and ***. None begins');
    expect(await operations(home)).toMatchObject([{ reason: 'https://ci:***@ci.example/7 and ***' }]);
  });

  it('none begins: who, since when, why and what to do is said, and the record has it', async () => {
    const home = createHome();
    home.write('Task.md', EFFECT);
    // As many words as there are: nobody has to think of quotes in a hurry.
    const paused = await home.run(['pause', 'INC-42:', 'the', 'database']);
    expect(paused).toMatchObject({ exitCode: 0, stdout: '' });
    expect(paused.stderr).toMatch(
      /^Runs are paused since \S+ by \S+@\S+: INC-42: the database\. None begins until `runbook resume`\.\n$/,
    );

    const { exitCode, stdout, stderr } = await home.run(EXECUTE);
    expect({ exitCode, stdout }).toEqual({ exitCode: 75, stdout: '' });
    expect(stderr).toMatch(
      /error: Runs are paused since \S+ by \S+@\S+: INC-42: the database\.\n {2}fix: .*`runbook resume`/,
    );
    expect(hasEffect(home)).toBe(false);

    const { runs } = (await home.json(['history'])) as unknown as { runs: StoredRun[] };
    expect(runs).toMatchObject([
      { state: 'finished', startedAt: null, refusal: null, result: { outcome: 'canceled', exitCode: 75, steps: [] } },
    ]);
    const one = await home.run(['history', 'last']);
    expect(one.stdout).toMatch(/^state +finished before it began$/m);
    expect(one.stdout).toMatch(
      /^outcome +canceled, exit 75, 0ms: Runs are paused since \S+ by \S+: INC-42: the database\.$/m,
    );

    expect(one.stdout).not.toContain('containment');
    expect((await home.run(['history'])).stdout).toMatch(/ not begun: busy +75 /);
    expect((await home.run(['history', '--format', 'csv'])).stdout).toContain(',finished,not begun: busy,75,');
    expect((await home.run(['history', '--format', 'markdown'])).stdout).toContain('| not begun: busy (75) |');

    const ps = await home.run(['ps']);
    expect(ps).toMatchObject({ exitCode: 0, stdout: '' });
    expect(ps.stderr).toMatch(
      /^Nothing runs\.\nRuns are paused since .* INC-42: the database\. `runbook resume` lets them begin\.\n$/,
    );

    const resumed = await home.run(['resume']);
    expect(resumed).toMatchObject({ exitCode: 0, stdout: '' });
    expect(resumed.stderr).toMatch(/^Runs begin again; they were paused since \S+ by \S+: INC-42: the database\.\n$/);
    expect(await home.run(EXECUTE)).toMatchObject({ exitCode: 0 });
    expect(hasEffect(home)).toBe(true);
    expect(await operations(home)).toMatchObject([
      { operation: 'resume', reason: null, seq: 4 },
      { operation: 'pause', reason: 'INC-42: the database', seq: 1 },
    ]);
  });

  it('what is under way is not touched', async () => {
    const home = createHome();
    const run = await startRun(home, classic('Slow', waitFor('work')), 'work');
    const { stderr } = await home.run(['pause', 'later']);
    expect(stderr).toContain('One run is under way and not touched');
    expect((await home.run(['ps'])).stdout).toContain(run.runId);
    letGo(home, 'work');
    expect(await run.ended).toMatchObject({ exitCode: 0 });
  });

  it('a person is told before any question', async () => {
    if (!requires('script')) return;
    const home = createHome();
    home.write('Ask.md', classic('Ask', 'true', { env: 'WHERE: the place' }));
    await home.run(['pause', 'later']);
    const { screen, exitCode } = await inTerminal(
      home.folder,
      ['execute', './Ask.md', '--history', 'ledger'],
      [[/Runs are paused since .* later\.[^]*WHERE \(the place\): /, `here${ENTER}`]],
    );
    expect(exitCode).toBe(75);
    expect(screen).toContain('`runbook resume`');
  });

  it('another pause replaces the first, says so, and both are in the chain', async () => {
    const home = createHome();
    await home.run(['pause', 'first']);
    const second = await home.run(['pause', 'second']);
    expect(second.stderr).toMatch(
      /^Runs were paused already, since \S+ by \S+: first; that is replaced\.\nRuns are paused since .*: second\./,
    );
    expect((await operations(home)).map(({ reason }) => reason)).toEqual(['second', 'first']);
    await home.run(['resume']);
    expect(await home.json(['ps'])).toMatchObject({ paused: null });
  });

  it('the settings of new runs change nothing: also who leaves no record can pause', async () => {
    const home = createHome();
    await home.run(['pause', 'all'], { env: { RUNBOOK_HISTORY: 'none' } });
    expect(await home.json(['ps'])).toMatchObject({ paused: { reason: 'all' } });
  });
});

describe('the reason', () => {
  it('is one line, and none of the tool’s own secrets', async () => {
    const home = createHome();
    await home.run(['pause', `token\n${SECRET}\u001b[2J `], { env: AUTH });
    const { stderr } = await home.run(['ps']);
    expect(stderr).toContain(': token ***\\u{1b}[2J. `runbook resume`');
    expect(JSON.stringify(await operations(home))).not.toContain(SECRET);
  });

  it('has nothing of what the environment holds under a name that looks like a secret’s', async () => {
    const home = createHome();
    const env = { DB_PASSWORD: 'tr0ub4dor-and-3', REGION: 'eu-west-1' };
    const said = await home.run(['pause', 'tried tr0ub4dor-and-3 in eu-west-1', '--json'], { env });
    expect(said.stdout).toContain('tried *** in eu-west-1');
    expect(JSON.stringify(await operations(home))).not.toContain(env.DB_PASSWORD);
  });

  it.each([
    ['not there', ['pause'], /Missing required argument 'reason'/],
    ['blank', ['pause', '  '], /The reason is empty/],
    ['long', ['pause', 'x'.repeat(501)], /more than 500 characters/],
  ])('is needed, and short: not one that is %s', async (_, args, says) => {
    const home = createHome();
    const { exitCode, stderr } = await home.run(args);
    expect(exitCode).toBe(64);
    expect(stderr).toMatch(says);
    expect(await home.json(['ps'])).toMatchObject({ paused: null });
  });

  it('nothing paused, nothing to resume', async () => {
    const home = createHome();
    expect(await home.run(['resume'])).toEqual({ exitCode: 0, stdout: '', stderr: 'Nothing was paused.\n' });
    expect(await operations(home)).toEqual([]);
  });
});
