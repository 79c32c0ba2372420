/** `POST /dev-login`: for development, by address, and only where it is on. */
import { decodeJwt } from 'jose';
import { describe, expect, it, vi } from 'vitest';
import { startServer } from '../../helpers/server.ts';
import type { Answer } from '../../helpers/server.ts';

// As behind a proxy, so that a test can be many callers.
const server = await startServer({
  env: { ENABLE_LOGIN: 'true', TRUST_PROXY: '127.0.0.0/8', JWT_TTL_MINUTES: '5', RATE_LIMIT_ENABLED: 'true' },
});
let next = 0;
const login = async (body?: unknown, address = `198.51.100.${(next += 1)}`): Promise<Answer> =>
  await server.post('/dev-login', {
    token: null,
    headers: { 'x-forwarded-for': address },
    ...(body === undefined ? {} : { body }),
  });

describe('who may ask', () => {
  it('is nobody where it is off', async () => {
    const off = await startServer();
    for (const method of ['POST', 'GET', 'PUT']) {
      const { status, text } = await off.request(method, '/dev-login', { token: null, body: {} });
      expect([method, status, text.includes('There is nothing at this address.')]).toEqual([method, 404, true]);
    }
  });

  it('gets a token that holds, with what was asked for, for as long as the settings say', async () => {
    const answer = await login({ subject: 'berta', roles: ['sre', 'dba'], admin: true, exp: 1 });
    const { access_token: token, ...rest } = answer.json() as { access_token: string };
    expect(rest).toMatchObject({ token_type: 'bearer', subject: 'berta', roles: ['sre', 'dba'] });
    const payload = decodeJwt(token);
    expect(payload).toMatchObject({ sub: 'berta', roles: ['sre', 'dba'] });
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(300);
    expect(payload).not.toHaveProperty('admin');
    expect((await server.get('/api/runbooks', { token })).status).toBe(200);
    // The log says for whom, and not what.
    await vi.waitFor(() => expect(JSON.stringify(server.log())).toContain('berta'), { timeout: 30_000 });
    const said = JSON.stringify(server.log());
    expect(said).not.toContain(token.split('.')[2]);
  });

  it.each([
    ['a number for a name', { subject: 7 }],
    ['no name', { subject: '' }],
    ['a name that cannot be printed', { subject: 'a\u0000b' }],
    ['a name that is two lines', { subject: 'a\nroot' }],
    ['a list for a name', { subject: ['a'] }],
    ['a number as a role', { roles: [7] }],
    ['a mapping of roles', { roles: { a: 1 } }],
    ['null as a role', { roles: [null] }],
    ['a list', [1]],
    ['a text', '"sre"'],
    ['no JSON', '{'],
    ['more than a token holds', { roles: Array.from({ length: 2000 }, () => 'role') }],
  ])('is told of a mistake: %s', async (_, body) => {
    const headers = { 'x-forwarded-for': `203.0.113.${(next += 1)}`, 'content-type': 'application/json' };
    const { status, text } = await server.post('/dev-login', { token: null, headers, body });
    expect([text, status]).toEqual([expect.stringContaining('"fix"'), 400]);
  });
});

describe('how often', () => {
  const many = async (times: number, address: (n: number) => string): Promise<number[]> => {
    const answers = await Promise.all(Array.from({ length: times }, async (_, n) => await login({}, address(n))));
    return answers.map(({ status }) => status);
  };
  const count = (statuses: readonly number[], status: number): number =>
    statuses.filter((one) => one === status).length;

  it('is ten times a minute for an address, with the time to wait; said in the log in Stage0’s words', async () => {
    const statuses = await many(25, () => '192.0.2.1');
    expect([count(statuses, 200), count(statuses, 429)]).toEqual([10, 15]);
    const answer = await login({}, '192.0.2.1');
    expect(answer.status).toBe(429);
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    expect(Number(answer.headers['retry-after'])).toBeLessThanOrEqual(60);
    expect(answer.headers['content-type']).toContain('application/problem+json');
    expect(answer.json()).toMatchObject({ status: 429, error: 'Rate limit exceeded. Please try again later.' });
    const said = () => server.log().filter(({ msg, level }) => msg === 'Rate limit exceeded' && level === 'warn');
    await vi.waitFor(() => expect(said()).toHaveLength(16), { timeout: 30_000 });
    // Nobody else has to wait.
    expect((await login({}, '192.0.2.2')).status).toBe(200);
  });

  it('counts a network of IPv6 as one, and its neighbour as another', async () => {
    const statuses = await many(25, (n) => `2001:db8:1:2:${n}::${n}`);
    expect([count(statuses, 200), count(statuses, 429)]).toEqual([10, 15]);
    expect((await login({}, '2001:db8:1:3::1')).status).toBe(200);
  });

  it('is not got around by what a caller writes into the header itself, nor by other spellings', async () => {
    const statuses = await many(25, (n) => `203.0.113.${n}, 192.0.2.3`);
    expect([count(statuses, 200), count(statuses, 429)]).toEqual([10, 15]);
    for (const address of ['::ffff:192.0.2.3', '::FFFF:192.0.2.3']) {
      expect([address, (await login({}, address)).status]).toEqual([address, 429]);
    }
    for (const path of ['/dev-login?x=1', '/%64ev-login']) {
      const headers = { 'x-forwarded-for': '192.0.2.3' };
      expect([path, (await server.post(path, { token: null, headers, body: {} })).status]).toEqual([path, 429]);
    }
  });

  it('counts mistakes, too', async () => {
    const statuses = await Promise.all(
      Array.from({ length: 12 }, async () => (await login({ subject: 7 }, '192.0.2.4')).status),
    );
    expect([count(statuses, 400), count(statuses, 429)]).toEqual([10, 2]);
  });
});
