/** The environment that a script is started with: every name is explained, and nothing else comes in by any way. */
import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { createHome } from '../helpers/cli.ts';
import type { Home } from '../helpers/cli.ts';

/** Before the shell adds names of its own. */
const ENVIRON = 'tr "\\\\0" "\\\\n" < /proc/$$/environ';
const CONTRACT = [
  'RUNBOOK_CORRELATION_ID',
  'RUNBOOK_EXEC_DIR_HOST',
  'RUNBOOK_HEADERS',
  'RUNBOOK_H_CORR',
  'RUNBOOK_H_CTYPE',
  'RUNBOOK_H_RECUR',
  'RUNBOOK_MASK',
  'RUNBOOK_OUTPUT',
  'RUNBOOK_RECURSION_STACK',
  'RUNBOOK_RUN_ID',
  'RUNBOOK_STEP',
  'RUNBOOK_URL',
];

function write(home: Home, { env = '', keys = '', script = ENVIRON.replaceAll('\\\\', '\\') } = {}): void {
  const declared = env === '' ? '' : `# Environment Requirements\n\`\`\`yaml\n${env}\n\`\`\`\n\n`;
  const data = keys === '' ? '' : `\`\`\`yaml\n${keys}\n\`\`\`\n`;
  home.write('Env.md', `# Env\n\n${declared}# Steps\n\n## Show\n${data}\`\`\`bash\n${script}\n\`\`\`\n`);
}

/** Names and values as the script finds them. */
async function environmentOf(
  home: Home,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<ReadonlyMap<string, string>> {
  const { stdout, stderr, exitCode } = await home.run(['execute', '-q', './Env.md', ...args], { env });
  expect([stderr, exitCode]).toEqual(['', 0]);
  return new Map(
    stdout.split('\n').flatMap((line) => {
      const equals = line.indexOf('=');
      return equals === -1 ? [] : [[line.slice(0, equals), line.slice(equals + 1)] as const];
    }),
  );
}

describe('the environment of a script', () => {
  it('has each name of the base that the user has, as it is, the contract, and no other name', async () => {
    const home = createHome();
    write(home);
    const proxies = ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'ALL_PROXY'];
    const base = Object.fromEntries(
      [
        ...['USER', 'LOGNAME', 'SHELL', 'LC_ALL', 'LC_TIME', 'TERM', 'TZ', 'XDG_RUNTIME_DIR', 'XDG_OTHER'],
        ...['SSH_AUTH_SOCK', 'KUBECONFIG', 'DOCKER_HOST', 'DOCKER_CONTEXT', ...proxies],
        ...proxies.map((name) => name.toLowerCase()),
      ].map((name) => [name, `${name} as it is`]),
    );
    // Anything else is complained about by shells.
    base['LC_ALL'] = 'C.UTF-8';
    const others = Object.fromEntries(
      ['LANGUAGE', 'MAIL', 'PWD', 'EDITOR', 'LC', 'XDG', 'SSH_AGENT_PID', 'DOCKER_TLS', 'AWS_PROFILE', 'ftp_proxy'].map(
        (name) => [name, 'must not be seen'],
      ),
    );
    const seen = await environmentOf(home, [], { ...base, ...others });
    expect([...seen.keys()].sort()).toEqual(
      [...Object.keys(base), 'PATH', 'HOME', 'LANG', 'TMPDIR', 'XDG_CACHE_HOME', ...CONTRACT].sort(),
    );
    expect(seen.get('HOME')).toBe(home.folder);
    for (const [name, value] of Object.entries(base)) expect(seen.get(name)).toBe(value);
  });

  it('has no name that the user does not have', async () => {
    const home = createHome();
    write(home);
    const seen = await environmentOf(home);
    expect([...seen.keys()].sort()).toEqual(['HOME', 'LANG', 'PATH', 'TMPDIR', 'XDG_CACHE_HOME', ...CONTRACT].sort());
  });

  it('has what is passed on by name or pattern, on the command line and in the user’s file, and no more', async () => {
    const home = createHome();
    write(home);
    mkdirSync(path.join(home.folder, '.config/runbook'), { recursive: true });
    home.write('.config/runbook/config.yaml', 'pass_env: [FILE_*, FROM_FILE]\n');
    const names = ['FILE_A', 'FROM_FILE', 'FROM_FILES', 'LINE_A', 'FROM_LINE', 'FROM_LINES', 'A_LINE_', 'line_a'];
    const seen = await environmentOf(
      home,
      ['--pass-env', 'LINE_*', '--pass-env', 'FROM_LINE'],
      Object.fromEntries(names.map((name) => [name, '1'])),
    );
    expect(names.filter((name) => seen.has(name))).toEqual(['FILE_A', 'FROM_FILE', 'LINE_A', 'FROM_LINE']);
  });

  it('has nothing of the tool’s own secrets, whatever is passed on', async () => {
    const home = createHome();
    write(home);
    const secret = 'Kq82mZpw'.repeat(6);
    const own = { JWT_SECRET: secret, RUNBOOK_JWT_SECRET: secret };
    const token = (await home.run(['token', 'mint', '--subject', 'anna'], { env: own })).stdout.trim();
    const env = { ...own, RUNBOOK_TOKEN: token };
    for (const pattern of ['*', 'JWT_*', 'JWT_SECRET', 'RUNBOOK_*', 'RUNBOOK_TOKEN']) {
      const seen = await environmentOf(home, ['--pass-env', pattern], env);
      expect(Object.keys(env).filter((name) => seen.has(name))).toEqual([]);
      expect([...seen.values()].join('\n')).not.toContain(secret);
      // The run's own, as in Stage0; masked where it is printed.
      expect(seen.get('RUNBOOK_API_TOKEN')).toBe('***');
    }
    for (const name of Object.keys(env)) {
      write(home, { env: `${name}: wanted` });
      const { stdout, exitCode } = await home.run(['execute', './Env.md'], { env });
      expect([name, stdout, exitCode]).toEqual([name, '', name.startsWith('RUNBOOK_') ? 65 : 78]);
    }
  });
});

