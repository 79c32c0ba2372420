/** `runbook cancel` and `runbook ps`: what runs elsewhere is seen and ended from here, and the record says who did it. */
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { openSqliteLedger } from '../../src/adapters/ledger/sqlite.ts';
import type { Operation } from '../../src/core/ports.ts';
import type { StoredRun } from '../../src/core/run.ts';
import { eventually, letGo, start, startRun, waitFor } from '../helpers/background.ts';
import { classic, createHome } from '../helpers/cli.ts';
import type { CliResult, Home } from '../helpers/cli.ts';
import { requires } from '../helpers/requires.ts';
import { inTerminal } from '../helpers/terminal.ts';

const SLOW = `# Slow\n\n# Steps\n\n## Look\n\`\`\`sh\necho looked\n\`\`\`\n\n## Work\n\`\`\`sh\n${waitFor('work')}\necho worked >> "$HOME/effect"\n\`\`\`\n`;

interface Running {
  readonly runId: string;
  readonly cancel: { readonly by: string; readonly reason: string | null } | null;
}
const running = async (home: Home): Promise<readonly Running[]> =>
  ((await home.json(['ps'])) as unknown as { runs: Running[] }).runs;

const stored = async (home: Home, runId: string): Promise<StoredRun> =>
  ((await home.json(['history', runId])) as unknown as { run: StoredRun }).run;

async function operations(home: Home): Promise<readonly Operation[]> {
  const ledger = openSqliteLedger(path.join(home.stateDir, 'ledger.sqlite'));
  try {
    return await ledger.operations(100);
  } finally {
    ledger.close();
  }
}

describe('what runs now', () => {
  it('is shown with where it is, who started it, and when it has printed last', async () => {
    const home = createHome();
    const run = await startRun(home, SLOW, 'work', ['--incident', 'INC-7']);
    const { stdout, stderr, exitCode } = await home.run(['ps']);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    const [heads, line, ...rest] = stdout.trimEnd().split('\n');
    expect(heads).toMatch(/^RUN +RUNBOOK +STEP +SINCE +FOR +WHO +WHERE +OUTPUT$/);
    expect(rest).toEqual([]);
    expect(line).toMatch(
      new RegExp(
        String.raw`^${run.runId}  Slow +2/2 Work +\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ +\S+ +\S+ \(no token\)  \S+@\S+ ${run.pid} +\d+s ago$`,
      ),
    );
    expect(await home.json(['ps'])).toMatchObject({
      paused: null,
      runs: [
        {
          runId: run.runId,
          runbook: 'Slow',
          path: path.join(home.folder, 'Slow.md'),
          state: 'started',
          incident: 'INC-7',
          step: { number: 2, of: 2, name: 'Work' },
          pid: run.pid,
          lastOutputAt: expect.any(String) as unknown,
          cancel: null,
        },
      ],
    });
    const one = await home.run(['history', 'last']);
    expect(one.stdout).toMatch(
      /^state +started\n(?:.*\n)*step +Look: succeeded, \S+\nstep +“Work” \(step 2 of 2\): begun at \S+Z, under way$/m,
    );
    letGo(home, 'work');
    expect(await run.ended).toMatchObject({ exitCode: 0 });
    expect(await home.run(['ps'])).toEqual({ exitCode: 0, stdout: '', stderr: 'Nothing runs.\n' });
  });

  it('says of a run that prints nothing that it does not, and of a rehearsal that it is one', async () => {
    const home = createHome();
    mkdirSync(path.join(home.folder, 'stubs'));
    chmodSync(home.write('stubs/ssh', '#!/bin/sh\n'), 0o755);
    await startRun(home, classic('Slow', waitFor('work')), 'work', ['--stubs', 'stubs']);
    expect((await home.run(['ps'])).stdout).toMatch(/1\/1 .* none yet  rehearsal\n$/);
    letGo(home, 'work');
  });

  it('has nothing of a run whose runner was killed: that is recorded as interrupted', async () => {
    const home = createHome();
    const run = await startRun(home, SLOW, 'work');
    process.kill(run.pid, 'SIGKILL');
    await run.ended;
    const { stdout, stderr } = await home.run(['ps']);
    expect(stdout).toBe('');
    expect(stderr).toContain(`Run ${run.runId} of Slow: Interrupted at “Work” (step 2 of 2).`);
    expect(await stored(home, run.runId)).toMatchObject({ state: 'interrupted' });
  });

  it('is asked of the ledger also where runs are to leave no record', async () => {
    const home = createHome();
    const run = await startRun(home, SLOW, 'work');
    const { stdout } = await home.run(['ps'], { env: { RUNBOOK_HISTORY: 'none' } });
    expect(stdout).toContain(run.runId);
    letGo(home, 'work');
  });
});

