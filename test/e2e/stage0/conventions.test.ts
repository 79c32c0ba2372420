/** Stage0's rules for requests and answers, and its table of tokens: sections 1 and 2 of what was observed of it. */
import { request as httpRequest } from 'node:http';
import { execa } from 'execa';
import { UnsecuredJWT } from 'jose';
import { expect, test } from 'vitest';
import { classic } from '../../helpers/cli.ts';
import { startServer } from '../../helpers/server.ts';
import type { RequestOptions } from '../../helpers/server.ts';
import { spareBit } from '../../helpers/token-makers.ts';

const server = await startServer({
  env: { ENABLE_LOGIN: 'true' },
  runbooks: { 'Hello.md': classic('Hello', 'echo "$RUNBOOK_CORRELATION_ID"'), 'Ümlaut.md': classic('Ümlaut', 'true') },
});
const EXECUTE = '/api/runbooks/Hello.md/execute';

test('1 JSON: names in order, nothing between, ASCII only, a line feed at the end', async () => {
  const { text, headers } = await server.get('/api/runbooks');
  expect(headers['content-type']).toBe('application/json');
  expect(text).toBe(
    '{"runbooks":[{"filename":"Hello.md","name":"Hello","path":"Hello.md"},{"filename":"\\u00dcmlaut.md","name":"\\u00dcmlaut","path":"\\u00dcmlaut.md"}],"success":true}\n',
  );
});

test('1 JSON of done: as Python writes it, names in Stage0’s order', async () => {
  const { events } = await server.execute('Hello.md', { headers: { 'x-correlation-id': 'abc' } });
  expect(events.at(-1)?.data).toBe(
    '{"success": true, "runbook": "Hello.md", "return_code": 0, "stdout": "abc\\n", "stderr": "", "errors": [], "warnings": []}',
  );
});

test('1 errors: every one is a problem document with Stage0’s error', async () => {
  const answers = [
    await server.get('/api/runbooks/None.md'),
    await server.get('/api/runbooks', { token: null }),
    await server.get('/nothing', { token: null }),
    await server.request('DELETE', '/api/runbooks'),
    await server.post(EXECUTE, { body: '{', headers: { 'content-type': 'application/json' } }),
    await server.post('/api/shutdown'),
  ];
  for (const { status, headers, text, json } of answers) {
    expect(headers['content-type'], text).toMatch(/^application\/problem\+json/);
    expect(json()).toMatchObject({ status, success: false, error: expect.any(String), fix: expect.any(String) });
  }
});

test('1 unmatched: 404 before anybody is asked for a token', async () => {
  const { status, json } = await server.get('/nothing', { token: null });
  expect([status, json()['error']]).toEqual([404, 'Not found']);
});

test('1 wrong method: 405 with Allow, before anybody is asked for a token', async () => {
  const { status, headers } = await server.request('PUT', EXECUTE, { token: null });
  expect([status, headers.allow]).toEqual([405, 'POST, OPTIONS']);
  expect((await server.request('POST', '/api/runbooks', { token: null })).headers.allow).toBe('GET, HEAD, OPTIONS');
});

test('1 trailing slash: 404', async () => {
  expect((await server.get('/api/runbooks/')).status).toBe(404);
});

test('1 HEAD: wherever GET works, without a body', async () => {
  for (const path of ['/api/runbooks', '/api/runbooks/Hello.md', '/api/config', '/metrics', '/docs/openapi.yaml']) {
    const { status, bytes } = await server.request('HEAD', path);
    expect([path, status, bytes.length]).toEqual([path, 200, 0]);
  }
});

test('1 OPTIONS: 200 with Allow, without a token', async () => {
  const { status, headers } = await server.request('OPTIONS', '/api/runbooks/Hello.md/validate', { token: null });
  expect([status, headers.allow]).toEqual([200, 'PATCH, OPTIONS']);
});