describe('a name that nobody may set', () => {
  // All of them are in test/unit/core/environment-names.test.ts.
  const DENIED = ['LD_PRELOAD', 'BASH_ENV', 'IFS', 'NODE_PATH', 'GIT_SSH_COMMAND', 'RUNBOOK_URL'];

  it.each(DENIED)('%s: not by any option, nor by the document', async (name) => {
    const home = createHome();
    const marker = path.join(home.folder, 'ran');
    const script = `touch "${marker}"`;
    write(home, { script });
    home.write('vars', `${name}=0\n`);
    const given = [
      ['--env', `${name}=0`],
      ['--env', name],
      ['--env', `${name}=@vars`],
      ['--env-file', 'vars'],
    ];
    for (const args of given) {
      const { exitCode, stderr } = await home.run(['execute', './Env.md', ...args]);
      expect([args, exitCode]).toEqual([args, 64]);
      expect(stderr).toContain(`${name} may not be set for a script`);
    }
    for (const document of [{ env: `${name}: wanted` }, { keys: `outputs: ${name}` }]) {
      write(home, { ...document, script });
      expect((await home.run(['execute', './Env.md'])).exitCode).toBe(65);
    }
    expect(existsSync(marker)).toBe(false);
  });

  it('does not come in by a pattern that it matches', async () => {
    const home = createHome();
    write(home);
    const patterns = ['*', 'LD_*', 'BASH_*', 'GIT_*', 'PYTHON*', 'PS4'].flatMap((pattern) => ['--pass-env', pattern]);
    const names = [
      'LD_LIBRARY_PATH',
      'BASH_ENV',
      'ENV',
      'PS4',
      'IFS',
      'PYTHONPATH',
      'PERL5LIB',
      'NODE_PATH',
      'GIT_SSH',
    ];
    const seen = await environmentOf(home, patterns, Object.fromEntries([...names, 'SEEN'].map((name) => [name, '0'])));
    expect([...names, 'SEEN'].filter((name) => seen.has(name))).toEqual(['SEEN']);
  });

  it.each(['PATH', 'HOME', 'SSH_AUTH_SOCK', 'GIT_DIR', 'HTTPS_PROXY', 'https_proxy'])(
    '%s: not by a script, for the steps behind it',
    async (name) => {
      const home = createHome();
      write(home, { keys: `outputs: ${name}`, script: `echo ${name}=/x >> "$RUNBOOK_OUTPUT"` });
      const { exitCode, stderr } = await home.run(['execute', './Env.md']);
      expect(exitCode).toBe(65);
      expect(stderr).toContain('(step-outputs)');
    },
  );
});

describe('a value that no script gets', () => {
  it.each([
    ['with NUL', 'canary\0', 'VALUE holds a control character'],
    ['with ESC', 'canary\u001B[1m', 'VALUE holds a control character'],
    ['with a control character at its end', 'canary\u0007', 'VALUE holds a control character'],
    ['of 200 KB', 'canary'.repeat(33_334), 'VALUE is longer than 120 KiB'],
  ])('%s is refused, and not repaired', async (_what, value, says) => {
    const home = createHome();
    const marker = path.join(home.folder, 'ran');
    write(home, { env: 'VALUE: wanted', script: `touch "${marker}"` });
    home.write('value', value);
    home.write('vars', `VALUE=${value}\n`);
    for (const args of [
      ['--env', 'VALUE=@value'],
      ['--env-file', 'vars'],
    ]) {
      const { exitCode, stderr } = await home.run(['execute', './Env.md', ...args]);
      expect([args, exitCode]).toEqual([args, 78]);
      expect(stderr).toContain(says);
      expect(stderr).toContain('Give a value of the form that the runbook declares.');
      expect(stderr).not.toContain('canary');
    }
    expect(existsSync(marker)).toBe(false);
  });

  it('3 MB in all are too much for the system, which is told, and nothing is started', async () => {
    const home = createHome();
    const marker = path.join(home.folder, 'ran');
    write(home, { script: `touch "${marker}"` });
    home.write('value', 'x'.repeat(100_000));
    const args = Array.from({ length: 30 }, (_, index) => ['--env', `VALUE_${index}=@value`]).flat();
    const { exitCode, stderr } = await home.run(['execute', './Env.md', ...args]);
    expect(exitCode).toBe(69);
    expect(stderr).toContain('The variables and arguments together are larger than the system takes (E2BIG).');
    expect(existsSync(marker)).toBe(false);
  });
});
