/** One run from end to end through the real bundle: what the script sees, what the caller sees, what is kept. */
import { randomBytes } from 'node:crypto';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { BIN, classic, cleanEnvironment, createHome } from '../helpers/cli.ts';
import type { Home } from '../helpers/cli.ts';
import { requires } from '../helpers/requires.ts';

interface HistoryRun {
  readonly runId: string;
  readonly state: string;
  readonly refusal: { code: string; message: string } | null;
  readonly result: {
    outcome: string;
    exitCode: number | null;
    steps: { name: string; outcome: string }[];
    output: { bytes: number };
  } | null;
  readonly variables: { name: string; origin: string; value?: string; hmac?: string }[];
  readonly callChain: string[];
  readonly runbook: { name: string; digest: string | null };
}

async function runs(home: Home): Promise<readonly HistoryRun[]> {
  return (await home.json(['history']))['runs'] as HistoryRun[];
}

describe('execute', () => {
  it('passes stdout through byte for byte and keeps its own words on stderr', async () => {
    const home = createHome();
    home.write('Bytes.md', classic('Bytes', String.raw`printf 'a\0b\377\r\nlast'; printf 'to stderr' >&2`));
    const { stdout } = await execa(process.execPath, [BIN, 'execute', './Bytes.md'], {
      cwd: home.folder,
      env: cleanEnvironment(home.folder),
      extendEnv: false,
      encoding: 'buffer',
      stripFinalNewline: false,
    });
    expect(Buffer.from(stdout).equals(Buffer.from('a\0b\xFF\r\nlast', 'latin1'))).toBe(true);
  });

  it('gives the exit code of the script and records the run', async () => {
    const home = createHome();
    home.write('Fail.md', classic('Fail', 'echo out; echo err >&2; exit 42'));
    const { exitCode, stdout, stderr } = await home.run(['execute', './Fail.md']);
    expect(exitCode).toBe(42);
    expect(stdout).toBe('out\n');
    expect(stderr).toContain('ended with exit code 42');
    const [run] = await runs(home);
    expect(run).toMatchObject({ state: 'finished', result: { outcome: 'failed', exitCode: 42, output: { bytes: 8 } } });
    const shown = await home.run(['history', run?.runId ?? '']);
    expect(shown.stdout).toContain('out\n');
    expect(shown.stdout).toContain('failed, exit 42');
  });

  it('gives 128 and the number of the signal for a script that a signal ended', async () => {
    const home = createHome();
    home.write('Signal.md', classic('Signal', 'kill -SEGV $$'));
    expect((await home.run(['execute', './Signal.md'])).exitCode).toBe(139);
  });

  it('lets a script see the base, what is declared, what is given, the contract, and nothing else', async () => {
    const home = createHome();
    home.write(
      'Env.md',
      classic('Env', 'env -0 | sort -z | tr "\\0" "\\n"', { env: 'DECLARED: from the environment\nGIVEN: by flag' }),
    );
    const { stdout } = await home.run(
      ['execute', './Env.md', '--env', 'GIVEN=g', '--env', 'EXTRA=e', '--pass-env', 'PASS_*'],
      {
        env: {
          DECLARED: 'd',
          CANARY: 'must not be seen',
          PASS_ME: 'p',
          RUNBOOK_JWT_SECRET: 'x'.repeat(40),
          NODE_OPTIONS: '--no-warnings',
        },
      },
    );
    const names = stdout.split('\n').map((line) => line.split('=')[0]);
    expect(names).toEqual(
      expect.arrayContaining([
        'DECLARED',
        'GIVEN',
        'EXTRA',
        'PASS_ME',
        'PATH',
        'HOME',
        'RUNBOOK_RUN_ID',
        'RUNBOOK_STEP',
        'RUNBOOK_OUTPUT',
      ]),
    );
    for (const hidden of ['CANARY', 'RUNBOOK_JWT_SECRET', 'NODE_OPTIONS']) expect(names).not.toContain(hidden);
    expect(stdout).not.toContain('x'.repeat(40));
  });

  it('lets no denied name through --pass-env', async () => {
    const home = createHome();
    home.write('Env.md', classic('Env', 'env'));
    const { stdout } = await home.run(['execute', './Env.md', '--pass-env', '*'], {
      env: { PYTHONPATH: 'canary', OTHER: 'seen' },
    });
    expect(stdout).toContain('OTHER=seen');
    expect(stdout).not.toContain('canary');
  });

  it('sets every name of the contract', async () => {
    const home = createHome();
    home.write(
      'Contract.md',
      classic(
        'Contract',
        'env | grep ^RUNBOOK_ | cut -d= -f1 | sort | tr "\\n" " "; eval "set -- $RUNBOOK_HEADERS"; echo "$#"',
      ),
    );
    const secret = randomBytes(32).toString('hex');
    const token = (
      await home.run(['token', 'mint', '--subject', 'anna'], { env: { JWT_SECRET: secret } })
    ).stdout.trim();
    const { stdout } = await home.run(['execute', './Contract.md'], {
      env: { JWT_SECRET: secret, RUNBOOK_TOKEN: token },
    });
    expect(stdout).toBe(
      'RUNBOOK_API_TOKEN RUNBOOK_CORRELATION_ID RUNBOOK_EXEC_DIR_HOST RUNBOOK_HEADERS RUNBOOK_H_AUTH RUNBOOK_H_CORR RUNBOOK_H_CTYPE RUNBOOK_H_RECUR RUNBOOK_MASK RUNBOOK_OUTPUT RUNBOOK_RECURSION_STACK RUNBOOK_RUN_ID RUNBOOK_STEP RUNBOOK_URL 8\n',
    );
  });

  it('copies inputs with their structure into a private folder and removes it afterwards', async () => {
    const home = createHome();
    await execa('mkdir', ['-p', path.join(home.folder, 'data/deep')]);
    home.write('data/deep/a.txt', 'content');
    home.write('one.txt', '1');
    home.write(
      'Inputs.md',
      classic('Inputs', 'cat data/deep/a.txt one.txt; echo; ls -A; stat -c %a .; pwd; chmod 000 data', {
        inputs: 'Input:\n- data\n- one.txt',
      }),
    );
    const { exitCode, stdout } = await home.run(['execute', './Inputs.md']);
    expect(exitCode).toBe(0);
    const lines = stdout.trimEnd().split('\n');
    expect(lines.slice(0, 4)).toEqual(['content1', 'data', 'one.txt', '700']);
    expect(() => statSync(lines[4] ?? '')).toThrow('ENOENT');
  });

  it('ends a run at its limit, with what it printed until then', async () => {
    const home = createHome();
    home.write(
      'Slow.md',
      classic('Slow', 'echo before; sleep 30; echo after').replace(
        '# Script',
        '# Limits\n```yaml\ntimeout: 3s\n```\n\n# Script',
      ),
    );
    const { exitCode, stdout, stderr } = await home.run(['execute', './Slow.md']);
    expect(exitCode).toBe(124);
    expect(stdout).toBe('before\n');
    expect(stderr).toContain('limit of 3s');
    expect((await runs(home))[0]?.result?.outcome).toBe('timed-out');
  });

  it('can be given a shorter limit, not a longer one', async () => {
    const home = createHome();
    home.write(
      'Slow.md',
      classic('Slow', 'sleep 30').replace('# Script', '# Limits\n```yaml\ntimeout: 1s\n```\n\n# Script'),
    );
    expect(await home.run(['execute', './Slow.md', '--timeout', '20s'])).toMatchObject({
      exitCode: 124,
      stderr: expect.stringContaining('limit of 1s') as string,
    });
  });

  it('ends the run when it is interrupted, and records it as canceled', async () => {
    const home = createHome();
    const marker = path.join(home.folder, 'started');
    home.write('Wait.md', classic('Wait', `touch ${marker}; sleep 30`));
    const child = execa(process.execPath, [BIN, 'execute', './Wait.md'], {
      cwd: home.folder,
      env: cleanEnvironment(home.folder),
      extendEnv: false,
      reject: false,
    });
    await waitFor(() => readdirSync(home.folder).includes('started'));
    child.kill('SIGTERM');
    expect((await child).exitCode).toBe(143);
    expect((await runs(home))[0]?.result).toMatchObject({ outcome: 'canceled' });
  });

  it('ends the run when the reader of the output is gone', async () => {
    const home = createHome();
    home.write('Yes.md', classic('Yes', 'yes'));
    const shell = await execa(
      'bash',
      ['-c', `"${process.execPath}" "${BIN}" execute -q ./Yes.md | head -n 1; echo "\${PIPESTATUS[0]}"`],
      {
        cwd: home.folder,
        env: cleanEnvironment(home.folder),
        extendEnv: false,
      },
    );
    expect(shell.stdout).toBe('y\n141');
    expect((await runs(home))[0]?.result).toMatchObject({ outcome: 'canceled' });
  });

  it('keeps head and tail of a large output and says how much is missing; the caller gets all of it', async () => {
    const home = createHome();
    home.write(
      'Large.md',
      classic('Large', 'head -c 3000000 /dev/zero | tr "\\0" x; echo end').replace(
        '# Script',
        '# Limits\n```yaml\nmax_output: 100KiB\n```\n\n# Script',
      ),
    );
    const { stdout } = await home.run(['execute', '-q', './Large.md']);
    expect(stdout.length).toBe(3_000_004);
    const [run] = await runs(home);
    expect(run?.result?.output).toMatchObject({ bytes: 3_000_004, dropped: 3_000_004 - 100 * 1024 });
    const { output } = (await home.json(['history', run?.runId ?? ''])) as unknown as { output: { stdout: string } };
    expect(output.stdout.length).toBe(100 * 1024);
    expect(output.stdout.endsWith('end\n')).toBe(true);
  });

  it('runs steps in order in one folder, passes declared outputs on, and stops at the first that fails', async () => {
    const home = createHome();
    home.write(
      'Several.md',
      '# Several\n\nSteps.\n\n# Steps\n\n## One\n```yaml\noutputs: VERSION, NOTES\n```\n```bash\necho hi > file; echo "VERSION=1.2" >> "$RUNBOOK_OUTPUT"; printf "NOTES<<EOF\\na\\nb\\nEOF\\n" >> "$RUNBOOK_OUTPUT"\n```\n\n## Two\n```bash\ncat file; echo "$VERSION $NOTES"; false; echo never\n```\n\n## Three\n```sh\necho never\n```\n',
    );
    const { exitCode, stdout } = await home.run(['execute', './Several.md']);
    expect(exitCode).toBe(1);
    expect(stdout).toBe('hi\n1.2 a\nb\n');
    expect((await runs(home))[0]?.result?.steps.map(({ name, outcome }) => [name, outcome])).toEqual([
      ['One', 'succeeded'],
      ['Two', 'failed'],
      ['Three', 'skipped'],
    ]);
  });

  it('fails a step whose “Done when” does not hold, and one that writes an undeclared output', async () => {
    const home = createHome();
    home.write(
      'Done.md',
      '# Done\n\n# Steps\n\n## One\n```bash\ntrue\n```\n### Done when\n```bash\ntest -e nothing\n```\n',
    );
    home.write(
      'Undeclared.md',
      '# Undeclared\n\n# Steps\n\n## One\n```bash\necho PATH=/tmp >> "$RUNBOOK_OUTPUT"\n```\n',
    );
    expect(await home.run(['execute', './Done.md'])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('“Done when” does not hold') as string,
    });
    expect(await home.run(['execute', './Undeclared.md'])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('does not declare it') as string,
    });
  });

  it('refuses steps that need a person where nobody can be asked; --yes confirms', async () => {
    const home = createHome();
    home.write(
      'Confirm.md',
      '# Confirm\n\n# Steps\n\n## One\n```yaml\nconfirm: Really?\n```\n```bash\necho done\n```\n',
    );
    home.write('Manual.md', '# Manual\n\n# Steps\n\n## One\n```yaml\nmanual: Do it.\n```\n');
    expect(await home.run(['execute', './Confirm.md'])).toMatchObject({ exitCode: 78, stdout: '' });
    expect(await home.run(['execute', './Confirm.md', '--yes'])).toMatchObject({ exitCode: 0, stdout: 'done\n' });
    expect(await home.run(['execute', './Manual.md', '--yes'])).toMatchObject({ exitCode: 78 });
  });

  it('lets no more runs of a document begin than it declares', async () => {
    const home = createHome();
    const marker = path.join(home.folder, 'started');
    home.write(
      'One.md',
      classic('One', `touch ${marker}; sleep 30`).replace(
        '# Script',
        '# Limits\n```yaml\nconcurrency: 1\n```\n\n# Script',
      ),
    );
    const first = execa(process.execPath, [BIN, 'execute', './One.md'], {
      cwd: home.folder,
      env: cleanEnvironment(home.folder),
      extendEnv: false,
      reject: false,
    });
    await waitFor(() => readdirSync(home.folder).includes('started'));
    expect(await home.run(['execute', './One.md'])).toMatchObject({
      exitCode: 75,
      stderr: expect.stringContaining('running already') as string,
    });
    first.kill('SIGKILL');
    await first;
    // A dead owner blocks nobody.
    const second = await home.run(['execute', './One.md', '--timeout', '1s']);
    expect(second.exitCode).toBe(124);
  });

  it('records values of typed variables, fingerprints of all others', async () => {
    const home = createHome();
    home.write(
      'Vars.md',
      classic('Vars', 'echo "${#MADE}"', {
        env: 'PLAIN: short form\nTYPED:\n  type: integer\n  default: 3\nMADE:\n  secret: true\n  generate: 24',
      }),
    );
    const { stdout } = await home.run(['execute', '-q', './Vars.md', '--env', 'PLAIN=visible']);
    expect(stdout).toBe('24\n');
    const [run] = await runs(home);
    expect(run?.variables.map(({ name, origin, value, hmac }) => [name, origin, value, hmac?.length])).toEqual([
      ['MADE', 'generated', undefined, 64],
      ['PLAIN', 'given', undefined, 64],
      ['TYPED', 'default', '3', undefined],
    ]);
  });

  it('takes variables from flag, file, environment and default, in this order', async () => {
    const home = createHome();
    home.write(
      'Order.md',
      classic('Order', 'echo "$A $B $C $D $E"', { env: 'A: a\nB: b\nC: c\nD:\n  default: default\nE: e' }),
    );
    home.write('vars', '# comment\nA=file\nB="file two"\n\nexport C=file\n');
    home.write('value', 'from file\n');
    const { stdout } = await home.run(
      ['execute', '-q', './Order.md', '--env', 'A=flag', '--env', 'E=@value', '--env-file', 'vars'],
      { env: { A: 'environment', C: 'environment' } },
    );
    expect(stdout).toBe('flag file two file default from file\n');
  });
});

