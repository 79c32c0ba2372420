/** `JWT_MAX_AGE_SECONDS`: a token that holds for long counts for less. */
import { expect, it } from 'vitest';
import { createHome } from '../../helpers/cli.ts';
import { startServer } from '../../helpers/server.ts';

const server = await startServer({ env: { ENABLE_LOGIN: 'true', JWT_MAX_AGE_SECONDS: '120', JWT_TTL_MINUTES: '480' } });
const now = Math.floor(Date.now() / 1000);

it.each<[string, Readonly<Record<string, unknown>>, number, string | undefined]>([
  ['young', { iat: now - 60 }, 200, undefined],
  ['old', { iat: now - 121 }, 401, 'Invalid token: The token is too old (iat)'],
  ['of unknown age', { iat: undefined }, 401, 'Invalid token: Token is missing the "iat" claim'],
])('a token that is %s', async (_, claims, expected, error) => {
  const token = await server.token({ exp: now + 30 * 24 * 3600, ...claims });
  const { status, json } = await server.get('/api/runbooks', { token });
  expect([status, json()['error']]).toEqual([expected, error]);
});

it('/dev-login makes none that would say it holds for longer', async () => {
  const { access_token: token, expires_at: end } = (
    await server.post('/dev-login', { token: null, body: {} })
  ).json() as { readonly access_token: string; readonly expires_at: string };
  const seconds = Date.parse(end) / 1000 - now;
  expect(seconds).toBeGreaterThan(100);
  expect(seconds).toBeLessThan(300);
  expect((await server.get('/api/runbooks', { token })).status).toBe(200);
});

it.each(['0', '-1', 'soon', '1.5'])('%s stops the start', async (value) => {
  const env = { JWT_SECRET: server.secret, JWT_MAX_AGE_SECONDS: value };
  const { exitCode, stderr } = await createHome().run(['serve', '--host', '127.0.0.1', '--port', '0'], { env });
  expect([exitCode, stderr]).toEqual([78, expect.stringContaining('JWT_MAX_AGE_SECONDS')]);
});
