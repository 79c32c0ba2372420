/** A procedure of several steps that stops in the middle: what is told, and how a person goes on from there. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import type { StoredRun } from '../../src/core/run.ts';
import { classic, cleanEnvironment, createHome } from '../helpers/cli.ts';
import type { CliResult, Home } from '../helpers/cli.ts';

/** Newest first. */
async function records(home: Home): Promise<readonly StoredRun[]> {
  const { runs }: { runs: readonly StoredRun[] } = JSON.parse((await home.run(['history', '--json'])).stdout);
  return runs;
}
const outcomes = (run: StoredRun | undefined): readonly string[] =>
  run?.result?.steps.map(({ outcome, reason }) => (reason === undefined ? outcome : `${outcome}: ${reason}`)) ?? [];

const env = (yaml: string): string => `# Environment Requirements\n\`\`\`yaml\n${yaml}\n\`\`\`\n\n`;
const step = (name: string, body: string, parts: { keys?: string; done?: string; back?: string } = {}): string =>
  [
    `## ${name}\n`,
    parts.keys === undefined ? '' : `\`\`\`yaml\n${parts.keys}\n\`\`\`\n`,
    `\`\`\`bash\n${body}\n\`\`\`\n`,
    parts.done === undefined ? '' : `### Done when\n\`\`\`bash\n${parts.done}\n\`\`\`\n`,
    parts.back === undefined ? '' : `### Rollback\n\`\`\`bash\n${parts.back}\n\`\`\`\n`,
    '\n',
  ].join('');
const document = (steps: string, variables = ''): string =>
  `# Drain\n\n${variables === '' ? '' : env(variables)}# Steps\n\n${steps}`;

/** Each step leaves a line in `log`; the second succeeds once there is a file `ok`. */
const DRAIN = document(
  step('Cordon', 'echo "cordon $NODE" >> "$HOME/log"', { back: 'kubectl uncordon "$NODE"' }) +
    step('Drain it', 'echo drain >> "$HOME/log"\ntest -e "$HOME/ok"', {
      keys: 'confirm: Evict all?',
      done: 'echo asked >> "$HOME/log"\ntest -e "$HOME/drained"',
      back: 'undrain --all',
    }) +
    step('Tell them', 'echo tell >> "$HOME/log"', { back: 'never mind' }),
  'NODE: which one',
);

interface Drain extends Home {
  execute(...options: readonly string[]): Promise<CliResult>;
  log(): readonly string[];
}
function prepare(text = DRAIN): Drain {
  const home = createHome();
  home.write('Drain.md', text);
  const log = path.join(home.folder, 'log');
  return {
    ...home,
    execute: async (...options) => await home.run(['execute', './Drain.md', '--history', 'ledger', ...options]),
    log: () => (existsSync(log) ? readFileSync(log, 'utf8').trimEnd().split('\n') : []),
  };
}

