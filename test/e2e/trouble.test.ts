/** Scripts and surroundings that misbehave: the run ends, says how, and is in the ledger with its end. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { BIN, classic, createHome, REPOSITORY } from '../helpers/cli.ts';
import type { Home } from '../helpers/cli.ts';
import { requires } from '../helpers/requires.ts';
import { inShell } from '../helpers/shell.ts';
import { ENTER, inTerminal } from '../helpers/terminal.ts';

interface Recorded {
  readonly runId: string;
  readonly state: string;
  readonly incident: string | null;
  readonly result: { readonly outcome: string; readonly reason: string | null } | null;
}
async function newest(home: Home): Promise<Recorded | undefined> {
  return ((await home.json(['history'])) as unknown as { runs: Recorded[] }).runs[0];
}

const step = (body: string, keys = ''): string =>
  `## ${body.length > 0 ? 'Try' : ''}\n${keys === '' ? '' : `\`\`\`yaml\n${keys}\n\`\`\`\n`}\`\`\`bash\n${body}\n\`\`\`\n`;
const steps = (body: string, keys = ''): string => `# Trouble\n\n# Steps\n\n${step(body, keys)}`;

describe('the outputs of a step', () => {
  it.each([
    ['removed', 'rm "$RUNBOOK_OUTPUT"', /the script removed it/],
    ['a FIFO that nobody writes to', 'rm "$RUNBOOK_OUTPUT"; mkfifo "$RUNBOOK_OUTPUT"', /no plain file/],
    ['a link to somebody else’s file', 'ln -sf /etc/hostname "$RUNBOOK_OUTPUT"', /no plain file/],
    ['a folder', 'rm "$RUNBOOK_OUTPUT"; mkdir "$RUNBOOK_OUTPUT"', /no plain file/],
    ['a device', 'ln -sf /dev/zero "$RUNBOOK_OUTPUT"', /no plain file/],
    [
      'without the line that ends a value',
      'printf "DB_PASSWORD<<END\\ncanary\\n" > "$RUNBOOK_OUTPUT"',
      /no end line END/,
    ],
    ['no lines of values', 'echo "canary is no line" > "$RUNBOOK_OUTPUT"', /line 1 .* neither NAME=value nor/],
    [
      'with a name of nobody’s',
      'printf "DB_PASSWORD=a\\nOTHER=canary\\n" > "$RUNBOOK_OUTPUT"',
      /OTHER .* not declare it/,
    ],
    ['with a name that no script passes on', 'echo PATH=/canary > "$RUNBOOK_OUTPUT"', /PATH .* not declare it/],
    ['left empty', 'true', /did not write its output DB_PASSWORD/],
    ['a value beyond what a variable holds', 'printf "DB_PASSWORD=%0130000d\\n" 0 > "$RUNBOOK_OUTPUT"', /120 KiB/],
    ['endless', 'head -c 2000000 /dev/zero > "$RUNBOOK_OUTPUT"', /larger than 1 MiB/],
    [
      'a secret with a NUL in it',
      'printf "DB_PASSWORD=canary-value\\0x\\n" > "$RUNBOOK_OUTPUT"',
      /holds a control character/,
    ],
  ])('%s: the step fails, and a value is told nobody', async (_name, body, says) => {
    const home = createHome();
    home.write('Trouble.md', `${steps(body, 'outputs: DB_PASSWORD')}\n## Next\n\`\`\`bash\ntrue\n\`\`\`\n`);
    const { exitCode, stderr } = await home.run(['execute', './Trouble.md']);
    expect(stderr).toMatch(says);
    expect(exitCode).toBe(1);
    const run = await newest(home);
    expect(run).toMatchObject({ state: 'finished', result: { outcome: 'failed' } });
    expect(stderr + JSON.stringify(run)).not.toContain('canary');
  });
});

describe('the ledger', () => {
  it('locked when the script ends is waited for; the end is recorded and the exit code is the script’s', async () => {
    const home = createHome();
    const lock = home.write(
      'lock.cjs',
      `const Database = require(${JSON.stringify(path.join(REPOSITORY, 'node_modules/better-sqlite3'))});
while (!require('fs').existsSync('started')) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
const db = new Database(process.argv[2]); db.exec('BEGIN IMMEDIATE'); require('fs').writeFileSync('locked', '');
setTimeout(() => { db.exec('ROLLBACK'); db.close(); }, 7000);`,
    );
    const ledger = path.join(home.stateDir, 'ledger.sqlite');
    home.write(
      'Trouble.md',
      steps(`cd "${home.folder}"; touch started; until [ -e locked ]; do sleep 0.05; done; exit 3`),
    );
    // Not a child of the script: that would end with it.
    const locker = execa(process.execPath, [lock, ledger], { cwd: home.folder, reject: false, timeout: 60_000 });
    const { exitCode, stderr } = await home.run(['execute', './Trouble.md']);
    await locker;
    expect(stderr).toContain('waiting for the ledger');
    expect(exitCode).toBe(3);
    expect(await newest(home)).toMatchObject({ state: 'finished', result: { outcome: 'failed' } });
  });
});

describe('the place for output', () => {
  it('that cannot be used ends the run before its script, with a record', async () => {
    const home = createHome();
    const marker = path.join(home.folder, 'ran');
    home.write('Trouble.md', steps(`touch "${marker}"`));
    mkdirSync(home.stateDir, { recursive: true });
    writeFileSync(path.join(home.stateDir, 'output'), '');
    const { exitCode } = await home.run(['execute', './Trouble.md']);
    expect(exitCode).toBe(74);
    expect(existsSync(marker)).toBe(false);
    expect(await newest(home)).toMatchObject({ state: 'finished', result: { outcome: 'spawn-failed' } });
  });

  it.skipIf(!existsSync('/dev/full'))('of the caller that is full ends the run and says so', async () => {
    const home = createHome();
    home.write('Trouble.md', steps('yes'));
    const { exitCode, stderr } = await inShell(home, 'runbook execute ./Trouble.md > /dev/full');
    expect(stderr).toMatch(/could not be written: .*ENOSPC/);
    expect(exitCode).toBe(141);
    expect(await newest(home)).toMatchObject({ result: { outcome: 'canceled' } });
    expect(await inShell(home, 'runbook history > /dev/full')).toMatchObject({
      exitCode: 74,
      stderr: expect.stringContaining('ENOSPC') as string,
    });
  });

  it.skipIf(!existsSync('/dev/full')).each(['--version', '-V', '--help', '', 'help', 'help execute', 'audit --help'])(
    'of the caller that is full is said by `runbook %s`',
    async (words) => {
      const { exitCode, stdout, stderr } = await inShell(createHome(), `runbook ${words} > /dev/full`);
      expect(stderr).toMatch(/^runbook: error: The output could not be written: .*ENOSPC.*\n {2}fix: /);
      expect({ exitCode, stdout }).toEqual({ exitCode: 74, stdout: '' });
    },
  );

  it('of the caller that is closed is no bug', async () => {
    const home = createHome();
    const { stdout, stderr } = await inShell(home, 'runbook config | (exec <&-; sleep 1); echo "${PIPESTATUS[0]}"');
    expect(stdout).toBe('141');
    expect(stderr).toBe('');
  });

  it('is left empty with --history none', async () => {
    const home = createHome();
    home.write('Trouble.md', steps('echo hello'));
    const { stdout } = await home.run(['execute', './Trouble.md', '--history', 'none', '--json'], {
      env: { TMPDIR: home.folder },
    });
    expect(stdout).toContain('"stdout": "hello\\n"');
    expect(existsSync(path.join(home.stateDir, 'output'))).toBe(false);
    expect(readdirSync(home.folder).filter((name) => name.startsWith('runbook-'))).toEqual([]);
  });
});

describe('secrets and denied names', () => {
  it('a denied name is refused also where only the name is given', async () => {
    const home = createHome();
    home.write('Trouble.md', steps('env'));
    expect(await home.run(['execute', './Trouble.md', '--env', 'LD_PRELOAD'])).toMatchObject({
      exitCode: 64,
      stdout: '',
    });
  });

  it('the tool’s own secret is not passed on by its name', async () => {
    const home = createHome();
    home.write('Trouble.md', steps('env'));
    const { exitCode, stdout, stderr } = await home.run(['execute', './Trouble.md', '--env', 'JWT_SECRET'], {
      env: { JWT_SECRET: 'canary'.repeat(10) },
    });
    expect(exitCode).toBe(78);
    expect(stdout + stderr).not.toContain('canary');
  });
});

describe('what is shown', () => {
  it('of a record are rows that nobody else can write', async () => {
    const home = createHome();
    home.write('Trouble.md', steps('true'));
    await home.run(['execute', './Trouble.md', '--env', 'NOTE=a\nstate     forged']);
    const { stdout } = await home.run(['history', (await newest(home))?.runId ?? '']);
    expect(stdout.match(/^state .*$/gm)?.map((row) => row.replace(/ +/, ' '))).toEqual(['state finished']);
  });

  it('in colours has no escape sequences as text', async () => {
    const home = createHome();
    home.write('Trouble.md', steps('true'));
    const { stdout } = await home.run(['show', './Trouble.md'], { env: { FORCE_COLOR: '1' } });
    expect(stdout).toContain('\u001B[1mTrouble');
    expect(stdout).not.toContain(String.raw`\u{1b}`);
  });

  it('after a failure is how to take back what has begun, newest first', async () => {
    const home = createHome();
    const part = (name: string, body: string): string =>
      `## ${name}\n\`\`\`bash\n${body}\n\`\`\`\n### Rollback\n\`\`\`bash\necho back ${name}\n\`\`\`\n\n`;
    home.write(
      'Trouble.md',
      `# Trouble\n\n# Steps\n\n${part('One', 'true')}${part('Two', 'false')}${part('Three', 'true')}`,
    );
    const { stdout, stderr } = await home.run(['execute', './Trouble.md']);
    expect(stdout).toBe('');
    expect(stderr.match(/echo back \w+/g)).toEqual(['echo back Two', 'echo back One']);
  });
});

describe('places in settings', () => {
  it('are relative to the file that names them', async () => {
    const home = createHome();
    mkdirSync(path.join(home.folder, 'ops/rb'), { recursive: true });
    mkdirSync(path.join(home.folder, 'sub'));
    home.write('.runbook.yaml', 'runbooks_dir: ops/rb\n');
    home.write('ops/rb/Trouble.md', steps('echo found'));
    expect(await home.run(['execute', '-q', 'Trouble'], { cwd: path.join(home.folder, 'sub') })).toMatchObject({
      exitCode: 0,
      stdout: 'found\n',
    });
  });

  it('compiled code lies in the user’s own folder', async () => {
    const home = createHome();
    const shared = path.join(home.folder, 'tmp');
    mkdirSync(shared);
    await home.run(['config'], { env: { TMPDIR: shared, XDG_CACHE_HOME: '' } });
    expect(readdirSync(shared)).toEqual([]);
    expect(codeOf(home)).toHaveLength(1);
  });

  it('compiled code is kept once for each command, and not after a failure', async () => {
    const home = createHome();
    const env = { XDG_CACHE_HOME: '' };
    mkdirSync(path.join(home.folder, 'runbooks'));
    home.write('runbooks/Trouble.md', steps('true'));
    expect(await home.run(['config', '--nonsense'], { env })).toMatchObject({ exitCode: 64 });
    expect(codeOf(home)).toEqual([]);
    for (const words of [['config'], ['list'], ['config', '--json'], ['--help'], ['list', '--help'], ['help']])
      await home.run(words, { env });
    expect(codeOf(home).map((name) => name.split('-')[0])).toEqual(['config', 'help', 'list']);
  });

  // What a command has told V8 about memory is part of what its code was compiled with.
  it('compiled code serves every start after the one that has kept it, whatever that has printed', async () => {
    const home = createHome();
    const env = { XDG_CACHE_HOME: '' };
    mkdirSync(path.join(home.folder, 'runbooks'));
    home.write('runbooks/Trouble.md', steps('echo out'));
    const kept = (): readonly unknown[] =>
      codeOf(home).map((name) => {
        const { ino, mtimeMs } = statSync(path.join(home.folder, '.cache/runbook', name));
        return [name, ino, mtimeMs];
      });
    const commands = [['execute', 'Trouble', '--json'], ['history', 'last', '--json'], ['list']];
    for (const words of commands) expect(await home.run(words, { env })).toMatchObject({ exitCode: 0 });
    const before = kept();
    expect(before).toHaveLength(commands.length);
    for (const words of commands) await home.run(words, { env });
    expect(kept()).toEqual(before);
  });

  it('compiled code of a version before goes after a week, with what a killed process has left of it', async () => {
    const home = createHome();
    const env = { XDG_CACHE_HOME: '' };
    const folder = path.join(home.folder, '.cache/runbook');
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    chmodSync(path.join(home.folder, '.cache'), 0o700);
    const old = new Date(Date.now() - 8 * 24 * 3_600_000);
    for (const [name, isOld] of [
      ['config-0.0.1', true],
      ['config-0.0.1.99', true],
      ['config-0.0.2', false],
      ['list-0.0.1', true],
    ] as const) {
      writeFileSync(path.join(folder, name), '');
      if (isOld) utimesSync(path.join(folder, name), old, old);
    }
    await home.run(['config'], { env });
    expect(codeOf(home).filter((name) => name.includes('-0.0.'))).toEqual(['config-0.0.2', 'list-0.0.1']);
    expect(codeOf(home)).toHaveLength(3);
  });

  it.each([
    ['empty', () => Buffer.alloc(0)],
    ['cut off', (code: Buffer) => code.subarray(0, code.length / 2)],
    ['of zeros', (code: Buffer) => Buffer.alloc(code.length)],
    ['with one bit turned', turned],
  ])('compiled code that is %s is made anew', async (_, damaged) => {
    const home = createHome();
    const env = { XDG_CACHE_HOME: '' };
    const first = await home.run(['config', '--json'], { env });
    const [name = ''] = codeOf(home);
    const file = path.join(home.folder, '.cache/runbook', name);
    const bad = damaged(readFileSync(file));
    writeFileSync(file, bad);
    expect(await home.run(['config', '--json'], { env })).toMatchObject({
      exitCode: 0,
      stdout: first.stdout,
      stderr: '',
    });
    expect(readFileSync(file).equals(bad)).toBe(false);
    expect(await home.run(['config', '--json'], { env })).toMatchObject({
      exitCode: 0,
      stdout: first.stdout,
      stderr: '',
    });
  });

  it('compiled code is neither used nor kept where others can write', async () => {
    const home = createHome();
    const env = { XDG_CACHE_HOME: '' };
    mkdirSync(path.join(home.folder, '.cache'));
    chmodSync(path.join(home.folder, '.cache'), 0o777);
    expect(await home.run(['config'], { env })).toMatchObject({ exitCode: 0 });
    expect(codeOf(home)).toEqual([]);
  });
});

describe.skipIf(!requires('script'))('a question (needs script of util-linux)', () => {
  it('ends with a signal', async () => {
    const home = createHome();
    home.write('Trouble.md', steps('true', 'confirm: Sure?'));
    const terminate = (): void => {
      signalRunner(home, 'SIGTERM');
    };
    const { exitCode } = await inTerminal(home.folder, ['execute', './Trouble.md'], [[/Sure\? \[y\/N\] /, terminate]]);
    expect(exitCode).toBe(143);
    expect(await newest(home)).toMatchObject({ state: 'finished', result: { outcome: 'canceled' } });
  });

  it('for a variable ends with a signal, and nothing has run', async () => {
    const home = createHome();
    home.write('Trouble.md', classic('Trouble', 'true', { env: 'WHERE: the place' }));
    const terminate = (): void => {
      signalRunner(home, 'SIGTERM');
    };
    const { exitCode } = await inTerminal(home.folder, ['execute', './Trouble.md'], [[/WHERE/, terminate]]);
    expect(exitCode).toBe(143);
    expect(await newest(home)).toMatchObject({ state: 'refused' });
  });

  it('is answered as before', async () => {
    const home = createHome();
    home.write('Trouble.md', steps('true', 'confirm: Sure?'));
    expect(await inTerminal(home.folder, ['execute', './Trouble.md'], [[/Sure/, `y${ENTER}`]])).toMatchObject({
      exitCode: 0,
    });
  });
});

/** To the runner itself, which is not the process that the terminal was started with. */
function signalRunner(home: Home, signal: 'SIGTERM'): void {
  const runner = readdirSync('/proc').find((pid) => {
    try {
      const [command = '', ...args] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
      const isNode = command.endsWith('node') && args[1] === BIN;
      return isNode && readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`HOME=${home.folder}\0`);
    } catch {
      return false;
    }
  });
  if (runner === undefined) throw new Error('the runner was not seen');
  process.kill(Number(runner), signal);
}

/** Files in which the program keeps its own code; a folder is Node's. */
function codeOf(home: Home): readonly string[] {
  const folder = path.join(home.folder, '.cache/runbook');
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .flatMap((entry) => (entry.isFile() ? [entry.name] : []))
    .toSorted();
}

function turned(code: Buffer): Buffer {
  const bytes = Buffer.from(code);
  const middle = bytes.length >> 1;
  bytes[middle] = (bytes[middle] ?? 0) ^ 4;
  return bytes;
}
