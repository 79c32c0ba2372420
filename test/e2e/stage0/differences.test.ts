/** What docs/stage0-compatibility.md says to be different from Stage0 is so; each test has the name of its row. */
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { classic, REPOSITORY } from '../../helpers/cli.ts';
import { startServer } from '../../helpers/server.ts';
import { spareBit } from '../../helpers/token-makers.ts';

const TITLE = 'Runbook must start with an H1 header containing the runbook name';
const ENTRY = '### 2020-01-01T00:00:00.000Z | Exit Code: 0';
const server = await startServer({
  env: { MAX_OUTPUT_SIZE_BYTES: '2000', OF_SERVER: 'seen' },
  runbooks: {
    'Env.md': classic('Env', 'env; cat "$HOME/../control/"* 2>/dev/null; exit 3'),
    'Claimed.md': classic('Claimed', 'echo secret output', { claims: 'roles: sre' }),
    'Refused.md': classic('Refused', 'true', { claims: 'roles: sre' }),
    'Yml.md': classic('Yml', 'true', { claims: 'roles: sre' }).replace('```yaml\nroles', '```yaml\nroles: [sre'),
    'NoTitle.md': `\n${classic('NoTitle', 'touch "$MARK"')}`,
    'Bare.md': '# Bare\n\n# Script\n```sh\ntrue\n```\n',
    'Blank.md':
      '# Blank\n\n# Environment Requirements\n\n# File System Requirements\n\n# Script\n```sh\ntrue\n```\n\n# History\n',
    'Both.md': '# Both\n\n# Environment Requirements\n```yaml\nA: b\n```\n\n# Script\n```sh\ntrue\n```\n\n# History\n',
    'Late.md': classic('Late', 'sleep 60').replace('# Script', '# Limits\n```yaml\ntimeout: 1s\n```\n\n# Script'),
    'Leaves.md': classic('Leaves', 'setsid sleep 300 & echo $!'),
    'Killed.md': classic('Killed', 'kill -TERM $$'),
    'Bytes.md': classic('Bytes', String.raw`printf '\xff\n'; echo after`),
    'Much.md': classic('Much', 'seq 1000; seq 1000 >&2'),
    'Inputs.md': classic('Inputs', 'cat a/same.txt b/same.txt', { inputs: 'Input:\n- a/same.txt\n- b/same.txt' }),
    'Forges.md': classic('Forges', `printf '\`\`\`\\n\\n${ENTRY}\\n'`),
    'Token.md': classic('Token', 'printf %s "$RUNBOOK_API_TOKEN" > "$MARK"'),
    'Again.md': classic('Again', 'curl -s -X POST -H "$RUNBOOK_H_AUTH" "$RUNBOOK_URL/Again.md/execute"'),
    'README.md': '# Readme\n',
    'image.dockerfile': 'FROM scratch\n',
  },
  prepare: (folder) => {
    const runbooks = path.join(folder, 'runbooks');
    for (const name of ['a', 'b']) {
      mkdirSync(path.join(runbooks, name));
      writeFileSync(path.join(runbooks, name, 'same.txt'), `${name}\n`);
    }
    writeFileSync(path.join(folder, 'Outside.md'), classic('Outside', 'true'));
    symlinkSync('../Outside.md', path.join(runbooks, 'Out.md'));
  },
});
const address = (name: string, rest = ''): string => `/api/runbooks/${name}${rest}`;
const env = (env_vars: Readonly<Record<string, unknown>>) => ({ body: { env_vars } });
const historyOf = (name: string): string =>
  readFileSync(path.join(server.runbooksDir, name), 'utf8').split('\n# History\n')[1] ?? '';
const validate = async (name: string) => (await server.patch(address(name, '/validate'))).json();