describe('after a failure', () => {
  it('the rollback of what has begun is shown, newest first, and the line to go on with works when it is pasted', async () => {
    const home = prepare();
    const node = "NODE=worker 7's";
    const failed = await home.execute('--env', node, '--yes');
    expect(failed.exitCode).toBe(1);
    const shown = failed.stderr.slice(failed.stderr.indexOf('runbook: failed'));
    expect(shown).toMatch(
      /^runbook: failed: .*\n {2}at Drain\.md:\d+\nTo take back “Drain it”, by hand:\n {4}undrain --all\nTo take back “Cordon”, by hand:\n {4}export NODE='worker 7'\\''s'\n {4}kubectl uncordon "\$NODE"\nTo go on with “Drain it”:\n {4}(.*)\n/,
    );
    expect(shown).not.toContain('never mind');
    const line = /^To go on with .*:\n {4}(.*)$/m.exec(shown)?.[1] ?? '';
    expect(line).toMatch(
      / execute \.\/Drain\.md --history ledger --env 'NODE=worker 7'\\''s' --yes --from 'Drain it'$/,
    );

    home.write('ok', '');
    const paste = async (): Promise<CliResult> => {
      const options = { cwd: home.folder, env: cleanEnvironment(home.folder), extendEnv: false, reject: false };
      const { exitCode, stdout, stderr } = await execa('/bin/sh', ['-c', line], options);
      return { exitCode, stdout, stderr };
    };
    // Not done yet: the step runs, and its own check says that it did not help.
    // What the first run has begun is still to be taken back.
    expect(await paste()).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('To take back “Cordon”') as string,
    });
    home.write('drained', '');
    const pasted = await paste();
    expect(pasted).toMatchObject({ exitCode: 0 });
    expect(pasted.stderr).toContain('“Drain it” is already done');
    expect(home.log()).toEqual(["cordon worker 7's", 'drain', 'asked', 'drain', 'asked', 'asked', 'tell']);
    const [last, before, first] = await records(home);
    expect(outcomes(last)).toEqual(['skipped: before “Drain it”', 'skipped: already done', 'succeeded']);
    expect(last).toMatchObject({ continues: before?.runId, steps: { from: 'Drain it' } });
    expect(before).toMatchObject({ continues: first?.runId, result: { outcome: 'failed' } });
    expect(first).not.toHaveProperty('continues');
    expect(first).not.toHaveProperty('steps');
    const { stdout } = await home.run(['history', last?.runId ?? '']);
    expect(stdout).toMatch(new RegExp(`^continues +${before?.runId}$`, 'm'));
    expect(stdout).toMatch(/^steps +from “Drain it”$/m);
    expect(stdout).toMatch(/^step +Drain it: skipped, already done$/m);
  });

  it('the line to go on with asks for outputs that are secrets, which are not kept', async () => {
    const home = createHome();
    home.write(
      'Keys.md',
      '# Keys\n\n# Steps\n\n## Make\n```yaml\noutputs: API_KEY, PLACE\n```\n```bash\nprintf "API_KEY=canary-of-a-key\\nPLACE=x\\n" >> "$RUNBOOK_OUTPUT"\n```\n\n## Use\n```bash\ntest -n "$API_KEY"; exit 4\n```\n',
    );
    const { exitCode, stderr } = await home.run(['execute', './Keys.md', '--history', 'ledger']);
    expect(exitCode).toBe(4);
    expect(stderr).toMatch(/^ {4}.* --env API_KEY --from Use$/m);
    expect(stderr).toMatch(/API_KEY: made for this run and not kept/);
    expect(stderr).not.toContain('canary');
  });

  it('a step that was asked for alone is the one to go on with alone', async () => {
    const home = prepare();
    const { stderr } = await home.execute('--env', 'NODE=a', '--yes', '--only', 'dra');
    expect(stderr).toMatch(/ --yes --only 'Drain it'$/m);
    expect(stderr).not.toContain('--from');
  });

  it('what was asked for or made is told, since it has to be given again', async () => {
    const variables = 'NODE:\n  default: a\nPASSWORD:\n  secret: true\n  generate: 20';
    const home = prepare(document(step('One', 'true') + step('Two', 'false'), variables));
    const { stderr } = await home.execute();
    expect(stderr).toMatch(/ --env PASSWORD --from Two$/m);
    expect(stderr).toContain('PASSWORD: made for this run and not kept');

    const again = await home.execute('--from', 'Two');
    expect(again.exitCode).toBe(78);
    expect(again.stderr).toMatch(
      /PASSWORD was made for the earlier run and is not kept\. \(variable-not-kept\)\n.*--env PASSWORD/,
    );
    expect((await records(home))[0]).toMatchObject({
      refusal: { code: 'requirements-unmet' },
      steps: { from: 'Two' },
    });
    const given = ['execute', './Drain.md', '--env', 'PASSWORD', '--from', 'Two'];
    expect(await home.run(given, { env: { PASSWORD: 'from before' } })).toMatchObject({ exitCode: 1 });
    // Nothing has used the first one yet where all steps run.
    expect(await home.execute('--from', 'One')).toMatchObject({ exitCode: 1 });
  });

  it('one script has nothing to go on from', async () => {
    const home = prepare(classic('Drain', 'false'));
    const { stderr } = await home.execute();
    expect(stderr).not.toContain('To go on');
    expect(await home.execute('--from', '1')).toMatchObject({
      exitCode: 64,
      stderr: expect.stringContaining('Drain has no steps') as string,
    });
  });

  it('a time limit and a signal are told like a failure', async () => {
    const home = prepare(
      document(step('One', 'true', { back: 'back' }) + step('Two', 'sleep 60', { keys: 'timeout: 1s' })),
    );
    const { exitCode, stderr } = await home.execute();
    expect(exitCode).toBe(124);
    expect(stderr).toMatch(/To take back “One”[^]*To go on with “Two”:\n.* --from Two$/m);
    home.write('Drain.md', document(step('One', 'true') + step('Two', 'touch "$HOME/begun"; exec sleep 300')));
    const stopped = await home.run(['execute', './Drain.md', '--history', 'ledger'], { termAt: 'begun' });
    expect(stopped.exitCode).toBe(143);
    expect(stopped.stderr).toMatch(/ --from Two$/m);
  });
});

