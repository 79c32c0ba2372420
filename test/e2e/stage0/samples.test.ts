/** What Stage0's users have: its samples, its compose environments, its make targets, its page. They work as they are. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { classic } from '../../helpers/cli.ts';
import { readEvents } from '../../helpers/event-stream.ts';
import { requires } from '../../helpers/requires.ts';
import { startServer } from '../../helpers/server.ts';
import type { RequestOptions } from '../../helpers/server.ts';

const sample = (name: string): string =>
  readFileSync(new URL(`../../fixtures/stage0/${name}`, import.meta.url), 'utf8');
const SAMPLES = ['SimpleRunbook.md', 'ParentRunbook.md', 'LongRunningRunbook.md', 'CreatePackage.md', 'Runbook.md'];
const samples = Object.fromEntries(SAMPLES.map((name) => [name, sample(name)]));

/** With one header at a time, where the sample takes them all at once. */
const ONE_BY_ONE = classic(
  'OneByOne',
  `curl -s -N -X POST -H "$RUNBOOK_H_AUTH" -H "$RUNBOOK_H_CORR" -H "$RUNBOOK_H_RECUR" -H "$RUNBOOK_H_CTYPE" \\
  -d '{"env_vars": {"TEST_VAR": "one by one"}}' "$RUNBOOK_URL/SimpleRunbook.md/execute"`,
  { claims: 'roles: sre' },
);
const LOOP = classic(
  'Loop',
  'eval curl -s -N -X POST "$RUNBOOK_HEADERS" -d "{}" "$RUNBOOK_URL/Loop.md/execute" | tee answer >&2; grep -q "already in execution chain" answer',
);

/** As the compose file of Stage0's API has it, but for the port and places of its container. */
const server = await startServer({
  env: {
    API_HOST: 'localhost',
    API_PROTOCOL: 'http',
    RUNBOOKS_DIR: './runbooks',
    MOUNT_DIR: '/host/stage0/execution',
    ENABLE_LOGIN: 'true',
    LOGGING_LEVEL: 'WARNING',
    BUILT_AT: '',
    JWT_ALGORITHM: '',
    SCRIPT_TIMEOUT_SECONDS: '600',
    MAX_OUTPUT_SIZE_BYTES: '10485760',
    MAX_RECURSION_DEPTH: '50',
  },
  runbooks: { ...samples, 'OneByOne.md': ONE_BY_ONE, 'Loop.md': LOOP },
});
const historyOf = (name: string): string =>
  readFileSync(path.join(server.runbooksDir, name), 'utf8').split('\n# History\n')[1] ?? '';

test('the simple sample', async () => {
  const run = await server.execute('SimpleRunbook.md', { body: { env_vars: { TEST_VAR: 'a value' } } });
  expect(run.output('stdout')).toBe('Simple runbook at work\nTEST_VAR is a value\n');
  expect(run.done()).toMatchObject({ success: true, return_code: 0, errors: [], warnings: [] });
});

describe.skipIf(!requires('curl'))('parent and child over HTTP', () => {
  test('with RUNBOOK_HEADERS, as the sample does', async () => {
    const run = await server.execute('ParentRunbook.md', { headers: { 'x-correlation-id': 'from-the-caller' } });
    const child = readEvents(run.output('stdout').replace(/^Calling the child\n/, ''));
    expect(child.map(({ event }) => event)).toContain('stdout');
    expect(JSON.parse(child.find(({ event }) => event === 'done')?.data ?? '')).toMatchObject({
      success: true,
      runbook: 'SimpleRunbook.md',
      stdout: 'Simple runbook at work\nTEST_VAR is from the parent\n',
    });
    expect(run.output('stdout')).toMatch(/Child has ended\n$/);
    expect(run.done()).toMatchObject({ success: true });
    expect(historyOf('ParentRunbook.md')).toContain('TEST_VAR is from the parent');
    expect(historyOf('SimpleRunbook.md')).toContain('TEST_VAR is from the parent');
  });

  test('with RUNBOOK_H_AUTH and the others', async () => {
    const { output } = await server.execute('OneByOne.md');
    expect(output('stdout')).toContain('data: TEST_VAR is one by one\n');
  });

  test('a child may not do what its caller may not', async () => {
    server.write('Child.md', classic('Child', 'echo never', { claims: 'roles: api' }));
    server.write('Asks.md', ONE_BY_ONE.replace('# OneByOne', '# Asks').replace('SimpleRunbook', 'Child'));
    const { output } = await server.execute('Asks.md');
    expect(output('stdout')).toContain(
      'RBAC check failed for execute. Missing or invalid claims: roles=sre (required: api)',
    );
  });

  test('a runbook that calls itself is stopped at the second', async () => {
    const run = await server.execute('Loop.md');
    expect(run.output('stderr')).toContain(
      `data: Recursion detected: Runbook Loop.md already in execution chain: ['Loop.md']\n`,
    );
    expect(run.done()).toMatchObject({ return_code: 0 });
  });
});