test('each row of the page has a test, and each of these tests a row', () => {
  const page = readFileSync(path.join(REPOSITORY, 'docs/stage0-compatibility.md'), 'utf8');
  const rows = [...page.matchAll(/^\| (D\d+) \|/gm)].map(([, row]) => row);
  const files = readdirSync(import.meta.dirname).map((name) => path.join(import.meta.dirname, name));
  const sources = [...files, path.join(REPOSITORY, 'test/integration/event-stream.test.ts')].map((file) =>
    readFileSync(file, 'utf8'),
  );
  const tests = sources.flatMap((source) => [...source.matchAll(/^test\('(D\d+) /gm)].map(([, row]) => row));
  expect(rows).toHaveLength(41);
  expect(new Set(tests)).toEqual(new Set(rows));
  expect(tests).toHaveLength(rows.length);
});

test('D1 errors are problem documents', async () => {
  const { headers, json } = await server.get('/none', { token: null });
  expect(headers['content-type']).toMatch(/^application\/problem\+json/);
  expect(json()).toMatchObject({ status: 404, success: false, error: 'Not found', fix: expect.any(String) });
});

test('D2 the caller’s mistakes are 4xx', async () => {
  const headers = { 'content-type': 'application/json' };
  expect((await server.post(address('Env.md', '/execute'), { body: '[', headers })).status).toBe(400);
  expect(
    (await server.post(address('Env.md', '/execute'), { body: 'x', headers: { 'content-type': 'text/plain' } })).status,
  ).toBe(415);
});

test('D3 correlation ids are plain, and told', async () => {
  const { headers } = await server.get('/api/runbooks', { headers: { 'x-correlation-id': '$(id)' } });
  expect(headers['x-correlation-id']).toMatch(/^[0-9a-f-]{36}$/);
});

test('D4 headers for browsers', async () => {
  const { headers } = await server.get('/api/runbooks', { token: null });
  expect(headers['content-security-policy']).toContain("default-src 'none'");
  expect(headers['www-authenticate']).toMatch(/^Bearer/);
  expect(headers['cache-control']).toBe('no-store');
});

test('D5 shutdown is gone', async () => {
  expect((await server.post('/api/shutdown')).status).toBe(410);
});

test('D6 no schema of history', async () => {
  expect((await server.get('/docs/history-schema.json')).status).toBe(404);
});

test('D7 tokens end, and are somebody’s', async () => {
  for (const claims of [{ exp: undefined }, { sub: undefined }])
    expect((await server.get('/api/runbooks', { token: await server.token(claims) })).status).toBe(401);
  expect((await server.get('/api/runbooks', { token: spareBit(await server.token()) })).status).toBe(401);
  // However old it is: that is asked where the setting is made.
  expect((await server.get('/api/runbooks', { token: await server.token({ iat: 1 }) })).status).toBe(200);
});

test('D8 one text is one role', async () => {
  const token = await server.token({ roles: 'dev, sre' });
  expect((await server.execute('Claimed.md', { token })).status).toBe(403);
  expect((await server.execute('Claimed.md', { token: await server.token({ roles: 'sre' }) })).status).toBe(200);
});

test('D9 claims that cannot be read let nobody in', async () => {
  expect((await server.execute('Yml.md')).done()).toMatchObject({ success: false, return_code: 1 });
});

test('D10 history is for those who may execute', async () => {
  await server.execute('Claimed.md');
  const token = await server.token({ roles: ['other'] });
  expect((await server.get(address('Claimed.md'))).text).toContain('Exit Code: 0');
  expect((await server.get(address('Claimed.md'), { token })).text).not.toContain('Exit Code');
});

test('D11 nothing is served but runbooks', async () => {
  for (const name of ['README.md', 'image.dockerfile', 'Out.md'])
    expect([name, (await server.get(address(name))).status]).toEqual([name, 404]);
});

test('D12 no absolute path', async () => {
  for (const name of ['..', '.', 'a', 'Out.md']) {
    const { text } = await server.get(address(encodeURIComponent(name)));
    expect(text).not.toContain(server.folder);
  }
});

test('D13 a script has a token of its own, which ends with it, and nothing of the server', async () => {
  const mark = path.join(server.folder, 'token');
  await server.execute('Token.md', env({ MARK: mark }));
  const token = readFileSync(mark, 'utf8');
  expect(token).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/);
  expect((await server.get('/api/runbooks', { token })).status).toBe(401);
  const { text } = await server.execute('Env.md');
  expect(text).not.toContain('OF_SERVER');
  expect(text).not.toContain(server.secret);
});

test('D14 settings are for administrators, where there are any', async () => {
  expect((await server.get('/api/config')).json()['config_items']).toHaveLength(18);
  const other = await startServer({ env: { ADMIN_CLAIM: 'roles=admin' } });
  expect((await other.get('/api/config')).json()).toMatchObject({ config_items: [], token: { user_id: 'anna' } });
  const admin = (await other.get('/api/config', { token: await other.token({ roles: ['admin'] }) })).json();
  expect(admin['config_items']).toHaveLength(18);
  expect(JSON.stringify(admin)).not.toContain(other.secret);
});

test('D15 a missing section is told once, an empty one is fine', async () => {
  expect(await validate('Bare.md')).toMatchObject({
    errors: ['Environment Requirements', 'File System Requirements', 'History'].map(
      (name) => `Missing required section: ${name}`,
    ),
  });
  expect(await validate('Blank.md')).toMatchObject({ success: true, errors: [] });
});

test('D16 without a title it does not run', async () => {
  expect(await validate('NoTitle.md')).toMatchObject({ success: false, errors: [TITLE] });
  const mark = path.join(server.folder, 'untitled');
  expect((await server.execute('NoTitle.md', env({ MARK: mark }))).done()).toMatchObject({
    success: false,
    errors: [TITLE],
  });
  expect(existsSync(mark)).toBe(false);
});

test('D17 of a broken document only what is wrong with it', async () => {
  expect(await validate('Both.md')).toMatchObject({ errors: ['Missing required section: File System Requirements'] });
});

test('D18 problems', async () => {
  expect((await validate('Both.md'))['problems']).toEqual([
    expect.objectContaining({ rule: 'section-missing', line: 1, fix: expect.any(String) }),
  ]);
});

test('D37 what execute would refuse is not valid', async () => {
  const { status, json } = await server.patch(address('Env.md', '/validate'), env({ PATH: '/tmp' }));
  expect([status, json()['success']]).toEqual([400, false]);
  const secret = await server.patch(address('Env.md', '/validate'), env({ DB_PASSWORD: 'abc' }));
  expect([secret.status, String(secret.json()['warnings'])]).toEqual([
    200,
    expect.stringContaining('DB_PASSWORD is too short to be masked'),
  ]);
});

test('D19 names that choose programs, or whom a runbook within trusts', async () => {
  const settings = ['JWT_SECRET', 'JWT_SECRET_FILE', 'JWT_JWKS_URL', 'OIDC_ISSUER', 'MAX_TIMEOUT_SECONDS'];
  for (const name of ['PATH', 'LD_PRELOAD', 'ZDOTDIR', 'BASH_ENV', ...settings])
    expect([name, (await server.execute('Env.md', env({ [name]: 'x' }))).status]).toEqual([name, 400]);
});

test('D20 control characters, half a character, what is too long, and numbers that do not arrive as they are', async () => {
  for (const number of ['9007199254740993', '1234567890123456789', '1e400', '-12345678901234567890123'])
    for (const way of ['/execute', '/validate']) {
      const body = `{"env_vars": {"A": ${number}}}`;
      const headers = { 'content-type': 'application/json' };
      const answer = await server.request(way === '/execute' ? 'POST' : 'PATCH', address('Env.md', way), {
        body,
        headers,
      });
      expect([number, way, answer.status]).toEqual([number, way, 400]);
    }
  for (const value of ['a\u0001b', 'a\ud800', 'a'.repeat(121 * 1024)])
    expect((await server.execute('Env.md', env({ A: value }))).status).toBe(400);
  expect((await server.execute('Env.md', env({ ['A'.repeat(256)]: '' }))).status).toBe(400);
  expect((await server.execute('Env.md', env({ A: 'a\tb\r\nc' }))).status).toBe(200);
});

test('D21 reserved names are told', async () => {
  expect((await server.execute('Env.md', env({ RUNBOOK_HEADERS: 'x' }))).done()['warnings']).toEqual([
    expect.stringContaining('RUNBOOK_HEADERS'),
  ]);
});

test('D22 codes of shells', async () => {
  expect((await server.execute('Killed.md')).done()).toMatchObject({ return_code: 143 });
  expect((await server.execute('Late.md')).done()).toMatchObject({ return_code: 124 });
});

test('D23 no process stays', async () => {
  const run = await server.execute('Leaves.md');
  const pid = Number(run.output('stdout'));
  expect(pid).toBeGreaterThan(1);
  expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  expect(run.done()['warnings']).toEqual([expect.stringContaining('sleep')]);
});

test('D24 output that is not UTF-8', async () => {
  expect((await server.execute('Bytes.md')).done()).toMatchObject({ return_code: 0, stdout: '\ufffd\nafter\n' });
});

test('D26 the stream has all of the output', async () => {
  const run = await server.execute('Much.md');
  for (const stream of ['stdout', 'stderr'] as const) expect(run.output(stream).match(/^\d+$/gm)).toHaveLength(1000);
  const { stdout, stderr } = run.done() as { readonly stdout: string; readonly stderr: string };
  const kept = `${stdout}${stderr}`.replace(/\n\[WARNING: .*\]\n$/, '');
  expect(kept.length).toBeLessThanOrEqual(2000);
  expect(stdout).toMatch(/^1\n2\n/);
});

test('D28 inputs keep their folders', async () => {
  expect((await server.execute('Inputs.md')).output('stdout')).toBe('a\nb\n');
});

test('D29 what never began leaves the document alone', async () => {
  const before = historyOf('Bytes.md');
  await server.execute('Bytes.md', env({ 'NO-NAME': 'x' }));
  expect(historyOf('Bytes.md')).toBe(before);
});

test('D38 refusals do not fill a document', async () => {
  const token = await server.token({ roles: ['other'] });
  for (let count = 0; count < 12; count += 1) expect((await server.execute('Refused.md', { token })).status).toBe(403);
  expect(historyOf('Refused.md').match(/^### .* 403$/gm)).toHaveLength(10);
});

test('D31 no output makes an entry', async () => {
  await server.execute('Forges.md');
  expect(historyOf('Forges.md').match(/^### /gm)).toHaveLength(1);
  expect(historyOf('Forges.md')).toContain('2020-01-01');
});

test('D32 the chain is in the token', async () => {
  expect((await server.execute('Again.md')).output('stdout')).toContain(
    `Recursion detected: Runbook Again.md already in execution chain: ['Again.md']`,
  );
});

test('D34 a setting that is wrong', async () => {
  await expect(startServer({ env: { MAX_RECURSION_DEPTH: 'many' } })).rejects.toThrow(
    'MAX_RECURSION_DEPTH: “many” is not an integer',
  );
});

test('D35 the nearest runbooks', async () => {
  const near = await startServer({
    env: { RUNBOOKS_DIR: undefined, MAX_RECURSION_DEPTH: '0' },
    runbooks: { 'A.md': classic('A', 'true') },
  });
  expect((await near.get('/api/runbooks')).json()['runbooks']).toHaveLength(1);
  expect((await near.execute('A.md')).done()).toMatchObject({ errors: ['Recursion depth limit exceeded: 0 (max: 0)'] });
});

test('D36 metrics by route', async () => {
  await server.get(address('Guessed.md'));
  const { text } = await server.get('/metrics', { token: null });
  expect(text).toContain('path="/api/runbooks/:name"');
  expect(text).not.toContain('Guessed');
});

test('D39 values that are lists or objects', async () => {
  for (const value of [[], ['a'], {}, { a: 1 }]) {
    const { status, json } = await server.execute('Env.md', { body: { env_vars: { A: value } } });
    expect([status, json()['detail']]).toEqual([400, expect.stringContaining('neither text, a number')]);
  }
});

test('D40 who a token is made for', async () => {
  const open = await startServer({ env: { ENABLE_LOGIN: 'true' } });
  for (const body of [{ subject: 1 }, { subject: ['a'] }, { subject: {} }, { roles: [1] }, { roles: {} }])
    expect([body, (await open.post('/dev-login', { body, token: null })).status]).toEqual([body, 400]);
  expect((await open.post('/dev-login', { body: { subject: 'a', roles: ['b'] }, token: null })).status).toBe(200);
});

test('D41 members of the query', async () => {
  const statuses = async (query: string): Promise<readonly number[]> => [
    (await server.get(`/api/runbooks${query}`)).status,
    (await server.post(`/api/runbooks/Bytes.md/execute${query}`)).status,
  ];
  expect(await statuses('?other=1')).toEqual([200, 400]);
  expect(await statuses('')).toEqual([200, 200]);
});
