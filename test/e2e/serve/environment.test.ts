/** Variables over HTTP: what a caller may set, what a script sees, and that nobody sees those of somebody else. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { classic } from '../../helpers/cli.ts';
import { hold, holding } from '../../helpers/held-run.ts';
import { startServer } from '../../helpers/server.ts';
import type { Execution } from '../../helpers/server.ts';

/** Before the shell adds names of its own. */
const ENVIRON = 'tr "\\0" "\\n" < /proc/$$/environ';
const OF_THE_SERVER = {
  ON_THE_SERVER: 'seen where it is declared',
  AWS_SECRET_ACCESS_KEY: 'of the server',
  LD_LIBRARY_PATH: '/nowhere',
  BASH_ENV: '/nowhere/bash',
  GIT_SSH_COMMAND: 'false',
  HTTPS_PROXY: 'http://127.0.0.1:1',
  SSH_AUTH_SOCK: '/nowhere/agent',
  RUNBOOK_TOKEN: 'not.a.token',
  RUNBOOK_OPEN_ENV: 'GIT_AUTHOR_NAME,SSH_*',
  LANG: 'C.UTF-8',
  TZ: 'Europe/Vienna',
};
const CONTRACT = [
  ...['RUNBOOK_API_TOKEN', 'RUNBOOK_CORRELATION_ID', 'RUNBOOK_EXEC_DIR_HOST', 'RUNBOOK_HEADERS', 'RUNBOOK_H_AUTH'],
  ...['RUNBOOK_H_CORR', 'RUNBOOK_H_CTYPE', 'RUNBOOK_H_RECUR', 'RUNBOOK_MASK', 'RUNBOOK_OUTPUT'],
  ...['RUNBOOK_RECURSION_STACK', 'RUNBOOK_RUN_ID', 'RUNBOOK_STEP', 'RUNBOOK_URL'],
];

const server = await startServer({
  env: OF_THE_SERVER,
  runbooks: {
    'Env.md': classic('Env', ENVIRON),
    'Declared.md': classic('Declared', ENVIRON, { env: 'ON_THE_SERVER: a thing\nGIVEN: another' }),
    'Greedy.md': classic('Greedy', ENVIRON, { env: 'JWT_SECRET: the key of the server' }),
    'Greedy2.md': classic('Greedy2', ENVIRON, { env: 'JWT_SECRET_FILE: where the key is' }),
  },
});

const withVars = async (name: string, vars: Readonly<Record<string, unknown>>): Promise<Execution> =>
  await server.execute(name, { body: { env_vars: vars } });

function environmentOf(run: Execution): ReadonlyMap<string, string> {
  return new Map(
    run
      .output('stdout')
      .split('\n')
      .flatMap((line) => {
        const equals = line.indexOf('=');
        return equals === -1 ? [] : [[line.slice(0, equals), line.slice(equals + 1)] as const];
      }),
  );
}

describe('a script sees', () => {
  it('PATH, HOME, LANG, TZ, the contract, and no other name', async () => {
    const seen = environmentOf(await server.execute('Env.md'));
    expect([...seen.keys()].sort()).toEqual([...CONTRACT, 'HOME', 'LANG', 'PATH', 'TZ'].sort());
    expect(seen.get('PATH')).toBe('/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin');
    expect(seen.get('HOME')).toMatch(/\/scratch\/runbook-exec-[^/]+\/work$/);
    expect([seen.get('LANG'), seen.get('TZ')]).toEqual(['C.UTF-8', 'Europe/Vienna']);
    expect(seen.get('RUNBOOK_API_TOKEN')).toBe('***');
  });

  it('what it declares, from the server or from the caller, who wins', async () => {
    const seen = environmentOf(await withVars('Declared.md', { GIVEN: 'by the caller' }));
    expect([...seen.keys()].filter((name) => !CONTRACT.includes(name)).sort()).toEqual(
      ['HOME', 'LANG', 'PATH', 'TZ', 'GIVEN', 'ON_THE_SERVER'].sort(),
    );
    expect([seen.get('GIVEN'), seen.get('ON_THE_SERVER')]).toEqual(['by the caller', 'seen where it is declared']);
    const other = environmentOf(await withVars('Declared.md', { GIVEN: 'x', ON_THE_SERVER: 'mine' }));
    expect(other.get('ON_THE_SERVER')).toBe('mine');
  });

  it.each(['Greedy.md', 'Greedy2.md'])(
    'nothing of the server’s own secrets, although it declares them: %s',
    async (name) => {
      const run = await server.execute(name);
      expect(run.done()).toMatchObject({ success: false });
      expect(run.text).toContain('Required environment variable not set: JWT_SECRET');
      expect(run.text).not.toContain(server.secret);
    },
  );
});