test('the long running sample', async () => {
  const run = await server.execute('LongRunningRunbook.md', { body: { env_vars: { CYCLES: '1' } } });
  expect(run.output('stdout')).toBe('cycle 1 of 1\n');
  expect(run.done()).toMatchObject({ success: true });
});

test('the sample with inputs, and the form that never validates', async () => {
  const token = await server.token({ roles: ['sre', 'developer'] });
  const validate = async (name: string): Promise<unknown> =>
    (await server.patch(`/api/runbooks/${name}/validate`, { token, body: { env_vars: {} } })).json()['errors'];
  expect(await validate('CreatePackage.md')).toEqual([
    ...['GITHUB_TOKEN', 'PACKAGE_NAME', 'PACKAGE_VERSION'].map(
      (name) => `Required environment variable not set: ${name}`,
    ),
    ...['CreatePackage.dockerfile', 'CreatePackage'].map((file) => `Required input file does not exist: ${file}`),
  ]);
  expect(await validate('Runbook.md')).toEqual([
    'Required environment variable not set: VARIABLE_NAME',
    'Required input file does not exist: file spec',
  ]);
});

test('the page: login, list, document, variables, run, document again', async () => {
  const login = await server.post('/dev-login', { token: null, body: { subject: 'dora', roles: ['sre'] } });
  const options: RequestOptions = { token: String(login.json()['access_token']) };
  const { runbooks } = (await server.get('/api/runbooks', options)).json() as {
    readonly runbooks: readonly { readonly filename: string; readonly name: string }[];
  };
  expect(runbooks).toContainEqual({ filename: 'SimpleRunbook.md', name: 'SimpleRunbook', path: 'SimpleRunbook.md' });
  const address = '/api/runbooks/SimpleRunbook.md';
  expect((await server.get(address, options)).json()).toMatchObject({ success: true, name: 'SimpleRunbook' });
  expect((await server.get(`${address}/required-env`, options)).json()).toMatchObject({
    available: [],
    missing: [{ name: 'TEST_VAR', description: 'Any text; the script prints it' }],
  });
  const run = await server.execute('SimpleRunbook.md', { ...options, body: { env_vars: { TEST_VAR: 'by dora' } } });
  expect(run.done()).toMatchObject({ success: true });
  expect((await server.get(address, options)).json()['content']).toContain('TEST_VAR is by dora');
  expect((await server.get('/api/config', options)).json()['token']).toMatchObject({ user_id: 'dora', roles: ['sre'] });
});

describe.skipIf(!requires('curl') || !requires('jq'))('make targets', () => {
  const shell = async (script: string): Promise<string> =>
    (await execa('sh', ['-c', script], { env: { API_URL: server.url }, timeout: 60_000 })).stdout;
  const TOKEN = `TOKEN=$(curl -s -X POST "$API_URL/dev-login" -H "Content-Type: application/json" -d '{"subject": "dev-user-1", "roles": ["sre"]}' | jq -r '.access_token // empty')`;

  test('get-token, validate', async () => {
    const answer = await shell(
      `${TOKEN}; curl -s -X PATCH "$API_URL/api/runbooks/SimpleRunbook.md/validate" -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" -d '{"env_vars": {"TEST_VAR": "x"}}' | jq -c '[.success, .errors]'`,
    );
    expect(answer).toBe('[true,[]]');
  });

  test('get-token, execute', async () => {
    const answer = await shell(
      `${TOKEN}; curl -s -N -X POST "$API_URL/api/runbooks/SimpleRunbook.md/execute" -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" -d '{"env_vars": {"TEST_VAR": "from make"}}' | sed -n '/^event: done/{n;s/^data: //p;}' | jq -r '.return_code, .stdout'`,
    );
    expect(answer).toBe('0\nSimple runbook at work\nTEST_VAR is from make\n');
  });

  test('the health check on /metrics', async () => {
    expect(await shell('curl -sf "$API_URL/metrics" | grep -c flask_http_request_total')).toMatch(/^[1-9]/);
  });
});

test('D33 the quick start files of Stage0, which its own API refuses: no MOUNT_DIR, an empty secret', async () => {
  const quick = await startServer({
    env: { JWT_SECRET: '', ENABLE_LOGIN: 'true', EXECUTION_DIR: undefined },
    runbooks: samples,
  });
  const token = String(
    (await quick.post('/dev-login', { token: null, body: { roles: ['sre'] } })).json()['access_token'],
  );
  const run = await quick.execute('SimpleRunbook.md', { token, body: { env_vars: { TEST_VAR: 'x' } } });
  expect(run.done()).toMatchObject({ success: true });
  expect(quick.said()).toContain('JWT_SECRET');
});