const nested = (levels: number): string => `{"other": ${'['.repeat(levels - 1)}"]\\"["${']'.repeat(levels - 1)}}`;
const json = { 'content-type': 'application/json' };
test.each<[string, number, RequestOptions]>([
  ['no body and no type', 200, {}],
  ['an object', 200, { body: {} }],
  ['null', 200, { body: 'null', headers: json }],
  ['a type of its own that is JSON', 200, { body: '{}', headers: { 'content-type': 'application/vnd.acme+json' } }],
  ['with a charset', 200, { body: '{}', headers: { 'content-type': 'application/json; charset=utf-8' } }],
  ['env_vars that are nothing', 200, { body: { env_vars: [] } }],
  ['an empty body of type JSON', 400, { body: '', headers: json }],
  ['a list', 400, { body: '[]', headers: json }],
  ['a number', 400, { body: '7', headers: json }],
  ['half of it', 400, { body: '{"env_vars": {', headers: json }],
  ['not UTF-8', 400, { body: Buffer.from('{"env_vars": {"A": "\xff"}}', 'latin1'), headers: json }],
  ['16 levels', 200, { body: nested(16), headers: json }],
  ['16 levels and one', 400, { body: nested(17), headers: json }],
  ['100,000 levels', 400, { body: '['.repeat(100_000), headers: json }],
  ['__proto__', 400, { body: '{"__proto__": {"env_vars": {}}}', headers: json }],
  ['env_vars as a list', 400, { body: { env_vars: ['A=1'] } }],
  ['env_vars as text', 400, { body: { env_vars: 'A=1' } }],
  ['a value that is a list', 400, { body: { env_vars: { A: [1] } } }],
  ['2 MB', 413, { body: { env_vars: { A: 'x'.repeat(2_000_000) } } }],
  ['plain text', 415, { body: 'A=1', headers: { 'content-type': 'text/plain' } }],
  ['a form', 415, { body: 'A=1', headers: { 'content-type': 'application/x-www-form-urlencoded' } }],
  ['JSON without its type', 415, { body: '{}' }],
])('1 body, %s: %i', async (_, expected, options) => {
  const { status, text, json: read } = await server.post(EXECUTE, options);
  expect(status, text).toBe(expected);
  if (expected !== 200) expect(read()).toMatchObject({ success: false, error: expect.stringMatching(/./) });
});

test('1 correlation: a plain id goes through, anything else is replaced, and it is told', async () => {
  const longest = 'x'.repeat(64);
  for (const id of ['abc-1.2_3', longest]) {
    const run = await server.execute('Hello.md', { headers: { 'x-correlation-id': id } });
    expect(run.headers['x-correlation-id']).toBe(id);
    expect(run.output('stdout')).toBe(`${id}\n`);
  }
  for (const id of ['', `${longest}x`, 'a b', `"'$(id)`, 'ü']) {
    const { headers, output } = await server.execute('Hello.md', {
      headers: id === '' ? {} : { 'x-correlation-id': Buffer.from(id).toString('latin1') },
    });
    expect(headers['x-correlation-id']).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f-]{21}$/);
    expect(output('stdout')).toBe(`${String(headers['x-correlation-id'])}\n`);
  }
});

const invalid = (text: string): string => `Invalid token: ${text}`;
const NOW = Math.floor(Date.now() / 1000);
test.each<[string, string, () => Promise<string | null>]>([
  ['no header', 'Missing or invalid Authorization header', async () => null],
  ['three parts that are none', invalid('Not enough segments'), async () => 'abc'],
  [
    'a payload that is a list',
    invalid('Invalid payload string: must be a json object'),
    async () => (await server.token()).replace(/\.[^.]*\./, `.${Buffer.from('[]').toString('base64url')}.`),
  ],
  [
    'another signature',
    invalid('Signature verification failed'),
    async () => (await server.token()).replace(/[^.]*$/, Buffer.alloc(32).toString('base64url')),
  ],
  [
    'alg none',
    invalid('The specified alg value is not allowed'),
    async () => (await server.token()).replace(/^[^.]*/, Buffer.from('{"alg":"none"}').toString('base64url')),
  ],
  [
    'alg none in its usual form, with nothing behind it',
    invalid('The specified alg value is not allowed'),
    async () => new UnsecuredJWT({ sub: 'anna', roles: ['sre'] }).encode(),
  ],
  [
    'alg none in its usual form, with what else holds',
    invalid('The specified alg value is not allowed'),
    async () => `${Buffer.from('{"alg":"none"}').toString('base64url')}.${(await server.token()).split('.')[1] ?? ''}.`,
  ],
  ['no signature', invalid('Signature verification failed'), async () => (await server.token()).replace(/[^.]*$/, '')],
  [
    'a signature with spare bits set in its last character',
    invalid('Signature verification failed'),
    async () => spareBit(await server.token()),
  ],
  [
    'a header that is a list',
    invalid('Invalid header string: must be a json object'),
    async () => (await server.token()).replace(/^[^.]*/, Buffer.from('[]').toString('base64url')),
  ],
  [
    'a header that is cut',
    invalid('Invalid header padding'),
    async () => (await server.token()).replace(/^[^.]*/, 'A'),
  ],
  [
    'a payload that is cut',
    invalid('Invalid payload padding'),
    async () => (await server.token()).replace(/\.[^.]*\./, '.A.'),
  ],
  ['an end that has passed', 'Token has expired', async () => await server.token({ exp: NOW - 1 })],
  ['no audience', invalid('Token is missing the "aud" claim'), async () => await server.token({ aud: undefined })],
  ['another audience', invalid('Invalid audience'), async () => await server.token({ aud: 'other' })],
  ['no issuer', invalid('Token is missing the "iss" claim'), async () => await server.token({ iss: undefined })],
  ['another issuer', invalid('Invalid issuer'), async () => await server.token({ iss: 'other' })],
  ['not yet (nbf)', invalid('The token is not yet valid (nbf)'), async () => await server.token({ nbf: NOW + 600 })],
  ['not yet (iat)', invalid('The token is not yet valid (iat)'), async () => await server.token({ iat: NOW + 600 })],
  [
    'an end that is no number',
    invalid('Expiration Time claim (exp) must be an integer.'),
    async () => await server.token({ exp: 'soon' }),
  ],
])('2 token, %s: 401 %s', async (_, text, make) => {
  const { status, headers, json: read } = await server.get('/api/runbooks', { token: await make() });
  expect([status, read()['error']]).toEqual([401, text]);
  expect(headers['www-authenticate']).toMatch(/^Bearer/);
});

