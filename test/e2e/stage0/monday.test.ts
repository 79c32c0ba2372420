/** A deployment of Stage0 on the Monday on which the server behind it is another: its compose file, its make target, its page, its alerts. */
import { readFileSync } from 'node:fs';
import { execa } from 'execa';
import { decodeJwt } from 'jose';
import { describe, expect, test, vi } from 'vitest';
import { parse } from 'yaml';
import { classic } from '../../helpers/cli.ts';
import { requires } from '../../helpers/requires.ts';
import { startServer } from '../../helpers/server.ts';
import type { RequestOptions } from '../../helpers/server.ts';

/** Of a production deployment: every name that Stage0 knows, in the order of its list of settings. */
const COMPOSE = `
services:
  api-deploy:
    image: ghcr.io/agile-learning-institute/stage0_runbook_api:latest
    container_name: stage0_runbook_api
    profiles: [runbook-deploy]
    working_dir: /opt/stage0/runner
    ports: ["8083:8083"]
    environment:
      BUILT_AT: "2026-02-14"
      LOGGING_LEVEL: WARNING
      RUNBOOKS_DIR: ./runbooks
      EXECUTION_DIR: /execution
      MOUNT_DIR: /srv/stage0/execution
      API_PROTOCOL: http
      API_HOST: localhost
      UI_HEADER: Our Runbooks
      JWT_ALGORITHM: HS256
      JWT_ISSUER: our-idp
      JWT_AUDIENCE: our-api
      API_PORT: 8083
      JWT_TTL_MINUTES: 60
      SCRIPT_TIMEOUT_SECONDS: 2
      MAX_OUTPUT_SIZE_BYTES: 2097152
      MAX_RECURSION_DEPTH: 5
      ENABLE_LOGIN: "true"
      JWT_SECRET: "1769177582"
    volumes: ["/srv/stage0/execution:/execution"]
    healthcheck:
      test: ["CMD", "python", "-c", "import urllib.request; urllib.request.urlopen('http://localhost:8083/metrics')"]
`;
type Environment = Readonly<Record<string, string | number>>;
const { environment } = (parse(COMPOSE) as { services: { 'api-deploy': { environment: Environment } } }).services[
  'api-deploy'
];
const given = Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, String(value)]));
/** What a container would map: its volume, and its port. */
const MAPPED = { EXECUTION_DIR: 'scratch' };
const server = await startServer({
  env: { ...given, ...MAPPED, RATE_LIMIT_ENABLED: 'true' },
  runbooks: {
    'SimpleRunbook.md': readFileSync(new URL('../../fixtures/stage0/SimpleRunbook.md', import.meta.url), 'utf8'),
    'Where.md': classic('Where', 'echo "$RUNBOOK_EXEC_DIR_HOST"; echo "$RUNBOOK_URL"'),
    'Late.md': classic('Late', 'echo begun; sleep 60'),
  },
});
/** The page asks a new one each time, as its users do. */
async function login(roles: readonly string[]): Promise<RequestOptions & { readonly token: string }> {
  const answer = await server.post('/dev-login', { token: null, body: { subject: 'dora', roles } });
  return { token: String(answer.json()['access_token']) };
}
/** As people look for it: a line of the log that has the text. */
async function logged(text: string): Promise<void> {
  const line = expect.objectContaining({ msg: expect.stringContaining(text) as string, level: 'warn' }) as object;
  await vi.waitFor(() => expect(server.log()).toContainEqual(line), { timeout: 30_000 });
}

test('9 every setting of the compose file counts, and is told as Stage0 tells it', async () => {
  const options = await login(['sre']);
  const { config_items: items } = (await server.get('/api/config', options)).json() as {
    config_items: { name: string; value: string; from: string }[];
  };
  expect(items.map(({ name }) => name)).toEqual(Object.keys(given));
  expect(items.filter(({ from }) => from !== 'environment')).toEqual([]);
  // Places are told as the server has them; the port is whichever was free.
  const places = {
    RUNBOOKS_DIR: server.runbooksDir,
    EXECUTION_DIR: server.scratch,
    API_PORT: '0',
    JWT_SECRET: 'secret',
  };
  expect(Object.fromEntries(items.map(({ name, value }) => [name, value]))).toEqual({ ...given, ...places });
  const { iss, aud, iat = 0, exp = 0 } = decodeJwt(options.token);
  expect([iss, aud, exp - iat]).toEqual(['our-idp', 'our-api', 3600]);
  const where = (await server.execute('Where.md', options)).output('stdout').split('\n');
  expect(where[0]).toMatch(/^\/srv\/stage0\/execution\/runbook-exec-/);
  expect(where[1]).toBe(`http://localhost:${server.port}/api/runbooks`);
});

