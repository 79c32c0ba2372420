/** Bad input gets one clear sentence, what to do, the right exit code, and a record where a run was asked for. */
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { BIN, classic, cleanEnvironment, createHome } from '../helpers/cli.ts';
import type { Home } from '../helpers/cli.ts';
import { requires } from '../helpers/requires.ts';

interface Refused {
  readonly state: string;
  readonly refusal: { readonly code: string } | null;
}

async function refusals(home: Home): Promise<readonly (string | undefined)[]> {
  const { runs } = (await home.json(['history'])) as unknown as { runs: Refused[] };
  return runs.map((run) => run.refusal?.code);
}

interface Case {
  readonly name: string;
  readonly prepare?: (home: Home) => Promise<void> | void;
  readonly args: readonly string[];
  readonly exit: number;
  readonly says: RegExp;
  /** Code of the refusal in the ledger; null: no run was asked for, or it was not refused but could not begin. */
  readonly recorded: string | null;
}

const CASES: readonly Case[] = [
  {
    name: 'missing file',
    args: ['execute', './Nothing.md'],
    exit: 66,
    says: /There is no file Nothing\.md/,
    recorded: 'not-found',
  },
  ...['record', 'junit'].map((flag) => ({
    name: `--${flag} -, which is no file`,
    args: ['execute', './Nothing.md', `--${flag}`, '-'],
    exit: 64,
    says: new RegExp(`--${flag}: stdout is the script’s`),
    recorded: null,
  })),
  {
    name: 'missing name, with a suggestion',
    prepare: (home) => {
      mkdirSync(path.join(home.folder, 'runbooks'));
      home.write('runbooks/DrainNode.md', classic('DrainNode', 'true'));
    },
    args: ['execute', 'DrainNod'],
    exit: 66,
    says: /Did you mean “DrainNode”/,
    recorded: 'not-found',
  },
  {
    name: 'no folder of runbooks',
    args: ['execute', 'DrainNode'],
    exit: 66,
    says: /no folder of runbooks/,
    recorded: 'not-found',
  },
  {
    name: 'a state folder where nobody can make one',
    prepare: (home) => {
      home.write('Task.md', classic('Task', 'true'));
    },
    args: ['execute', './Task.md', '--state-dir', '/proc/nothing/state'],
    exit: 74,
    says: /The ledger \/proc\/nothing\/state\/ledger\.sqlite cannot be written or read/,
    recorded: null,
  },
  {
    name: 'directory',
    prepare: (home) => {
      mkdirSync(path.join(home.folder, 'Dir.md'));
    },
    args: ['execute', './Dir.md'],
    exit: 64,
    says: /is a folder, not a runbook/,
    recorded: 'usage',
  },
  {
    name: 'FIFO',
    prepare: async (home) => {
      await execa('mkfifo', [path.join(home.folder, 'Fifo.md')]);
    },
    args: ['execute', './Fifo.md'],
    exit: 64,
    says: /is not a regular file/,
    recorded: 'usage',
  },
  { name: 'device', args: ['execute', '/dev/zero'], exit: 64, says: /is not a regular file/, recorded: 'usage' },
  {
    name: 'binary',
    prepare: (home) => {
      home.write('Binary.md', Buffer.from(Array.from({ length: 4096 }, (_, index) => (index * 7) % 256)));
    },
    args: ['execute', './Binary.md'],
    exit: 65,
    says: /not-utf8/,
    recorded: 'runbook-invalid',
  },
  {
    name: '50 MB',
    prepare: (home) => {
      home.write('Big.md', Buffer.alloc(50 * 1024 ** 2, 'a line of text\n'));
    },
    args: ['execute', './Big.md'],
    exit: 65,
    says: /document-too-large/,
    recorded: 'runbook-invalid',
  },
  {
    name: 'larger than any document',
    prepare: (home) => {
      home.write('Huge.md', Buffer.alloc(65 * 1024 ** 2, 'x'));
    },
    args: ['execute', './Huge.md'],
    exit: 65,
    says: /64 MiB/,
    recorded: 'runbook-invalid',
  },
  {
    name: 'not UTF-8',
    prepare: (home) => {
      home.write('Latin.md', Buffer.from(classic('Latin', 'echo caf\u00e9'), 'latin1'));
    },
    args: ['execute', './Latin.md'],
    exit: 65,
    says: /not-utf8/,
    recorded: 'runbook-invalid',
  },
  {
    name: 'empty',
    prepare: (home) => {
      home.write('Empty.md', '');
    },
    args: ['execute', './Empty.md'],
    exit: 65,
    says: /document-empty/,
    recorded: 'runbook-invalid',
  },
  {
    name: 'link that leads nowhere',
    prepare: (home) => {
      symlinkSync('nowhere', path.join(home.folder, 'Link.md'));
    },
    args: ['execute', './Link.md'],
    exit: 66,
    says: /There is no file Link\.md/,
    recorded: 'not-found',
  },
  {
    name: 'link in the folder that leads out of it',
    prepare: (home) => {
      mkdirSync(path.join(home.folder, 'runbooks'));
      home.write('Secret.md', classic('Secret', 'true'));
      symlinkSync('../Secret.md', path.join(home.folder, 'runbooks/Link.md'));
    },
    args: ['execute', 'Link'],
    exit: 64,
    says: /leads out of runbooks/,
    recorded: 'usage',
  },
  {
    name: 'name that is too long',
    args: ['execute', `./${'x'.repeat(300)}.md`],
    exit: 66,
    says: /too long/,
    recorded: 'not-found',
  },
  {
    name: 'misspelt claims',
    prepare: (home) => {
      home.write(
        'Typo.md',
        classic('Typo', 'true', { claims: 'roles: sre' }).replace('# Required Claims', '# Requierd Claims'),
      );
    },
    args: ['execute', './Typo.md'],
    exit: 65,
    says: /Typo\.md:\d+:\d+: error: .*\((?:claims-misspelt|section-misspelt)\)/,
    recorded: 'runbook-invalid',
  },
  {
    name: 'input outside of the folder',
    prepare: (home) => {
      home.write('Out.md', classic('Out', 'true', { inputs: 'Input:\n- ../etc' }));
    },
    args: ['execute', './Out.md'],
    exit: 65,
    says: /file-path/,
    recorded: 'runbook-invalid',
  },
  {
    name: 'input that is a link out',
    prepare: (home) => {
      symlinkSync('/etc/passwd', path.join(home.folder, 'link'));
      home.write('LinkOut.md', classic('LinkOut', 'true', { inputs: 'Input:\n- link' }));
    },
    args: ['execute', './LinkOut.md'],
    exit: 78,
    says: /leads out of the runbook/,
    recorded: 'requirements-unmet',
  },
  {
    name: 'link out inside of an input folder',
    prepare: (home) => {
      mkdirSync(path.join(home.folder, 'in'));
      symlinkSync('/etc/passwd', path.join(home.folder, 'in/link'));
      home.write('Deep.md', classic('Deep', 'true', { inputs: 'Input:\n- in' }));
    },
    args: ['execute', './Deep.md'],
    exit: 78,
    says: /leads out of the runbook’s folder: in\/link/,
    recorded: null,
  },
  {
    name: 'missing input',
    prepare: (home) => {
      home.write('In.md', classic('In', 'true', { inputs: 'Input:\n- none.txt' }));
    },
    args: ['execute', './In.md'],
    exit: 78,
    says: /In\.md:13:1: error: Required input file does not exist: none\.txt/,
    recorded: 'requirements-unmet',
  },
  {
    name: 'missing variable and missing input, both at once',
    prepare: (home) => {
      home.write('Both.md', classic('Both', 'true', { env: 'HOST_NAME: where', inputs: 'Input:\n- none.txt' }));
    },
    args: ['execute', './Both.md'],
    exit: 78,
    says: /not set: HOST_NAME[\s\S]*none\.txt[\s\S]*and 1 more/,
    recorded: 'requirements-unmet',
  },
  {
    name: 'variable of the wrong type',
    prepare: (home) => {
      home.write('Type.md', classic('Type', 'true', { env: 'N:\n  type: integer' }));
    },
    args: ['execute', './Type.md', '--env', 'N=many'],
    exit: 78,
    says: /N must be a whole number/,
    recorded: 'requirements-unmet',
  },
  {
    name: 'variable with a control character',
    prepare: (home) => {
      home.write('Ctl.md', classic('Ctl', 'true'));
    },
    args: ['execute', './Ctl.md', '--env', 'N=a\u0007b'],
    exit: 78,
    says: /control character/,
    recorded: 'requirements-unmet',
  },
  {
    name: 'variable that is too large',
    prepare: (home) => {
      home.write('Large.md', classic('Large', 'true'));
      home.write('value', 'x'.repeat(200_000));
    },
    args: ['execute', './Large.md', '--env', 'N=@value'],
    exit: 78,
    says: /longer than 120 KiB/,
    recorded: 'requirements-unmet',
  },
  {
    name: 'variable that changes the shell',
    prepare: (home) => {
      home.write('Deny.md', classic('Deny', 'true'));
    },
    args: ['execute', './Deny.md', '--env', 'LD_PRELOAD=x'],
    exit: 64,
    says: /LD_PRELOAD may not be set/,
    recorded: 'variable-denied',
  },
  {
    name: 'variable of the contract',
    prepare: (home) => {
      home.write('Deny.md', classic('Deny', 'true'));
    },
    args: ['execute', './Deny.md', '--env', 'RUNBOOK_RUN_ID=x'],
    exit: 64,
    says: /RUNBOOK_RUN_ID may not be set/,
    recorded: 'variable-denied',
  },
  {
    name: 'secret on the command line',
    prepare: (home) => {
      home.write('Sec.md', classic('Sec', 'true', { env: 'DB_PASSWORD: the password' }));
    },
    args: ['execute', './Sec.md', '--env', 'DB_PASSWORD=hunter2'],
    exit: 64,
    says: /everybody on this machine can see it/,
    recorded: 'usage',
  },
  {
    name: 'bad name of a variable',
    args: ['execute', './X.md', '--env', '1A=x'],
    exit: 64,
    says: /Invalid environment variable name/,
    recorded: 'usage',
  },
  {
    name: 'line of an env file',
    prepare: (home) => {
      home.write('vars', 'A=1\nnonsense\n');
    },
    args: ['execute', './X.md', '--env-file', 'vars'],
    exit: 64,
    says: /vars:2: this is not a NAME=value line/,
    recorded: 'usage',
  },
  {
    name: 'duration without a unit',
    args: ['execute', './X.md', '--timeout', '90'],
    exit: 64,
    says: /“90” is not a duration/,
    recorded: 'usage',
  },
  {
    name: 'missing env file, which is ours to read and not Node’s',
    args: ['execute', './X.md', '--env-file', 'none'],
    exit: 66,
    says: /--env-file: none is not there\./,
    recorded: 'not-found',
  },
  {
    name: 'env file that would change our own runtime',
    prepare: (home) => {
      home.write('X.md', classic('X', 'true'));
      home.write('evil.cjs', 'console.log("evil code ran")');
      home.write('vars', `NODE_OPTIONS=--require=${path.join(home.folder, 'evil.cjs')}\n`);
    },
    args: ['execute', './X.md', '--env-file', 'vars'],
    exit: 64,
    says: /NODE_OPTIONS may not be set/,
    recorded: 'variable-denied',
  },
  {
    name: 'endless file as a value',
    args: ['execute', './X.md', '--env', 'A=@/dev/zero'],
    exit: 64,
    says: /--env A: \/dev\/zero is larger than 512 KiB/,
    recorded: 'usage',
  },
  {
    name: 'undeclared secret on the command line',
    prepare: (home) => {
      home.write('X.md', classic('X', 'true'));
    },
    args: ['execute', './X.md', '--env', 'API_TOKEN=hunter2'],
    exit: 64,
    says: /API_TOKEN is a secret/,
    recorded: 'usage',
  },
  {
    name: 'unknown flag',
    args: ['execute', '--frobnicate'],
    exit: 64,
    says: /Unknown option '--frobnicate'/,
    recorded: null,
  },
  {
    name: 'mistyped flag',
    args: ['execute', '--tokn-file', 'x'],
    exit: 64,
    says: /Did you mean --token-file/,
    recorded: null,
  },
  { name: 'unknown command', args: ['exceute'], exit: 64, says: /Did you mean execute/, recorded: null },
  { name: 'no runbook', args: ['execute'], exit: 64, says: /No runbook is named/, recorded: null },
  {
    name: 'token as an argument',
    args: ['execute', './X.md', '--token', 'eyJhbGciOi'],
    exit: 64,
    says: /--token takes only “-”/,
    recorded: 'usage',
  },
  {
    name: 'unknown run',
    args: ['history', '01ARZ3NDEKTSV4RRFFQ69G5FAV'],
    exit: 66,
    says: /There is no run/,
    recorded: null,
  },
  { name: 'nothing matches', args: ['validate', 'no*.md'], exit: 66, says: /Nothing matches/, recorded: null },
];