describe('a run that is canceled', () => {
  it('ends, and its owner, its record and the chain say who wanted it and why', async () => {
    const home = createHome();
    const run = await startRun(home, SLOW, 'work');
    // As people write it: a beginning, in small letters.
    const reference = run.runId.slice(0, 20).toLowerCase();
    const { exitCode, stdout, stderr } = await home.run(
      ['cancel', reference, '--reason', ' wrong\n cluster s3cr3t-0f-mine '],
      {
        env: { DB_PASSWORD: 's3cr3t-0f-mine' },
      },
    );
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: '' });
    expect(stderr).toContain(`run ${run.runId} was canceled`);

    const owner = await run.ended;
    expect(owner.exitCode).toBe(143);
    expect(owner.stderr).toMatch(/canceled: Canceled by \S+@\S+: wrong cluster \*\*\*\./);
    const { state, result } = await stored(home, run.runId);
    expect({ state, outcome: result?.outcome }).toEqual({ state: 'finished', outcome: 'canceled' });
    expect(result?.reason).toMatch(/^Canceled by \S+: wrong cluster \*\*\*\.$/);
    expect(result?.steps.map(({ outcome }) => outcome)).toEqual(['succeeded', 'canceled']);
    expect(await operations(home)).toMatchObject([{ operation: 'cancel', run: run.runId, reason: null }]);
    expect((await home.run(['audit', 'list'])).stdout).toMatch(
      new RegExp(String.raw` cancel +\S+@\S+ +${run.runId}, wrong cluster \*\*\*  \d+$`, 'm'),
    );
    expect(await home.run(['ps'])).toMatchObject({ stdout: '' });
  });

  it.each([
    ['that its owner hears of', false],
    ['whose owner is killed before it hears of it', true],
  ])('%s, for a reason that names its secrets: none of them is left in the ledger', async (_, isKilled) => {
    const home = createHome();
    const secret = 'k3y-0f-th3-run-4711';
    const env = { DB_PASSWORD: secret };
    const document = SLOW.replace(
      '# Steps',
      '# Environment Requirements\n```yaml\nDB_PASSWORD:\n  secret: true\n```\n\n# Steps',
    );
    const run = await startRun(home, document, 'work', ['--incident', 'https://anna:abc@ci/1'], env);
    if (isKilled) process.kill(run.pid, 'SIGSTOP');
    const reason = `not with ${secret}, see https://anna:abc@ci/1`;
    await home.run(['cancel', 'last', '--no-wait', '--reason', reason]);
    if (isKilled) process.kill(run.pid, 'SIGKILL');
    const { stderr } = await run.ended;
    const record = await home.run(['history', 'last', '--json']);
    const list = await home.run(['audit', 'list']);
    expect(record.stdout).toContain('https://anna:***@ci/1');
    if (!isKilled) expect(record.stdout).toContain(': not with ***, see https://anna:***@ci/1.');
    expect(record.stdout).toContain(isKilled ? '"interrupted"' : '"canceled"');
    const files = readdirSync(home.stateDir)
      .filter((name) => name.startsWith('ledger'))
      .map((name) => readFileSync(path.join(home.stateDir, name), 'latin1'));
    for (const text of [stderr, record.stdout, list.stdout, ...files]) expect(text).not.toContain(secret);
    for (const text of [record.stdout, list.stdout, ...files]) expect(text).not.toContain(':abc@');
  });

  it('at a question, ends there', async () => {
    if (!requires('script')) return;
    const home = createHome();
    home.write(
      'Ask.md',
      '# Ask\n\n# Steps\n\n## Change\n```yaml\nconfirm: Sure?\n```\n```sh\ntouch "$HOME/effect"\n```\n',
    );
    const canceled: Promise<CliResult>[] = [];
    const { screen, exitCode } = await inTerminal(
      home.folder,
      ['execute', './Ask.md', '--history', 'ledger'],
      [
        [
          /Sure\? \[y\/N\] /,
          () => {
            canceled.push(home.run(['cancel', 'LAST']));
          },
        ],
      ],
    );
    expect(await Promise.all(canceled)).toMatchObject([{ exitCode: 0 }]);
    expect(exitCode).toBe(143);
    expect(screen).toMatch(/Canceled by \S+@\S+\./);
    expect(existsSync(path.join(home.folder, 'effect'))).toBe(false);
  });

  it('is not waited for with --no-wait, and ends all the same', async () => {
    const home = createHome();
    const run = await startRun(home, SLOW, 'work');
    const { exitCode, stderr } = await home.run(['cancel', 'last', '--no-wait']);
    expect(exitCode).toBe(0);
    expect(stderr).toContain(`asked run ${run.runId} (Slow) to end`);
    expect(await run.ended).toMatchObject({ exitCode: 143 });
  });

  it('whose owner does not answer is told so after a while, and ends when the owner looks again', async () => {
    const home = createHome();
    const run = await startRun(home, SLOW, 'work');
    process.kill(run.pid, 'SIGSTOP');
    const { exitCode, stderr } = await home.run(['cancel', run.runId, '--wait', '1s', '--reason', 'stuck']);
    expect(exitCode).toBe(75);
    expect(stderr).toMatch(
      new RegExp(String.raw`has not ended within 1s: its owner \(process ${run.pid} on \S+\) does not answer`),
    );
    const shown = await home.run(['ps']);
    expect(shown.stdout).toMatch(/to be canceled: asked by \S+@\S+ \d+s ago: stuck\n$/);
    process.kill(run.pid, 'SIGCONT');
    expect(await run.ended).toMatchObject({ exitCode: 143 });
  });

  it('but ends otherwise before that is told with a code of its own', async () => {
    const home = createHome();
    const run = await startRun(home, SLOW, 'work');
    process.kill(run.pid, 'SIGSTOP');
    const cancel = start(home, ['cancel', run.runId, '--wait', '1m']);
    await eventually(
      async () => (await running(home))[0]?.cancel !== null,
      () => 'a request to cancel',
    );
    process.kill(run.pid, 'SIGKILL');
    const { exitCode, stderr } = await cancel.ended;
    expect(stderr).toContain(`run ${run.runId} ended before it could be canceled: Interrupted at “Work”`);
    expect(exitCode).toBe(66);
  });

  it('goes on being canceled when whoever waits for it leaves', async () => {
    const home = createHome();
    const run = await startRun(home, SLOW, 'work');
    process.kill(run.pid, 'SIGSTOP');
    const cancel = start(home, ['cancel', run.runId, '--wait', '1m']);
    await cancel.until('stderr', /waiting for it/);
    process.kill(cancel.pid, 'SIGINT');
    const { exitCode, stderr } = await cancel.ended;
    expect({ exitCode }).toEqual({ exitCode: 130 });
    expect(stderr).toContain('is still to be canceled');
    process.kill(run.pid, 'SIGCONT');
    expect(await run.ended).toMatchObject({ exitCode: 143 });
  });

  it('is never another one than was named, and what is refused leaves nothing in the chain', async () => {
    const home = createHome();
    home.write('Done.md', classic('Done', 'true'));
    for (let runs = 0; runs < 2; runs += 1) await home.run(['execute', './Done.md', '--history', 'ledger']);
    const { runs } = (await home.json(['history'])) as unknown as { runs: StoredRun[] };
    const [newest = '', other = ''] = runs.map(({ runId }) => runId);
    const common = Array.from(newest).findIndex((character, at) => character !== other[at]);
    const cases: readonly (readonly [readonly string[], number, RegExp])[] = [
      [[newest], 66, /is not under way: it has ended \(succeeded\)/],
      [['last'], 66, /it has ended/],
      [['0ZZZ'], 66, /There is no run “0ZZZ”/],
      [[newest.slice(0, common)], 64, /Several runs begin with/],
      [[''], 64, /the id is empty/],
      [[' '], 64, /the id is empty/],
      [['%'], 66, /There is no run/],
      [[], 64, /Missing required argument 'run'/],
      [[newest, '--wait', 'soon'], 64, /“soon” is not a duration/],
      [[newest, '--reason', ' '], 64, /The reason is empty/],
      [[newest, '--reason', 'x'.repeat(501)], 64, /more than 500 characters/],
    ];
    for (const [args, exit, says] of cases) {
      const { exitCode, stderr, stdout } = await home.run(['cancel', ...args]);
      expect({ args, exitCode, stdout }).toEqual({ args, exitCode: exit, stdout: '' });
      expect(stderr).toMatch(says);
      expect(stderr).toMatch(/\n {2}fix: \S/);
    }
    expect(await operations(home)).toEqual([]);
  });
});