test.each([
  ['Basic YTpi', 'Missing or invalid Authorization header'],
  ['bearer TOKEN', 'Missing or invalid Authorization header'],
  ['Bearer', 'Empty token in Authorization header'],
  ['Bearer ', 'Empty token in Authorization header'],
  ['Bearerx', 'Missing or invalid Authorization header'],
])('2 header %s: 401 %s', async (authorization, text) => {
  const header = authorization.replace('TOKEN', await server.token());
  const answer = await server.get('/api/runbooks', { token: null, headers: { authorization: header } });
  expect([answer.status, answer.json()['error']]).toEqual([401, text]);
});

test('2 several audiences with ours among them: accepted', async () => {
  expect((await server.get('/api/runbooks', { token: await server.token({ aud: ['x', 'dev-api'] }) })).status).toBe(
    200,
  );
});

test('2 everything below /api needs a token; login, metrics and descriptions do not', async () => {
  const routes = [
    ['GET', '/api/runbooks'],
    ['GET', '/api/runbooks/Hello.md'],
    ['GET', '/api/runbooks/Hello.md/required-env'],
    ['PATCH', '/api/runbooks/Hello.md/validate'],
    ['POST', EXECUTE],
    ['GET', '/api/config'],
    ['POST', '/api/shutdown'],
  ] as const;
  for (const [method, path] of routes)
    expect([path, (await server.request(method, path, { token: null })).status]).toEqual([path, 401]);
  for (const path of ['/metrics', '/docs/openapi.yaml', '/docs/explorer.html'])
    expect([path, (await server.get(path, { token: null })).status]).toEqual([path, 200]);
  expect((await server.post('/dev-login', { token: null })).status).toBe(200);
});

test('2 dev-login: what is signed, what is answered', async () => {
  const { status, json: read } = await server.post('/dev-login', {
    token: null,
    body: { subject: 'ben', roles: ['sre', 'api'] },
  });
  expect(status).toBe(200);
  const { access_token: token, ...rest } = read();
  expect(rest).toEqual({
    token_type: 'bearer',
    subject: 'ben',
    roles: ['sre', 'api'],
    expires_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00$/),
  });
  const claims = JSON.parse(Buffer.from(String(token).split('.')[1] ?? '', 'base64url').toString()) as {
    readonly iat: number;
    readonly exp: number;
  };
  expect(claims).toMatchObject({ iss: 'dev-idp', aud: 'dev-api', sub: 'ben', roles: ['sre', 'api'] });
  expect(claims.exp - claims.iat).toBe(480 * 60);
  expect((await server.get('/api/runbooks', { token: String(token) })).status).toBe(200);
});

test('2 dev-login: nothing, null and {} give the default person', async () => {
  for (const body of [undefined, 'null', '{}']) {
    const answer = await server.post('/dev-login', { token: null, headers: body === undefined ? {} : json, body });
    expect(answer.json()).toMatchObject({ subject: 'dev-user-1', roles: ['developer'] });
  }
  expect((await server.get('/dev-login', { token: null })).status).toBe(405);
});

test('1 an address that cannot be decoded, or is too long: 4xx with an error', async () => {
  for (const path of ['/api/runbooks/%zz', '/api/runbooks/%C0%AE', `/api/runbooks/${'x'.repeat(4000)}`]) {
    const { status, json: read } = await server.get(path);
    expect([400, 404, 414]).toContain(status);
    expect(read()['error']).toEqual(expect.any(String));
  }
});

test('1 body, none at all, though the type says JSON: 200', async () => {
  const headers = [`Authorization: Bearer ${await server.token()}`, 'Content-Type: application/json'];
  const args = ['-s', '-X', 'POST', ...headers.flatMap((header) => ['-H', header]), `${server.url}${EXECUTE}`];
  expect((await execa('curl', args)).stdout).toContain('event: done\ndata: {"success": true,');
});

test('1 a connection is kept for the next request', async () => {
  const headers = { authorization: `Bearer ${await server.token()}`, connection: 'keep-alive' };
  const status = await new Promise((resolve, reject) => {
    httpRequest(`${server.url}/api/runbooks`, { headers }, (response) => {
      response.resume().on('end', () => {
        resolve(response.headers.connection);
      });
    })
      .on('error', reject)
      .end();
  });
  expect(status).toBe('keep-alive');
});