describe('--from and --only', () => {
  it('carry out what they name and nothing else', async () => {
    const home = prepare();
    home.write('ok', '');
    home.write('drained', '');
    expect(await home.execute('--env', 'NODE=a', '--yes', '--only', 'Cordon')).toMatchObject({ exitCode: 0 });
    expect(home.log()).toEqual(['cordon a']);
    expect((await records(home))[0]).toMatchObject({ steps: { only: 'Cordon' } });
    expect(outcomes((await records(home))[0])).toEqual([
      'succeeded',
      'skipped: only “Cordon” was asked for',
      'skipped: only “Cordon” was asked for',
    ]);
    expect(await home.execute('--env', 'NODE=a', '--from', '3')).toMatchObject({ exitCode: 0 });
    expect(home.log()).toEqual(['cordon a', 'tell']);
    // Without either, nobody asks whether it is done before it has run.
    await home.execute('--env', 'NODE=a', '--yes');
    expect(home.log().slice(2)).toEqual(['cordon a', 'drain', 'asked', 'tell']);
  });

  it.each([
    [['--from', 'Cordon', '--only', 'Cordon'], /both given/],
    [['--from', 'Drian it'], /no step “Drian it”\. The steps are: 1 Cordon, 2 Drain it, 3 Tell them\.\n.*“Drain it”/],
    [['--only', '4'], /no step “4”/],
  ])('%j is refused, and nothing runs', async (options, says) => {
    const home = prepare();
    const { exitCode, stderr } = await home.execute('--env', 'NODE=a', '--yes', ...options);
    expect(stderr).toMatch(says);
    expect(exitCode).toBe(64);
    expect(home.log()).toEqual([]);
    expect((await records(home))[0]).toMatchObject({ state: 'refused', refusal: { code: 'usage' } });
  });

  it('need nobody for a step that they do not name', async () => {
    const home = prepare();
    expect(await home.execute('--env', 'NODE=a')).toMatchObject({ exitCode: 78 });
    expect(await home.execute('--env', 'NODE=a', '--only', 'Tell')).toMatchObject({ exitCode: 0 });
  });

  it('give nothing away before the claims are checked', async () => {
    const guarded = DRAIN.replace('# Steps', '# Required Claims\n```yaml\nroles: sre\n```\n\n# Steps');
    const { exitCode, stderr } = await prepare(guarded).execute('--from', 'nothing');
    expect(exitCode).toBe(77);
    expect(stderr).not.toContain('Cordon');
  });

  it.each([
    ['that cannot be found out', 'kill -KILL $$', '1s', 137, /“One” is done already could not be found out: .*SIGKILL/],
    ['that takes too long', 'sleep 60', '1s', 124, /could not be found out: “One” took longer than its limit of 1s/],
  ])('fail at a “Done when” %s: the step does not run', async (_name, done, timeout, exit, says) => {
    const home = prepare(document(step('One', 'echo ran >> "$HOME/log"', { keys: `timeout: ${timeout}`, done })));
    const { exitCode, stderr } = await home.execute('--from', 'One');
    expect(stderr).toMatch(says);
    expect(exitCode).toBe(exit);
    expect(home.log()).toEqual([]);
  });

  it('give a step its whole time, whatever its check has taken', async () => {
    const parts = { keys: 'timeout: 5s', done: 'test -e "$HOME/done" && exit\nsleep 3\nfalse' };
    const home = prepare(document(step('One', 'sleep 3; touch "$HOME/done"', parts)));
    expect(await home.execute('--from', 'One')).toMatchObject({ exitCode: 0 });
  });

  it('a manual step is checked like any other', async () => {
    const manual =
      '## Pull\n```yaml\nmanual: Pull the plug.\n```\n### Done when\n```bash\ntest -e "$HOME/pulled"\n```\n';
    const home = prepare(document(manual));
    home.write('pulled', '');
    expect(await home.run(['execute', './Drain.md', '--from', '1', '--no-input'])).toMatchObject({ exitCode: 78 });
  });
});

