/** What a person at a terminal is asked, and what their answers do. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import type { StoredRun } from '../../src/core/run.ts';
import { BIN, classic, cleanEnvironment, createHome } from '../helpers/cli.ts';
import type { Home } from '../helpers/cli.ts';
import { requires } from '../helpers/requires.ts';
import { CTRL_C, CTRL_D, ENTER, inTerminal } from '../helpers/terminal.ts';

const STEPS = (keys: string, body = '```bash\necho "step ran"\n```\n'): string =>
  `# Ask\n\n# Environment Requirements\n\`\`\`yaml\nHOST:\n  default: db-3\n\`\`\`\n\n# Steps\n\n## Touch it\n\`\`\`yaml\n${keys}\n\`\`\`\n${body}`;

describe.skipIf(!requires('script'))('at a terminal (needs script of util-linux)', () => {
  it('a missing variable is asked for; a secret one is not shown', async () => {
    const home = createHome();
    home.write(
      'Ask.md',
      classic('Ask', 'echo "$WHERE ${#API_TOKEN}"', { env: 'WHERE: the place\nAPI_TOKEN: the key to it' }),
    );
    const { screen, exitCode } = await inTerminal(
      home.folder,
      ['execute', './Ask.md'],
      [
        [/WHERE \(the place\): /, `here${ENTER}`],
        [/API_TOKEN \(the key to it\): /, `hidden-value${ENTER}`],
      ],
    );
    expect(screen).toContain('here 12');
    expect(screen).not.toContain('hidden-value');
    expect(exitCode).toBe(0);
  });

  it('is not asked with --no-input', async () => {
    const home = createHome();
    home.write('Ask.md', classic('Ask', 'true', { env: 'WHERE: the place' }));
    const { screen, exitCode } = await inTerminal(home.folder, ['execute', './Ask.md', '--no-input'], []);
    expect(screen).toContain('not set: WHERE');
    expect(exitCode).toBe(78);
  });

  it('an answer of the wrong form is asked for again, and refused the third time', async () => {
    const home = createHome();
    home.write('Ask.md', classic('Ask', 'echo "got $N"', { env: 'N:\n  type: integer' }));
    const again = /N \(N must be a whole number.*\): /;
    const wrong = await inTerminal(
      home.folder,
      ['execute', './Ask.md'],
      [
        [/N: /, `many${ENTER}`],
        [again, `more${ENTER}`],
        [again, `most${ENTER}`],
      ],
    );
    expect(wrong.exitCode).toBe(78);
    const right = await inTerminal(
      home.folder,
      ['execute', './Ask.md'],
      [
        [/N: /, `many${ENTER}`],
        [again, `7${ENTER}`],
      ],
    );
    expect(right).toMatchObject({ exitCode: 0, screen: expect.stringContaining('got 7') as string });
  });

  it.each([
    ['y', 0, true],
    ['n', 130, false],
    ['', 130, false],
  ])('a step that asks runs on %j: exit %i', async (answer, exit, runs) => {
    const home = createHome();
    home.write('Ask.md', STEPS('confirm: Touch $HOST?'));
    const { screen, exitCode } = await inTerminal(
      home.folder,
      ['execute', './Ask.md'],
      [[/Touch db-3\? \[y\/N\] /, `${answer}${ENTER}`]],
    );
    expect(exitCode).toBe(exit);
    expect(screen.includes('step ran')).toBe(runs);
  });

  it.each([
    [['db-3'], 0],
    [['db-4', 'db-3'], 0],
    [['db-4', 'db-4', ''], 130],
  ])('a step that wants a value typed gets %j: exit %i', async (answers, exit) => {
    const home = createHome();
    home.write('Ask.md', STEPS('confirm_typing: HOST'));
    const { exitCode } = await inTerminal(
      home.folder,
      ['execute', './Ask.md'],
      answers.map((answer) => [/type the value of HOST/, `${answer}${ENTER}`] as const),
    );
    expect(exitCode).toBe(exit);
  });

  it('a question shows values, but none of a secret', async () => {
    const home = createHome();
    home.write(
      'Ask.md',
      STEPS('confirm: Use $API_TOKEN on ${HOST}?').replace('HOST:\n', 'API_TOKEN: the key\nHOST:\n'),
    );
    const { screen } = await inTerminal(
      home.folder,
      ['execute', './Ask.md', '--env', 'API_TOKEN'],
      [[/on db-3\? \[y/, `n${ENTER}`]],
      { API_TOKEN: 'canary' },
    );
    expect(screen).toContain('Use $API_TOKEN on db-3?');
    expect(screen).not.toContain('canary');
  });

  it('a manual step is done when the person says so', async () => {
    const home = createHome();
    home.write('Ask.md', STEPS('manual: Pull the plug.', ''));
    const { exitCode } = await inTerminal(
      home.folder,
      ['execute', './Ask.md'],
      [[/By hand: Pull the plug\.\r?\nDone\? \[y\/N\] /, `y${ENTER}`]],
    );
    expect(exitCode).toBe(0);
  });

  it('a step with a terminal has one', async () => {
    const home = createHome();
    home.write(
      'Ask.md',
      STEPS('tty: true', '```bash\n[ -t 0 ] && [ -t 1 ] && read -rp "name? " name && echo "hello $name"\n```\n'),
    );
    const { screen, exitCode } = await inTerminal(home.folder, ['execute', './Ask.md'], [[/name\? /, `anna${ENTER}`]]);
    expect(screen).toContain('hello anna');
    expect(exitCode).toBe(0);
  });

  it('what a step with a terminal prints is masked and recorded, and the terminal is as before', async () => {
    const home = createHome();
    home.write(
      'Ask.md',
      STEPS('tty: true', '```bash\nstty size; stty -echo; read -rp "name? " name; echo "$name $API_TOKEN"\n```\n'),
    );
    const { screen } = await inTerminal(
      home.folder,
      ['execute', './Ask.md', '--pass-env', 'API_TOKEN'],
      [[/name\? /, `anna${ENTER}`]],
      { API_TOKEN: 'canary-of-a-token' },
    );
    expect(screen).toContain('anna ***');
    const { stdout } = await home.run(['history', '--json']);
    const { runs }: { runs: readonly StoredRun[] } = JSON.parse(stdout);
    const shown = await home.run(['history', runs[0]?.runId ?? '']);
    expect(shown.stdout).toContain('anna ***');
    expect(screen + shown.stdout).not.toContain('canary');
  });

  it('closing the terminal at a question ends the run, and the record says so', async () => {
    const home = createHome();
    home.write('Ask.md', STEPS('confirm: Go on?'));
    const node = `'${process.execPath}' -- '${BIN}' execute ./Ask.md --history ledger`;
    const window = execa('script', ['--quiet', '--command', node, '/dev/null'], {
      cwd: home.folder,
      env: { ...cleanEnvironment(home.folder), TERM: 'xterm' },
      extendEnv: false,
      reject: false,
      stdin: 'pipe',
      timeout: 100_000,
    });
    for await (const chunk of window.stdout) if (String(chunk).includes('Go on?')) break;
    window.kill('SIGKILL');
    await window;
    const deadline = performance.now() + 20_000;
    let newest: StoredRun | undefined;
    do {
      const { runs }: { runs: readonly StoredRun[] } = JSON.parse((await home.run(['history', '--json'])).stdout);
      newest = runs[0];
    } while (newest?.state !== 'finished' && performance.now() < deadline);
    expect(newest).toMatchObject({ state: 'finished', result: { outcome: 'canceled' } });
  });

  it('Ctrl-C is for the program in a step with a terminal, and the step ends as that does', async () => {
    const home = createHome();
    home.write('Ask.md', STEPS('tty: true', '```bash\ntrap "echo heard; exit 4" INT; sleep 30 & echo up; wait\n```\n'));
    const { screen, exitCode } = await inTerminal(home.folder, ['execute', './Ask.md'], [[/up/, CTRL_C]]);
    expect(screen).toContain('heard');
    expect(exitCode).toBe(4);
  });

  it('a second Ctrl-C does not wait for a script that takes its time', async () => {
    const home = createHome();
    home.write('Long.md', classic('Long', 'trap "echo not yet" TERM INT; echo running; while :; do sleep 0.1; done'));
    // Whoever waits for that time does not come to the end of the test.
    const { screen, exitCode } = await inTerminal(
      home.folder,
      ['execute', './Long.md'],
      [
        [/running/, CTRL_C],
        [/once more Ctrl-C: at once[^]*not yet/, CTRL_C],
      ],
      { RUNBOOK_STOP_GRACE: '10m' },
    );
    expect(exitCode).toBe(130);
    expect(screen).toMatch(/stopping at once: whatever still runs is killed[^]*canceled/);
  });

  it('a script that wants the terminal without having one is ended with a sentence', async () => {
    const home = createHome();
    home.write('Long.md', classic('Long', 'read -r line < /dev/tty; echo "got $line"'));
    const { screen, exitCode } = await inTerminal(home.folder, ['execute', './Long.md'], []);
    expect(screen).toContain('tty: true');
    expect(exitCode).not.toBe(0);
  });

  it('Ctrl-C at a question ends it all with 130, and nothing has run', async () => {
    const home = createHome();
    const marker = path.join(home.folder, 'ran');
    home.write('Ask.md', classic('Ask', `touch ${marker}`, { env: 'WHERE: the place' }));
    const { exitCode } = await inTerminal(home.folder, ['execute', './Ask.md'], [[/WHERE/, CTRL_C]]);
    expect(exitCode).toBe(130);
    expect(() => readFileSync(marker)).toThrow('ENOENT');
  });

  it('… also at a confirmation, where nothing has time to end', async () => {
    const home = createHome();
    home.write('Ask.md', STEPS('confirm: Go on?'));
    const { screen, exitCode } = await inTerminal(home.folder, ['execute', './Ask.md'], [[/Go on\?/, CTRL_C]]);
    expect(exitCode).toBe(130);
    expect(screen).toContain('stopping: nothing runs any more');
    expect(screen).not.toContain('to end');
  });

  it('… and a job has its annotation, its page and its file of tests all the same', async () => {
    const home = createHome();
    home.write('Ask.md', classic('Ask', 'true', { env: 'WHERE: the place' }));
    const page = home.write('page.md', '');
    const args = ['execute', './Ask.md', '--junit', 'run.xml'];
    const env = { GITHUB_ACTIONS: 'true', GITHUB_STEP_SUMMARY: page };
    const { screen, exitCode } = await inTerminal(home.folder, args, [[/WHERE/, CTRL_C]], env);
    expect(exitCode).toBe(130);
    expect(screen).toMatch(/^::error title=runbook%3A requirements-unmet::WHERE was asked for/m);
    expect(readFileSync(page, 'utf8')).toContain('### Runbook `./Ask.md`: requirements-unmet');
    expect(readFileSync(path.join(home.folder, 'run.xml'), 'utf8')).toContain('type="requirements-unmet"');
  });

  describe.each([
    ['confirm', 'confirm: Touch $HOST?', /Touch db-3\? \[y\/N\] /, `y${ENTER}`, 'answer', /wants a confirmation/],
    ['confirm_typing', 'confirm_typing: HOST', /type the value of HOST/, `db-3${ENTER}`, 'typing', /wants a confirm/],
    ['manual', 'manual: Pull the plug of $HOST.', /Done\? \[y\/N\] /, `y${ENTER}`, 'answer', /is done by a person/],
  ] as const)('a step with %s', (key, keys, question, answer, confirmedBy, needs) => {
    /** The second step leaves a mark when it is reached. */
    const prepare = (limits = ''): Home & { readonly mark: string } => {
      const home = createHome();
      const mark = path.join(home.folder, 'reached');
      const script = `\`\`\`bash\ntouch "${mark}"\n\`\`\`\n`;
      const [first, second] = [STEPS(keys, key === 'manual' ? '' : script), `\n## Next\n${script}`];
      home.write('Ask.md', `${limits === '' ? first : first.replace('# Steps', `${limits}\n\n# Steps`)}${second}`);
      return { ...home, mark };
    };
    const newest = async (home: Home): Promise<StoredRun | undefined> => {
      const { runs }: { runs: readonly StoredRun[] } = JSON.parse((await home.run(['history', '--json'])).stdout);
      return runs[0];
    };

    it('keeps how the person agreed, for everybody who asks later', async () => {
      const home = prepare();
      const { exitCode } = await inTerminal(home.folder, ['execute', './Ask.md'], [[question, answer]]);
      expect(exitCode).toBe(0);
      const run = await newest(home);
      expect(run?.result?.steps.map((step) => step.confirmedBy)).toEqual([confirmedBy, undefined]);
      const how = confirmedBy === 'typing' ? 'confirmed by typing' : 'confirmed by an answer';
      expect((await home.run(['history', run?.runId ?? ''])).stdout).toMatch(
        new RegExp(`^step +Touch it: succeeded, .*, ${how}$`, 'm'),
      );
    });

    it.each([
      ['Ctrl-C', CTRL_C, 'SIGINT'],
      ['Ctrl-D', CTRL_D, 'not confirmed'],
    ])('ends with 130 on %s, and nothing of it has run', async (_name, typed, says) => {
      const home = prepare();
      const { screen, exitCode } = await inTerminal(home.folder, ['execute', './Ask.md'], [[question, typed]]);
      expect(exitCode).toBe(130);
      expect(screen).toContain(says);
      expect(screen).toMatch(/ --from 'Touch it'\r?\n/);
      expect(existsSync(home.mark)).toBe(false);
      const run = await newest(home);
      expect(run?.result).toMatchObject({ outcome: 'canceled' });
      expect(run?.result?.steps.map((step) => [step.outcome, step.confirmedBy])).toEqual([
        ['canceled', undefined],
        ['skipped', undefined],
      ]);
    });

    it('ends with 124 where nobody answers within the limit of the run', async () => {
      const home = prepare('# Limits\n```yaml\ntimeout: 3s\n```');
      const { screen, exitCode } = await inTerminal(home.folder, ['execute', './Ask.md'], [[question, () => {}]]);
      expect(screen).toContain('limit of 3s');
      expect(exitCode).toBe(124);
      expect(existsSync(home.mark)).toBe(false);
      expect(await newest(home)).toMatchObject({ result: { outcome: 'timed-out' } });
    });

    it.each([
      ['--no-input', ['--no-input'], {}],
      ['CI=true', [], { CI: 'true' }],
    ])('is refused with %s, also at a terminal', async (_name, options, env) => {
      const home = prepare();
      const { screen, exitCode } = await inTerminal(home.folder, ['execute', './Ask.md', ...options], [], env);
      expect(screen).toMatch(needs);
      expect(exitCode).toBe(78);
      expect(existsSync(home.mark)).toBe(false);
    });

    it(`with --yes ${key === 'manual' ? 'is asked for all the same' : 'is not asked, and that is recorded'}`, async () => {
      const home = prepare();
      const asked = key === 'manual' ? ([[question, answer]] as const) : [];
      const { exitCode } = await inTerminal(home.folder, ['execute', './Ask.md', '--yes'], asked);
      expect(exitCode).toBe(0);
      expect(existsSync(home.mark)).toBe(true);
      const [first] = (await newest(home))?.result?.steps ?? [];
      expect(first).toMatchObject({ confirmedBy: key === 'manual' ? 'answer' : 'yes' });
    });
  });

  it('a question and a value to type are both asked, and typing is what counts', async () => {
    const home = createHome();
    home.write('Ask.md', STEPS('confirm: Touch $HOST?\nconfirm_typing: HOST'));
    const both = [
      [/Touch db-3\? \[y/, `y${ENTER}`],
      [/type the value of HOST/, `db-3${ENTER}`],
    ] as const;
    expect(await inTerminal(home.folder, ['execute', './Ask.md', '--history', 'ledger'], both)).toMatchObject({
      exitCode: 0,
    });
    expect((await home.run(['history', '--json'])).stdout).toContain('"confirmedBy": "typing"');
    const refused = await inTerminal(home.folder, ['execute', './Ask.md'], [[/Touch db-3\? \[y/, `n${ENTER}`]]);
    expect(refused.exitCode).toBe(130);
    expect(refused.screen).not.toContain('type the value');
  });

  it('work by hand that was begun is taken back by hand, and checked when the person says that it is done', async () => {
    const home = createHome();
    const parts = '### Done when\n```bash\ntest -e "$HOME/pulled"\n```\n### Rollback\n```bash\nput it back\n```\n';
    home.write('Ask.md', STEPS('manual: Pull the plug.', parts));
    const answer = async (key: string): ReturnType<typeof inTerminal> =>
      await inTerminal(home.folder, ['execute', './Ask.md', '--history', 'ledger'], [[/Done\? /, `${key}${ENTER}`]]);
    expect(await answer('n')).toMatchObject({
      exitCode: 130,
      screen: expect.stringContaining('put it back') as string,
    });
    expect(await answer('y')).toMatchObject({
      exitCode: 1,
      screen: expect.stringContaining('“Done when” does not hold') as string,
    });
    home.write('pulled', '');
    expect(await answer('y')).toMatchObject({ exitCode: 0 });
  });

  it('the rollback of a step that was not confirmed is not shown', async () => {
    const home = createHome();
    home.write(
      'Ask.md',
      STEPS('confirm: Touch $HOST?', '```bash\ntrue\n```\n### Rollback\n```bash\nput it back\n```\n'),
    );
    const { screen } = await inTerminal(home.folder, ['execute', './Ask.md'], [[/\[y\/N\] /, `n${ENTER}`]]);
    expect(screen).toContain('was not confirmed');
    expect(screen).not.toContain('put it back');
  });

  it('going on from a step asks for what is not known any more, and not for what is done', async () => {
    const home = createHome();
    const first = STEPS('outputs: OLD').replace('HOST:', 'PASSWORD:\n  secret: true\n  generate: 20\nHOST:');
    const done = '\n## Sure\n```yaml\nconfirm: Sure?\n```\n```bash\nfalse\n```\n### Done when\n```bash\ntrue\n```\n';
    home.write('Ask.md', `${first}${done}\n## Use\n\`\`\`bash\necho "use $OLD \${#PASSWORD}"\n\`\`\`\n`);
    const { screen, exitCode } = await inTerminal(
      home.folder,
      ['execute', './Ask.md', '--env', 'PASSWORD', '--env', 'OLD', '--from', 'Sure'],
      [
        [/PASSWORD: /, `hidden${ENTER}`],
        [/OLD: /, `v1${ENTER}`],
      ],
    );
    expect(screen).toMatch(/“Sure” is already done[^]*use v1 6/);
    expect(screen).not.toContain('hidden');
    expect(exitCode).toBe(0);
  });

  it('Ctrl-C ends a running script with 130', async () => {
    const home = createHome();
    home.write('Long.md', classic('Long', 'echo running; sleep 60'));
    const { screen, exitCode } = await inTerminal(home.folder, ['execute', './Long.md'], [[/running/, CTRL_C]]);
    expect(exitCode).toBe(130);
    expect(screen).toContain('ended by SIGINT');
  });
});
