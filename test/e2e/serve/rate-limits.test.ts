/** Limits of two servers that count in one Redis: nobody gets around them, and nobody else pays (c3). */
import { describe, expect, it } from 'vitest';
import { classic } from '../../helpers/cli.ts';
import { aRedis } from '../../helpers/redis.ts';
import { requires } from '../../helpers/requires.ts';
import { startServer } from '../../helpers/server.ts';
import type { Answer, RequestOptions, TestServer } from '../../helpers/server.ts';

const LIST = '/api/runbooks';
const EXECUTE = '/api/runbooks/Fails.md/execute';
const [STRANGER, READ, RUN] = [12, 20, 8];

describe.skipIf(!requires('redis-server'))('two servers with one Redis', async () => {
  const redis = await aRedis();
  await redis.start();
  const env = {
    RATE_LIMIT_ENABLED: 'true',
    RATE_LIMIT_STORAGE_BACKEND: 'redis',
    REDIS_URL: redis.url,
    RATE_LIMIT_PER_MINUTE: String(STRANGER),
    RATE_LIMIT_AUTHENTICATED_PER_MINUTE: String(READ),
    RATE_LIMIT_EXECUTE_PER_MINUTE: String(RUN),
    TRUST_PROXY: '127.0.0.0/8',
    ENABLE_LOGIN: 'true',
  };
  // A claim that nobody has: it is refused before anything is started.
  const runbooks = { 'Fails.md': classic('Fails', 'true', { claims: 'roles: nobody' }) };
  const servers = [await startServer({ env, runbooks }), await startServer({ env, runbooks })] as const;
  const one = (n: number): TestServer => servers[n % 2 === 0 ? 0 : 1];
  let hosts = 0;
  const newAddress = (): string => `198.51.${Math.floor((hosts += 1) / 250)}.${hosts % 250}`;

  /** All at once, over both. */
  const many = async (
    times: number,
    request: (n: number) => { readonly method?: string; readonly path?: string; readonly options: RequestOptions },
  ): Promise<readonly Answer[]> =>
    await Promise.all(
      Array.from({ length: times }, async (_, n) => {
        const { method = 'GET', path = LIST, options } = request(n);
        return await one(n).request(method, path, options);
      }),
    );
  const count = (answers: readonly Answer[]): Readonly<Record<number, number>> => {
    const found: Record<number, number> = {};
    for (const { status } of answers) found[status] = (found[status] ?? 0) + 1;
    return found;
  };
  const from = (address: string): RequestOptions => ({ token: null, headers: { 'x-forwarded-for': address } });

  it('strangers count by address over both, however many ask at once', async () => {
    const address = newAddress();
    const answers = await many(50, () => ({ options: from(address) }));
    expect(count(answers)).toEqual({ 401: STRANGER, 429: 50 - STRANGER });
    const over = answers.find(({ status }) => status === 429);
    expect(over?.headers).toMatchObject({ 'ratelimit-limit': String(STRANGER), 'ratelimit-remaining': '0' });
    expect(Number(over?.headers['ratelimit-reset'])).toBeLessThanOrEqual(60);
    expect(over?.headers['retry-after']).toBe(over?.headers['ratelimit-reset']);
    expect(over?.json()).toMatchObject({ status: 429, error: 'Rate limit exceeded. Please try again later.' });
    const left = answers.filter(({ status }) => status === 401).map(({ headers }) => headers['ratelimit-remaining']);
    expect(left.map(Number).toSorted((a, b) => a - b)).toEqual(Array.from({ length: STRANGER }, (_, n) => n));
  });

  it.each<[string, (n: number) => ReturnType<Parameters<typeof many>[1]>]>([
    ['what a caller writes to the left of its address', (n) => ({ options: from(`203.0.113.${n}, 192.0.2.10`) })],
    ['a chain of them', (n) => ({ options: from(`10.0.0.${n}, 203.0.113.${n}, 203.0.114.${n}, 192.0.2.11`) })],
    ['another spelling of it', (n) => ({ options: from(n % 3 === 0 ? '::ffff:192.0.2.12' : '192.0.2.12') })],
    ['other addresses of its /64', (n) => ({ options: from(`2001:db8:7:8:${n}::${n}`) })],
    [
      'X-Real-IP and Forwarded',
      (n) => ({
        options: {
          token: null,
          headers: { 'x-forwarded-for': '192.0.2.13', 'x-real-ip': `9.9.9.${n}`, forwarded: `for=9.9.8.${n}` },
        },
      }),
    ],
    [
      'other spellings of the path, and HEAD',
      (n) => ({
        method: n % 2 === 0 ? 'GET' : 'HEAD',
        path: ['/api/runbooks', '/%61pi/runbooks', '/api/runbooks?x=1', '/api/config'][n % 4] ?? '',
        options: from('192.0.2.14'),
      }),
    ],
    [
      'a bad token in place of none, and another each time',
      (n) => ({ options: { ...from('192.0.2.15'), token: n % 2 === 0 ? null : `a.b.${n}` } }),
    ],
  ])('is not got around by %s', async (_, request) => {
    const found = count(await many(40, request));
    expect(found).toEqual({ 401: STRANGER, 429: 40 - STRANGER });
  });

  it('a token that has expired makes nobody somebody', async () => {
    const exp = Math.floor(Date.now() / 1000) - 10;
    const address = newAddress();
    const tokens = await Promise.all(
      Array.from({ length: 30 }, async (_, n) => await servers[0].token({ sub: `caller ${n}`, exp })),
    );
    const answers = await many(30, (n) => ({
      options: { token: tokens[n] ?? null, headers: { 'x-forwarded-for': address } },
    }));
    expect(count(answers)).toEqual({ 401: STRANGER, 429: 30 - STRANGER });
  });

  it('whoever has a token counts by who it is, from wherever and with whichever token', async () => {
    const answers = await many(60, () => ({ options: { headers: { 'x-forwarded-for': newAddress() } } }));
    expect(count(answers)).toEqual({ 200: READ, 429: 60 - READ });
    const other = await servers[0].token({ sub: 'berta' });
    expect((await servers[1].get(LIST, { token: other })).headers['ratelimit-remaining']).toBe(String(READ - 1));
  });

  it('executing and validating have a limit of their own, together', async () => {
    const token = await servers[0].token({ sub: 'carla' });
    const answers = await many(24, (n) => ({
      method: n % 3 === 0 ? 'PATCH' : 'POST',
      path: n % 3 === 0 ? '/api/runbooks/Fails.md/validate' : EXECUTE,
      options: { token },
    }));
    expect(count(answers)).toEqual({ 403: RUN, 429: 24 - RUN });
    expect((await servers[0].get(LIST, { token })).status).toBe(200);
  });

  it('good tokens from the address of an attacker are let in, also those that nobody has seen', async () => {
    const address = newAddress();
    const bad = await many(40, (n) => ({ options: { ...from(address), token: `a.b.${n}` } }));
    expect(count(bad)).toEqual({ 401: STRANGER, 429: 40 - STRANGER });
    for (const sub of ['dora', 'emil', 'dora']) {
      const token = await servers[0].token({ sub });
      const { status } = await servers[0].get(LIST, { token, headers: { 'x-forwarded-for': address } });
      expect([sub, status]).toEqual([sub, 200]);
    }
  });

  it('login counts by address over both; probes, metrics, files and questions for methods do not count', async () => {
    const address = newAddress();
    const logins = await many(16, () => ({
      method: 'POST',
      path: '/dev-login',
      options: { ...from(address), body: {} },
    }));
    expect(count(logins)).toEqual({ 200: 10, 429: 6 });
    const paths = ['/healthz', '/readyz', '/metrics', '/docs/explorer.html', '/nothing'];
    const free = await many(40, (n) => ({ path: paths[n % 5] ?? '', options: from(address) }));
    expect(count(free)).toEqual({ 200: 32, 404: 8 });
    expect(free[0]?.headers['ratelimit-limit']).toBeUndefined();
    expect((await one(0).request('OPTIONS', LIST, from(address))).status).toBe(200);
    expect((await one(0).request('PUT', LIST, from(address))).status).toBe(405);
  });

  it('keys in Redis go by themselves, and hold no names; what was refused is counted', async () => {
    const keys = (await redis.ask('KEYS', '*')) as readonly string[];
    expect(keys.length).toBeGreaterThan(10);
    for (const key of keys) {
      expect(key).toMatch(/^runbook:limits:(?:probe|(?:stranger|login|read|execute):[\w-]{22})$/);
      expect([key, Number(await redis.ask('PTTL', key)) > 0]).toEqual([key, true]);
    }
    const { text } = await servers[0].get('/metrics', { token: null });
    for (const limit of ['stranger', 'login', 'read', 'execute'])
      expect(text).toMatch(new RegExp(`^runbook_rate_limited_total\\{limit="${limit}"\\} [1-9]`, 'm'));
    expect(text).toMatch(/^runbook_ready\{check="limits"\} 1$/m);
  });
});