describe('a caller may not set', () => {
  it.each([
    ...[
      'LD_PRELOAD',
      'LD_LIBRARY_PATH',
      'DYLD_INSERT_LIBRARIES',
      'BASH_ENV',
      'ENV',
      'BASH_FUNC_x',
      'SHELLOPTS',
      'PS4',
      'IFS',
    ],
    ...[
      'ZDOTDIR',
      'NODE_OPTIONS',
      'PYTHONPATH',
      'PERL5LIB',
      'RUBYOPT',
      'JAVA_TOOL_OPTIONS',
      'GIT_SSH_COMMAND',
      'GIT_CONFIG_COUNT',
    ],
    ...['PATH', 'HOME', 'GIT_DIR', 'GIT_PROXY_COMMAND', 'HTTP_PROXY', 'https_proxy', 'no_proxy', 'ALL_PROXY'],
    ...['RUNBOOK_STATE_DIR', 'RUNBOOK_JWT_SECRET', 'RUNBOOK_TOKEN', 'RUNBOOK_ANYTHING'],
  ])('%s', async (name) => {
    const run = await withVars('Env.md', { [name]: 'x-marker' });
    expect([name, run.status]).toEqual([name, 400]);
    expect(run.json()).toMatchObject({ code: 'variable-denied', detail: expect.stringContaining(name) });
    expect(run.text).not.toContain('x-marker');
  });

  it.each([
    '',
    '1A',
    'A-B',
    'A B',
    'A=B',
    'Ä',
    'OK\n',
    'A\0',
    '__proto__x.y',
    'BASH_FUNC_x%%',
    'A'.repeat(3) + '\u202e',
  ])('a name that is none: %j', async (name) => {
    const run = await withVars('Env.md', { [name]: 'x' });
    // As Stage0 says it: in the stream. Nothing was started.
    expect(run.done()).toMatchObject({ success: false, stdout: '' });
    expect(run.output('stderr')).toContain('Invalid environment variable name');
  });

  it.each(['a\0b', '\u0001', 'a\u001b[31mb', '\u0008', '\r\u0000', 'a\u007f', '\u0080', '\u009b31m', '\u009f'])(
    'a value with control characters: %j',
    async (value) => {
      const run = await withVars('Env.md', { NAME: value });
      expect([value, run.status]).toEqual([value, 400]);
      expect(run.json()['detail']).toContain('NAME holds a control character');
    },
  );

  it('names of the contract: they are passed over, and a warning says so', async () => {
    const names = CONTRACT.filter((name) => name !== 'RUNBOOK_HEADERS');
    const run = await withVars('Env.md', {
      ...Object.fromEntries(names.map((name) => [name, 'forged'])),
      MINE: 'a\tb\nc',
    });
    expect(run.done()).toMatchObject({ success: true });
    const warnings = run.done()['warnings'] as string[];
    for (const name of names) {
      expect(warnings).toContain(`${name} belongs to runbook itself; the value given for it was ignored.`);
    }
    expect(run.output('stdout')).not.toContain('forged');
    expect(run.output('stdout')).toContain('MINE=a\tb\nc\n');
  });

  it('but may set what the operator has opened, and never what runs code', async () => {
    const seen = environmentOf(await withVars('Env.md', { GIT_AUTHOR_NAME: 'Anna', SSH_AUTH_SOCK: '/a', SSH_X: '1' }));
    expect([seen.get('GIT_AUTHOR_NAME'), seen.get('SSH_AUTH_SOCK'), seen.get('SSH_X')]).toEqual(['Anna', '/a', '1']);
    const open = await startServer({ env: { RUNBOOK_OPEN_ENV: '*' }, runbooks: { 'Env.md': classic('Env', ENVIRON) } });
    for (const [name, status] of [
      ['PATH', 200],
      ['https_proxy', 200],
      ['LD_PRELOAD', 400],
      ['GIT_SSH', 400],
      ['RUNBOOK_X', 400],
    ] as const) {
      const value = name === 'PATH' ? '/usr/bin:/bin' : 'x';
      expect([name, (await open.execute('Env.md', { body: { env_vars: { [name]: value } } })).status]).toEqual([
        name,
        status,
      ]);
    }
  });
});

describe('runs of several people at once', () => {
  it('do not see each other’s variables and tokens, neither while they run nor afterwards', async () => {
    server.write('First.md', holding('First', server.folder));
    const anna = {
      token: await server.token({ sub: 'anna' }),
      body: { env_vars: { ANNAS: 'one-of-anna', SHARED: 'annas' } },
    };
    const first = await hold(server, 'First', anna);
    server.write(
      'Second.md',
      classic('Second', `printf %s "$RUNBOOK_API_TOKEN" > "${server.folder}/second"; ${ENVIRON}`),
    );
    const berta = {
      token: await server.token({ sub: 'berta' }),
      body: { env_vars: { BERTAS: 'two-of-berta', SHARED: 'bertas' } },
    };
    const second = await server.execute('Second.md', berta);
    expect(environmentOf(second).get('SHARED')).toBe('bertas');
    expect(second.text).not.toMatch(/ANNAS|one-of-anna|annas/);
    expect(readFileSync(`${server.folder}/second`, 'utf8')).not.toBe(first.token);
    // The server itself has them no more than it had before.
    server.write('Asks.md', classic('Asks', ENVIRON, { env: 'ANNAS: hers\nSHARED: both have it' }));
    const { missing } = (await server.get('/api/runbooks/Asks.md/required-env')).json() as {
      missing: { name: string }[];
    };
    expect(missing.map(({ name }) => name)).toEqual(['ANNAS', 'SHARED']);
    expect((await server.patch('/api/runbooks/Asks.md/validate', { body: {} })).status).toBe(400);
    await first.end();
    const later = await server.execute('Env.md');
    expect(later.text).not.toMatch(/ANNAS|BERTAS|SHARED/);
    expect((await server.get('/api/runbooks/Asks.md/required-env')).json()).toMatchObject({
      missing: [{ name: 'ANNAS' }, { name: 'SHARED' }],
    });
  });

  it('many at once each have their own', async () => {
    const runs = await Promise.all(
      Array.from({ length: 12 }, async (_, n) => await withVars('Env.md', { MINE: `value-${n}-`, [`ONLY_${n}`]: 'x' })),
    );
    for (const [n, run] of runs.entries()) {
      const seen = environmentOf(run);
      expect(seen.get('MINE')).toBe(`value-${n}-`);
      expect([...seen.keys()].filter((name) => name.startsWith('ONLY_'))).toEqual([`ONLY_${n}`]);
    }
  });
});