describe('what skipped steps would have passed on', () => {
  const LOOK = document(
    step('Look', 'echo OLD=1 >> "$RUNBOOK_OUTPUT"; echo DB_PASSWORD=2 >> "$RUNBOOK_OUTPUT"', {
      keys: 'outputs: OLD, DB_PASSWORD',
      done: 'test -e "$HOME/looked"',
    }) + step('Use', 'echo "old ${OLD-unset} ${#DB_PASSWORD}"; test -e "$HOME/ok"'),
  );

  it('is told once where it is not known', async () => {
    const home = prepare(LOOK);
    const { stderr } = await home.execute('--from', 'Use');
    expect(stderr.match(/not known/g)).toHaveLength(1);
    expect(stderr).toContain(
      'OLD of “Look”, DB_PASSWORD of “Look” are not known; give them with --env OLD=… --env DB_PASSWORD.',
    );
  });

  it('can be given by the caller, checked by the same rules', async () => {
    const home = prepare(LOOK);
    home.write('ok', '');
    const use = ['execute', '-q', './Drain.md', '--from', 'Use', '--env', 'OLD=given', '--env', 'DB_PASSWORD'];
    const password = { env: { DB_PASSWORD: 'four' } };
    const { exitCode, stdout, stderr } = await home.run(use, password);
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: 'old given 4\n' });
    expect(stderr).not.toContain('not known');
    home.write('bell', 'a\u0007');
    const bad = use.map((word) => (word === 'OLD=given' ? 'OLD=@bell' : word));
    expect(await home.run(bad, password)).toMatchObject({
      exitCode: 78,
      stderr: expect.stringContaining('OLD holds a control character') as string,
    });
    // A step that runs knows better.
    const all = await home.execute('-q', '--env', 'OLD=given');
    expect(all.stdout).toBe('');
    home.write('looked', '');
    expect((await home.execute('-q', '--env', 'OLD=given')).stdout).toBe('old 1 1\n');
  });

  it('is missed, too, where a step was done already', async () => {
    const home = prepare(LOOK);
    home.write('looked', '');
    const { stderr, stdout } = await home.execute('--from', 'Look', '--env', 'OLD=given');
    expect(stderr).toContain('DB_PASSWORD of “Look” is not known; give it with --env DB_PASSWORD.');
    expect(stdout).toBe('');
  });
});

