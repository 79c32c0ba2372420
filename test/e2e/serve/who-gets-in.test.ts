/** Every route × every kind of caller: the routes are those that the running server has registered. */
import { describe, expect, it, vi } from 'vitest';
import { classic } from '../../helpers/cli.ts';
import { hold, holding } from '../../helpers/held-run.ts';
import { startServer } from '../../helpers/server.ts';

const MARK = 'printed-by-an-earlier-run';
const CLAIMS = 'roles: sre\nreaders:\n  roles: auditor';
const ENTRY = `\n### 2026-01-23T14:33:02.123Z | Exit Code: 0\n\n**Stdout:**\n\`\`\`\n${MARK}\n\`\`\`\n`;

const server = await startServer({
  env: { ADMIN_CLAIM: 'roles=admin', ENABLE_LOGIN: 'true', LOGGING_LEVEL: 'DEBUG' },
  runbooks: {
    'Guarded.md': classic('Guarded', 'echo done', { claims: CLAIMS }) + ENTRY,
    'Open.md': classic('Open', 'echo done') + ENTRY,
    // No section of it can be trusted to say who may read.
    'Broken.md': `${classic('Broken', 'echo done').replace('# Script', '# Required Claim\n\n# Script')}${ENTRY}`,
  },
});
server.write('Hold.md', holding('Hold', server.folder));
server.write('Ended.md', holding('Ended', server.folder));

const live = await hold(server, 'Hold');
const adminLive = await (async () => {
  server.write('Admins.md', holding('Admins', server.folder, 'roles: admin'));
  return await hold(server, 'Admins', { token: await server.token({ roles: ['admin', 'sre'] }) });
})();
const dead = await hold(server, 'Ended');
await dead.end();

const [head = '', body = ''] = (await server.token()).split('.');
const now = Math.floor(Date.now() / 1000);
const CALLERS: ReadonlyMap<string, string | null> = new Map([
  ['nobody', null],
  ['bad token', `${head}.${body}.${'A'.repeat(43)}`],
  ['expired token', await server.token({ iat: now - 7200, exp: now - 3600 })],
  ['run that is over', dead.token],
  ['token without claims', await server.token({ roles: undefined })],
  ['reader', await server.token({ roles: ['auditor'] })],
  ['token with the claims', await server.token()],
  ['run that goes on', live.token],
  ['run of an administrator', adminLive.token],
  ['administrator', await server.token({ roles: ['admin'] })],
]);

type Cell = 'in' | 401 | 403;
const NOT_IN: Readonly<Record<string, Cell>> = {
  nobody: 401,
  'bad token': 401,
  'expired token': 401,
  'run that is over': 401,
};
const everybody = (cell: Cell): Readonly<Record<string, Cell>> =>
  Object.fromEntries([...CALLERS.keys()].map((name) => [name, cell]));

/** What is not said here is refused. */
const RULES: Readonly<Record<string, Readonly<Record<string, Cell>>>> = {
  public: everybody('in'),
  token: { ...everybody('in'), ...NOT_IN },
  // Guarded.md is asked for.
  runbook: {
    ...everybody(403),
    ...NOT_IN,
    'token with the claims': 'in',
    'run that goes on': 'in',
    'run of an administrator': 'in',
  },
  person: { ...everybody('in'), ...NOT_IN, 'run that goes on': 403, 'run of an administrator': 403 },
  admin: { ...everybody(403), ...NOT_IN, administrator: 'in' },
};

interface Route {
  readonly method: string;
  readonly url: string;
  readonly access: string;
}
const listed = () => server.log().find(({ msg }) => msg === 'Routes');
await vi.waitUntil(() => listed() !== undefined, { timeout: 30_000 });
const ROUTES = (listed()?.['routes'] ?? []) as readonly Route[];

/** Of routes that have a use; all other methods of an address are told that they have none. */
const PUBLIC = [
  'GET /docs/:file',
  'GET /docs/openapi.yaml',
  'GET /healthz',
  'GET /login',
  'GET /metrics',
  'GET /readyz',
  'POST /dev-login',
];