describe('bad input', () => {
  it.each(CASES)('$name', async ({ prepare, args, exit, says, recorded }) => {
    const home = createHome();
    await prepare?.(home);
    const { exitCode, stdout, stderr } = await home.run(args);
    expect(stderr).toMatch(says);
    expect(exitCode).toBe(exit);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/\n {2}fix: \S/);
    expect(stderr).not.toMatch(/\bat .*\.js:\d+/);
    if (recorded !== null) expect(await refusals(home)).toEqual([recorded]);
  });

  it('says the same to a machine', async () => {
    const home = createHome();
    const { error } = (await home.json(['execute', './Nothing.md'])) as unknown as { error: object };
    expect(error).toMatchObject({ code: 'not-found', exitCode: 66, status: 404 });
  });

  it('never shows a refused secret', async () => {
    const home = createHome();
    home.write('Sec.md', classic('Sec', 'true', { env: 'PIN:\n  secret: true\n  pattern: ^[0-9]+$' }));
    home.write('pin', 'not-a-number-canary');
    const { exitCode, stderr } = await home.run(['execute', './Sec.md', '--env', 'PIN=@pin']);
    expect(exitCode).toBe(78);
    expect(stderr).not.toContain('canary');
  });
});

describe('a state folder that does not do', () => {
  it('unwritable: nothing is run', async () => {
    const home = createHome();
    // Root ignores permissions, so a file stands where the folder should be.
    home.write('state', '');
    const marker = path.join(home.folder, 'ran');
    home.write('Run.md', classic('Run', `touch ${marker}`));
    const { exitCode, stderr } = await home.run(['execute', './Run.md', '--state-dir', 'state/below']);
    expect(exitCode).toBe(74);
    expect(stderr).toMatch(/state is a file and not a folder/);
    expect(() => readFileSync(marker)).toThrow('ENOENT');
  });

  it('corrupt ledger: nothing is run, nothing is replaced', async () => {
    const home = createHome();
    mkdirSync(home.stateDir, { recursive: true });
    const ledger = path.join(home.stateDir, 'ledger.sqlite');
    const garbage = Buffer.alloc(8192, 'garbage ');
    writeFileSync(ledger, garbage);
    const marker = path.join(home.folder, 'ran');
    home.write('Run.md', classic('Run', `touch ${marker}`));
    const { exitCode, stderr } = await home.run(['execute', './Run.md']);
    expect(exitCode).toBe(69);
    expect(stderr).toContain('is damaged or is not a ledger');
    expect(() => readFileSync(marker)).toThrow('ENOENT');
    expect(readFileSync(ledger).equals(garbage)).toBe(true);
  });
});