describe('the run that another goes on from', () => {
  it('is of the same document, began, and did not succeed; a change since then is told', async () => {
    const home = prepare();
    const node = ['--env', 'NODE=a', '--yes'];
    await home.execute(...node);
    const failed = (await records(home))[0]?.runId;
    await home.execute(...node, '--from', 'nothing');
    home.write('Other.md', DRAIN);
    await home.run(['execute', './Other.md', '--history', 'ledger', ...node]);
    const same = await home.execute(...node, '--from', 'Tell');
    expect(same.stderr).toContain(`goes on from run ${failed} (failed)`);
    expect(same.stderr).not.toContain('warning');
    expect((await records(home))[0]).toMatchObject({ continues: failed });

    home.write('Drain.md', DRAIN.replace('Cordon', 'Cordon it'));
    const changed = await home.execute(...node, '--from', 'Tell');
    expect(changed.stderr).toContain(`Drain has changed since run ${failed}.`);
    expect((await records(home))[0]).toMatchObject({ continues: failed });
  });

  it('has not changed because an entry ended its last line', async () => {
    const home = createHome();
    home.write('NoEnd.md', '# NoEnd\n\nx\n\n# Steps\n\n## A\n```bash\ntrue\n```\n\n## B\n```bash\nfalse\n```');
    expect(await home.run(['execute', './NoEnd.md', '--history', 'file'])).toMatchObject({ exitCode: 1 });
    const again = await home.run(['execute', './NoEnd.md', '--history', 'file', '--from', 'B']);
    expect(again.stderr).toContain('goes on from run');
    expect(again.stderr).not.toContain('warning');
  });

  it('is rather one with the same variables', async () => {
    const home = prepare();
    for (const node of ['a', 'b']) await home.execute('--env', `NODE=${node}`, '--yes');
    const [b, a] = await records(home);
    await home.execute('--env', 'NODE=a', '--from', 'Tell');
    expect((await records(home))[0]).toMatchObject({ continues: a?.runId });
    const other = await home.execute('--env', 'NODE=c', '--from', 'Tell');
    expect(other.stderr).toContain(`NODE: not what it was in run ${b?.runId}; nothing is taken over from that run.`);
    expect((await records(home))[0]).toMatchObject({ continues: b?.runId });
  });
});

describe('the work folder', () => {
  const KEEP = document(step('One', 'echo kept > file') + step('Two', 'test -e "$HOME/ok"'));

  it.each([
    [[], true, true],
    [['--keep-workdir', 'failed'], true, true],
    [['--keep-workdir', 'never'], true, false],
    [['--keep-workdir', 'always'], false, true],
    [[], false, false],
  ])('with %j, after a failure: %s, is kept: %s', async (options, fails, kept) => {
    const home = prepare(KEEP);
    if (!fails) home.write('ok', '');
    const { exitCode, stderr } = await home.execute(...options);
    expect(exitCode).toBe(fails ? 1 : 0);
    const { workFolder } = (await records(home))[0]?.result ?? {};
    if (kept) {
      expect(stderr).toContain(`The work folder is kept: ${workFolder ?? ''}\n`);
      expect(readFileSync(path.join(workFolder ?? '', 'file'), 'utf8')).toBe('kept\n');
    } else {
      expect(workFolder).toBeNull();
      expect(stderr).not.toContain('is kept');
    }
  });

  it('of one script is not kept, and a setting decides where no option does', async () => {
    const home = prepare(classic('Drain', 'false'));
    await home.execute();
    expect((await records(home))[0]?.result).toMatchObject({ outcome: 'failed', workFolder: null });
    home.write('Drain.md', KEEP);
    const never = { env: { RUNBOOK_KEEP_WORKDIR: 'never' } };
    await home.run(['execute', './Drain.md'], never);
    expect((await records(home))[0]?.result).toMatchObject({ outcome: 'failed', workFolder: null });
  });
});

describe('the rollback', () => {
  it('of a step that nothing came of is not shown', async () => {
    const home = prepare(
      document(
        step('One', 'true', { back: 'back one' }) +
          step('Two', 'true', { done: 'false', back: 'back two' }) +
          step('Three', 'true', { back: 'back three' }),
      ),
    );
    const { stderr } = await home.execute();
    expect(stderr).toMatch(/back two\n[^]*back one\n/);
    expect(stderr).not.toContain('back three');
  });
});

it('a “Done when” that does not hold behind its step gives the run its exit code', async () => {
  const home = prepare(document(step('One', 'true', { done: 'exit 3' }) + step('Two', 'true')));
  expect(await home.execute()).toMatchObject({ exitCode: 3 });
  expect(outcomes((await records(home))[0])[0]).toMatch(/^failed: “One” ran, but its “Done when” does not hold/);
});