describe('route × caller', () => {
  it('is asserted in every cell', async () => {
    let cells = 0;
    const wrong: string[] = [];
    for (const { method, url, access } of ROUTES) {
      const address = url.replace(':name', 'Guarded.md').replace('*', '/');
      const answers = [...CALLERS].map(async ([caller, token]) => {
        if (!url.endsWith('/events'))
          return { caller, status: (await server.request(method, address, { token })).status };
        // Of these some have no end.
        const answer = await server.open(method, address, { token });
        answer.destroy();
        return { caller, status: answer.statusCode ?? 0 };
      });
      for (const { caller, status } of await Promise.all(answers)) {
        const got: Cell = status === 401 || status === 403 ? status : 'in';
        const expected = RULES[access]?.[caller] ?? 403;
        if (got !== expected) wrong.push(`${method} ${url} (${access}), ${caller}: ${status} instead of ${expected}`);
        if (status >= 500 && status !== 503) wrong.push(`${method} ${url}, ${caller}: ${status}`);
        cells += 1;
      }
    }
    process.stdout.write(`routes ${ROUTES.length}, callers ${CALLERS.size}, cells ${cells}\n`);
    expect(wrong).toEqual([]);
    expect(cells).toBe(ROUTES.length * CALLERS.size);
    expect(ROUTES.length).toBeGreaterThan(70);
  });

  it('has nothing public but what is meant to be', async () => {
    const open: string[] = [];
    for (const { method, url, access } of ROUTES) {
      if (access !== 'public' || method === 'OPTIONS' || method === 'HEAD') continue;
      const { status } = await server.request(method, url, { token: null });
      if (status !== 405) open.push(`${method} ${url}`);
    }
    expect(open.sort()).toEqual(PUBLIC);
  });

  it('answers addresses without a route alike for everybody, and does nothing', async () => {
    for (const token of CALLERS.values()) {
      const { status, text } = await server.get('/api/runbooks/Guarded.md/history', { token });
      expect([status, text.includes(MARK)]).toEqual([404, false]);
    }
  });
});

describe('what runs have printed', () => {
  const MAY_READ = ['reader', 'token with the claims', 'run that goes on', 'run of an administrator', 'administrator'];
  const inside = [...CALLERS].filter(([name]) => NOT_IN[name] === undefined);

  it('is in the document for who may read it, and for nobody else', async () => {
    const seen: string[] = [];
    for (const [name, token] of inside) {
      const { status, text } = await server.get('/api/runbooks/Guarded.md', { token });
      expect([name, status, text.includes('echo done')]).toEqual([name, 200, true]);
      if (text.includes(MARK)) seen.push(name);
    }
    expect(seen).toEqual(MAY_READ);
  });

  it('is told of as the last run to the same people', async () => {
    const seen: string[] = [];
    for (const [name, token] of inside) {
      const { runbooks } = (await server.get('/api/runbooks?include=last', { token })).json() as {
        runbooks: { filename: string; last: unknown }[];
      };
      const guarded = runbooks.find(({ filename }) => filename === 'Guarded.md');
      expect(guarded).toHaveProperty('last');
      if (guarded?.last !== null) seen.push(name);
    }
    expect(seen).toEqual(MAY_READ);
  });

  it('of a runbook without claims is for whoever has a token, as in Stage0', async () => {
    for (const [, token] of inside) expect((await server.get('/api/runbooks/Open.md', { token })).text).toContain(MARK);
  });

  it('of a document that is invalid is for administrators only', async () => {
    const seen: string[] = [];
    for (const [name, token] of inside) {
      if ((await server.get('/api/runbooks/Broken.md', { token })).text.includes(MARK)) seen.push(name);
    }
    expect(seen).toEqual(['administrator']);
  });

  it('is not told by a refusal', async () => {
    for (const [name, token] of CALLERS) {
      if (MAY_READ.includes(name)) continue;
      for (const verb of ['validate', 'execute']) {
        const method = verb === 'validate' ? 'PATCH' : 'POST';
        const { text } = await server.request(method, `/api/runbooks/Guarded.md/${verb}`, { token });
        expect(text).not.toContain(MARK);
      }
    }
  });
});

describe('settings', () => {
  it('are for administrators; a run of one is none', async () => {
    const seen: string[] = [];
    for (const [name, token] of CALLERS) {
      const { status, text } = await server.get('/api/config', { token });
      if (status === 200 && text.includes('RUNBOOK_STATE_DIR')) seen.push(name);
    }
    expect(seen).toEqual(['administrator']);
  });

  it('where nobody can be an administrator: their origins for everybody, values only of what Stage0 tells', async () => {
    const open = await startServer({ env: { LOGGING_LEVEL: 'DEBUG', SCRIPT_TIMEOUT_SECONDS: '30' } });
    const { text, json } = await open.get('/api/config');
    const settings = json()['settings'] as readonly Readonly<Record<string, unknown>>[];
    const of = (name: string): unknown => settings.find((one) => one['name'] === name);
    expect(of('loggingLevel')).toMatchObject({ value: 'DEBUG', origin: 'environment', label: 'LOGGING_LEVEL' });
    expect(of('jwtTtl')).toMatchObject({ value: '', origin: 'default', label: null });
    expect(of('jwtSecret')).toMatchObject({ value: '***', origin: 'environment', label: 'JWT_SECRET' });
    expect(of('stateDir')).toMatchObject({ value: null });
    expect(text).not.toContain(open.secret);
    const told = (json()['config_items'] as readonly unknown[]).length;
    expect(settings.filter(({ value }) => value !== null)).toHaveLength(told);
    expect(settings.length).toBeGreaterThan(told);
  });
});