test('12 the page, request after request', async () => {
  const options = await login(['sre']);
  const { runbooks } = (await server.get('/api/runbooks', options)).json() as { runbooks: { filename: string }[] };
  expect(runbooks.map(({ filename }) => filename)).toEqual(['Late.md', 'SimpleRunbook.md', 'Where.md']);
  const address = '/api/runbooks/SimpleRunbook.md';
  const before = (await server.get(address, options)).json();
  expect(before).toMatchObject({ success: true, filename: 'SimpleRunbook.md', name: 'SimpleRunbook' });
  const { missing } = (await server.get(`${address}/required-env`, options)).json() as { missing: { name: string }[] };
  const run = await server.execute('SimpleRunbook.md', {
    ...options,
    body: { env_vars: Object.fromEntries(missing.map(({ name }) => [name, 'typed in'])) },
  });
  expect(run.done()).toMatchObject({ success: true, runbook: 'SimpleRunbook.md', return_code: 0, errors: [] });
  const after = String((await server.get(address, options)).json()['content']);
  expect(after.startsWith(String(before['content']).trimEnd())).toBe(true);
  expect(after).toMatch(/### \S+Z \| Exit Code: 0\n[\s\S]*TEST_VAR is typed in/);
  expect((await server.get('/api/config', options)).json()['token']).toMatchObject({ user_id: 'dora', roles: ['sre'] });
});

describe.skipIf(!requires('curl') || !requires('jq'))('11 make execute RUNBOOK=… DATA=…', () => {
  test('shows the last event', async () => {
    const recipe = `set -e
TOKEN=$(curl -s -X POST "$API_URL/dev-login" -H "Content-Type: application/json" -d '{"subject":"dev-user-1","roles":["sre"]}' | jq -r .access_token)
curl -s -N -X POST "$API_URL/api/runbooks/$RUNBOOK/execute" -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" -d "$DATA" | sed -n '/^event: done/{n;s/^data: //p;}' | jq -c '[.success, .return_code, .runbook]'`;
    const env = { API_URL: server.url, RUNBOOK: 'SimpleRunbook.md', DATA: '{"env_vars":{"TEST_VAR":"made"}}' };
    const { stdout } = await execa('sh', ['-c', recipe], { env, timeout: 60_000 });
    expect(stdout).toBe('[true,0,"SimpleRunbook.md"]');
  });
});

test('10 the four texts that people alert on, at WARNING, and nothing that is less', async () => {
  const options = await login(['sre']);
  const guest = await login(['guest']);
  expect((await server.post('/api/runbooks/SimpleRunbook.md/execute', guest)).status).toBe(403);
  await logged('RBAC failure');
  expect((await server.execute('Late.md', options)).done()).toMatchObject({ success: false, stdout: 'begun\n' });
  await logged('Script execution timed out');
  await server.execute('Where.md', { ...options, body: { env_vars: { 'NOT-A-NAME': 'x' } } });
  await logged('Invalid environment variable name');
  const statuses: number[] = [];
  while (!statuses.includes(429) && statuses.length < 15)
    statuses.push((await server.post('/dev-login', { token: null, body: {} })).status);
  expect(statuses.at(-1)).toBe(429);
  await logged('Rate limit exceeded');
  expect(server.log().filter(({ level }) => level === 'info' || level === 'debug')).toEqual([]);
});

test('10 the three metrics of its dashboards, with the labels that they ask for', async () => {
  const { text } = await server.get('/metrics', { token: null });
  const seconds =
    /^flask_http_request_duration_seconds_(?:count|sum)\{method="POST",path="\/api\/runbooks\/:name\/execute",status="200"\} \S+$/gm;
  expect(text.match(seconds)).toHaveLength(2);
  expect(text).toMatch(
    /^flask_http_request_duration_seconds_bucket\{le="0\.005",method="GET",path="\/api\/runbooks",status="200"\} \d+$/m,
  );
  expect(text).toMatch(/^flask_http_request_total\{method="POST",status="403"\} [1-9]/m);
  expect(text).toContain('# TYPE flask_http_request_exceptions_total counter');
});