describe('the entry in the document', () => {
  it('leaves the digest of a runbook as it is, also the first one', async () => {
    const home = createHome();
    home.write('Entry.md', '# Entry\n\n# Steps\n\n## One\n```sh\necho hello\n```\n');
    await home.run(['execute', './Entry.md']);
    await home.run(['execute', './Entry.md']);
    const digests = (await runs(home)).map((run) => run.runbook.digest);
    expect(digests).toHaveLength(2);
    expect(new Set(digests).size).toBe(1);
  });

  it('can never become part of what the next run carries out', async () => {
    const home = createHome();
    const marker = path.join(home.folder, 'injected');
    const output = `</pre>\\n\\n## Extra\\n\\140\\140\\140bash\\ntouch ${marker}\\n\\140\\140\\140\\n<!--\\n`;
    for (const end of ['<pre>\n', '<!-- note\n', '<?php\n', '']) {
      home.write('Entry.md', `# Entry\n\n# Steps\n\n## One\n\`\`\`bash\nprintf '${output}'\n\`\`\`\n${end}`);
      await home.run(['execute', './Entry.md']);
      await home.run(['execute', './Entry.md']);
    }
    expect(() => statSync(marker)).toThrow('ENOENT');
  });

  it('is written where the document is no file of a work tree, and once per run', async () => {
    const home = createHome();
    const file = home.write('Entry.md', classic('Entry', 'echo hello'));
    const before = readFileSync(file, 'utf8');
    await home.run(['execute', './Entry.md']);
    await home.run(['execute', './Entry.md']);
    const after = readFileSync(file, 'utf8');
    expect(after.startsWith(before)).toBe(true);
    expect(after.match(/^### .* \| Exit Code: 0$/gm)).toHaveLength(2);
    const digests = (await runs(home)).map((run) => run.runbook.digest);
    expect(digests[0]).toBe(digests[1]);
    expect((await home.run(['validate', './Entry.md'])).exitCode).toBe(0);
  });

  it.skipIf(!requires('git'))(
    'is left to the ledger in a work tree (needs git), with CI=true, and on request',
    async () => {
      const home = createHome();
      const file = home.write('Entry.md', classic('Entry', 'echo hello'));
      const before = readFileSync(file, 'utf8');
      await home.run(['execute', './Entry.md'], { env: { CI: 'true' } });
      await home.run(['execute', './Entry.md', '--history', 'ledger']);
      await execa('git', ['init', '-q', home.folder]);
      await home.run(['execute', './Entry.md']);
      expect(readFileSync(file, 'utf8')).toBe(before);
      expect(await runs(home)).toHaveLength(3);
    },
  );

  it('keeps nothing with --history none, and says so', async () => {
    const home = createHome();
    home.write('Entry.md', classic('Entry', 'echo hello'));
    const { exitCode, stderr } = await home.run(['execute', './Entry.md', '--history', 'none']);
    expect(exitCode).toBe(0);
    expect(stderr).toContain('leaves no record');
    expect(await runs(home)).toHaveLength(0);
  });

  it('what was recorded is told also where new runs leave no record, and why they are not there', async () => {
    const home = createHome();
    home.write('Entry.md', classic('Entry', 'echo hello'));
    await home.run(['execute', './Entry.md', '--history', 'ledger']);
    const none = { env: { RUNBOOK_HISTORY: 'none' } };
    await home.run(['execute', './Entry.md'], none);
    const { stdout, stderr } = await home.run(['history'], none);
    expect(stdout.match(/^\d{4}-.* Entry /gm)).toHaveLength(1);
    expect(stderr).toBe('New runs leave no record here (RUNBOOK_HISTORY is none): they are in no history.\n');
    expect((await home.run(['history', 'last'], none)).stdout).toContain('hello');
    expect((await home.run(['history', '-q'], none)).stderr).toBe('');
    expect((await home.run(['history'])).stderr).toBe('');
    await home.run(['pause', 'all'], none);
    expect((await home.run(['audit', 'list'], none)).stdout).toContain('pause');
    expect((await home.run(['audit', 'copy', 'copy.sqlite'], none)).exitCode).toBe(0);
  });
});

describe('runbooks that call runbooks', () => {
  it('may be so many in a row, and no more', async () => {
    const home = createHome();
    home.write('Child.md', classic('Child', 'echo ran'));
    const run = async (depth: number) =>
      await home.run(['execute', '-q', './Child.md'], {
        env: {
          RUNBOOK_MAX_RECURSION_DEPTH: '3',
          RUNBOOK_RECURSION_STACK: JSON.stringify(Array.from({ length: depth }, (_, index) => `P${index}.md`)),
        },
      });
    expect(await run(2)).toMatchObject({ exitCode: 0, stdout: 'ran\n' });
    expect(await run(3)).toMatchObject({
      exitCode: 65,
      stdout: '',
      stderr: expect.stringContaining('depth limit exceeded: 3 (max: 3)') as string,
    });
  });

  it('share the ledger and pass the chain on; a circle is refused', async () => {
    const home = createHome();
    const command = `"${process.execPath}" "${BIN}"`;
    home.write('Child.md', classic('Child', 'echo child'));
    home.write('Parent.md', classic('Parent', `cd "${home.folder}" && ${command} execute -q ./Child.md`));
    home.write('Circle.md', classic('Circle', `cd "${home.folder}" && ${command} execute -q ./Circle.md`));
    const stateDir = path.join(home.folder, 'elsewhere');
    expect(await home.run(['execute', '-q', './Parent.md', '--state-dir', stateDir])).toMatchObject({
      exitCode: 0,
      stdout: 'child\n',
    });
    const { runs: recorded } = (await home.json(['history', '--state-dir', stateDir])) as unknown as {
      runs: HistoryRun[];
    };
    expect(recorded.map((run) => [run.runbook.name, run.callChain])).toEqual([
      ['Child', ['Parent.md']],
      ['Parent', []],
    ]);
    const circle = await home.run(['execute', '-q', './Circle.md']);
    expect(circle.exitCode).toBe(65);
    expect(circle.stderr).toContain('Recursion detected');
    expect((await runs(home)).map((run) => run.refusal?.code ?? run.state)).toEqual(['recursion', 'finished']);
  });
});

async function waitFor(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error('waited for nothing');
    await new Promise((resolve) => {
      setTimeout(resolve, 20);
    });
  }
}
