/** What browsers are told: by headers of every answer, and to pages of other origins. */
import { describe, expect, it } from 'vitest';
import { classic } from '../../helpers/cli.ts';
import { rawAnswer } from '../../helpers/raw-http.ts';
import { startServer } from '../../helpers/server.ts';
import type { RequestOptions } from '../../helpers/server.ts';

const LISTED = ['https://runbooks.example.org', 'http://localhost:8084'];
const server = await startServer({
  env: { ALLOWED_ORIGINS: LISTED.join(','), ENABLE_LOGIN: 'true' },
  runbooks: {
    'Hello.md': classic('Hello', 'echo hello'),
    'Guarded.md': classic('Guarded', ':', { claims: 'roles: dba' }),
  },
});

const CSP = {
  'default-src': "'none'",
  'script-src': "'self'",
  'style-src': "'self'",
  'connect-src': "'self'",
  'img-src': "'self'",
  'base-uri': "'none'",
  'frame-ancestors': "'none'",
  'form-action': "'self'",
};
const policyOf = (text: unknown): Readonly<Record<string, string>> =>
  Object.fromEntries(
    String(text)
      .split(';')
      .map((part) => [part.trim().split(' ')[0] ?? '', part.trim().split(' ').slice(1).join(' ')]),
  );

describe('every answer says what a browser may do with it', () => {
  it.each<[string, string, string, number, RequestOptions]>([
    ['a list', 'GET', '/api/runbooks', 200, {}],
    ['a document', 'GET', '/api/runbooks/Hello.md', 200, {}],
    ['settings', 'GET', '/api/config', 200, {}],
    ['a token', 'POST', '/dev-login', 200, { token: null, body: {} }],
    ['a stream of events', 'POST', '/api/runbooks/Hello.md/execute', 200, {}],
    [
      'a stream that refuses',
      'POST',
      '/api/runbooks/Hello.md/execute',
      200,
      { headers: { 'x-recursion-stack': '["Hello.md"]' } },
    ],
    ['metrics', 'GET', '/metrics', 200, { token: null }],
    ['OPTIONS', 'OPTIONS', '/api/runbooks', 200, { token: null }],
    ['HEAD', 'HEAD', '/api/runbooks', 200, {}],
    [
      'a mistake',
      'POST',
      '/api/runbooks/Hello.md/execute',
      400,
      { body: '{', headers: { 'content-type': 'application/json' } },
    ],
    ['no token', 'GET', '/api/runbooks', 401, { token: null }],
    ['no claims', 'POST', '/api/runbooks/Guarded.md/execute', 403, {}],
    ['no such address', 'GET', '/nothing', 404, {}],
    ['no such runbook', 'GET', '/api/runbooks/None.md', 404, {}],
    ['another method', 'DELETE', '/api/runbooks', 405, {}],
    ['gone', 'POST', '/api/shutdown', 410, {}],
    [
      'too much',
      'POST',
      '/dev-login',
      413,
      { body: `"${'x'.repeat(2 ** 21)}"`, headers: { 'content-type': 'application/json' } },
    ],
    [
      'another form',
      'POST',
      '/dev-login',
      415,
      { body: 'a=1', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
    ],
  ])('%s', async (_, method, path, status, options) => {
    const answer = await server.request(method, path, options);
    expect([answer.text.slice(0, 200), answer.status]).toEqual([expect.anything(), status]);
    expect(policyOf(answer.headers['content-security-policy'])).toEqual(CSP);
    expect(answer.headers).toMatchObject({
      'x-frame-options': 'DENY',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'x-correlation-id': expect.stringMatching(/^[\w.-]{1,64}$/),
      // Events of a run as Stage0 has them; everything else is kept by nobody.
      'cache-control': String(answer.headers['content-type']).startsWith('text/event-stream') ? 'no-cache' : 'no-store',
    });
    expect(answer.headers).not.toHaveProperty('strict-transport-security');
    expect(answer.headers).not.toHaveProperty('x-powered-by');
    expect(answer.headers).not.toHaveProperty('server');
  });

  it.each([
    ['an address that cannot be decoded', 'GET /%zz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', 400],
    ['no HTTP', 'HELLO\r\n\r\n', 400],
    ['headers without end', `GET / HTTP/1.1\r\nHost: a\r\nA: ${'a'.repeat(100_000)}\r\n\r\n`, 431],
    [
      'a name that is very long',
      `GET /api/runbooks/${'a'.repeat(3000)} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
      404,
    ],
  ])('also to %s: nothing at all may be loaded', async (_, request, status) => {
    const text = await rawAnswer(server.port, request);
    const [head = '', body = ''] = text.split('\r\n\r\n');
    expect(head).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(head.toLowerCase()).toContain("content-security-policy: default-src 'none'");
    expect(head.toLowerCase()).toContain('x-frame-options: deny');
    expect(head.toLowerCase()).toContain('cache-control: no-store');
    expect(JSON.parse(body)).toMatchObject({ status, fix: expect.any(String) });
  });

  it('https only, where the settings say so', async () => {
    const strict = await startServer({ env: { ENABLE_HSTS: 'true' } });
    for (const path of ['/healthz', '/nothing', '/api/runbooks']) {
      expect((await strict.get(path, { token: null })).headers['strict-transport-security']).toMatch(/^max-age=\d{8}/);
    }
  });
});

describe('pages of other origins', () => {
  const OTHERS = [
    'null',
    '*',
    '',
    ' ',
    'https://runbooks.example.org.evil.com',
    'https://evil-runbooks.example.org',
    'https://a.runbooks.example.org',
    'https://runbooks.example.org:443',
    'https://runbooks.example.org:8443',
    'http://runbooks.example.org',
    'HTTPS://runbooks.example.org',
    'https://RUNBOOKS.example.org',
    'https://runbooks.example.org/',
    'https://runbooks.example.org/x',
    'https://runbooks.example.org?x',
    'https://runbooks.example.org@evil.com',
    'https://evil.com#https://runbooks.example.org',
    'https://evil.com?localhost',
    'evil.com?localhost',
    'http://localhost',
    'http://localhost:80840',
    'http://localhost:8085',
    'http://127.0.0.1:8084',
    'http://[::1]:8084',
    'http://192.168.1.0/24',
    'https://runbooks.example.org, http://localhost:8084',
    'https://runbooks.example.org http://localhost:8084',
    'https://runbooks\u0000.example.org'.replace('\u0000', '%00'),
    'file://',
    'chrome-extension://abcdef',
    'https://runbooksXexample.org',
    'https://runbooks.example.org.',
  ];
  const preflight = (origin: string): RequestOptions => ({
    token: null,
    headers: {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization,x-evil',
    },
  });
  const said = (headers: Readonly<Record<string, unknown>>): string[] =>
    Object.keys(headers).filter((name) => name.startsWith('access-control-'));

  it('that are listed get their own name back, and what they may send and read', async () => {
    for (const origin of LISTED) {
      const answer = await server.get('/api/runbooks', { headers: { origin } });
      expect(answer.headers).toMatchObject({
        'access-control-allow-origin': origin,
        vary: expect.stringContaining('Origin'),
        'access-control-expose-headers':
          'X-Correlation-Id, X-Run-Id, Location, Preference-Applied, Retry-After, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset',
      });
      expect(answer.headers).not.toHaveProperty('access-control-allow-credentials');
      const asked = await server.request('OPTIONS', '/api/runbooks/Hello.md/execute', preflight(origin));
      expect(asked.status).toBe(200);
      expect(asked.headers['access-control-allow-methods']).toBe('GET, HEAD, POST, PATCH');
      expect(String(asked.headers['access-control-allow-headers'])).toContain('Authorization');
      expect(String(asked.headers['access-control-allow-headers'])).not.toContain('x-evil');
      // The answer that is a stream, and a refusal, can be read there as well.
      for (const options of [{ headers: { origin } }, { headers: { origin }, token: null }]) {
        const run = await server.post('/api/runbooks/Hello.md/execute', options);
        expect(run.headers['access-control-allow-origin']).toBe(origin);
      }
    }
  });

  it(`that are not listed get nothing (${OTHERS.length} of them)`, async () => {
    for (const origin of OTHERS) {
      const answers = [
        await server.get('/api/runbooks', { headers: { origin } }),
        await server.get('/nothing', { headers: { origin } }),
        await server.get('/api/runbooks', { headers: { origin }, token: null }),
        await server.request('OPTIONS', '/api/runbooks', preflight(origin)),
        await server.request('OPTIONS', '/nothing', preflight(origin)),
      ];
      expect([origin, answers.flatMap(({ headers }) => said(headers))]).toEqual([origin, []]);
      expect(answers.map(({ headers }) => String(headers.vary).includes('Origin'))).toEqual(answers.map(() => true));
    }
    expect(OTHERS.length).toBeGreaterThanOrEqual(30);
  });

  it('cannot start anything by a request that needs no question before it', async () => {
    const runs = (): number => server.log().filter(({ msg }) => msg === 'Run ended').length;
    const before = runs();
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data']) {
      const headers = { origin: 'https://evil.com', 'content-type': type };
      // No page can know the token, and there is no cookie that would stand in for it.
      const cookie = { cookie: `token=${await server.token()}` };
      const { status } = await server.post('/api/runbooks/Hello.md/execute', {
        token: null,
        headers: { ...headers, ...cookie },
        body: '{}',
      });
      expect([type, status]).toEqual([type, 401]);
    }
    expect(runs()).toBe(before);
  });
});