describe('an unreadable document', () => {
  const isRoot = process.getuid?.() === 0;
  // Root reads everything, so root looks with the eyes of somebody else.
  it.skipIf(isRoot && !requires('setpriv'))('is named as such (needs setpriv where root runs it)', async () => {
    const home = createHome();
    const file = home.write('Closed.md', classic('Closed', 'true'));
    chmodSync(file, 0o000);
    chmodSync(home.folder, 0o777);
    const command = [process.execPath, BIN, 'execute', './Closed.md', '--state-dir', path.join(home.folder, 'state')];
    const [program = '', ...args] = isRoot ? ['setpriv', '--reuid', '65534', '--clear-groups', ...command] : command;
    const result = await execa(program, args, {
      cwd: home.folder,
      env: cleanEnvironment(home.folder),
      extendEnv: false,
      reject: false,
    });
    expect(result.stderr).toContain('cannot be read: permission denied');
    expect(result.exitCode).toBe(74);
  });
});

describe('a wrong Node', () => {
  it('is refused in one sentence before anything is loaded', async () => {
    const home = createHome();
    const older = `data:text/javascript,Object.defineProperty(process.versions,"node",{value:"20.20.2"})`;
    const result = await execa(process.execPath, ['--import', older, BIN, 'execute', './X.md'], {
      cwd: home.folder,
      reject: false,
    });
    expect(result.exitCode).toBe(69);
    expect(result.stderr).toMatch(/this is Node 20\.20\.2, and runbook needs Node 24 or newer/);
  });
});
