/** The server of the keys is away: what is read again then, and who is told. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { expect, it, vi } from 'vitest';
import { classic } from '../../helpers/cli.ts';
import { startServer } from '../../helpers/server.ts';

it('is a warning at SIGHUP, a metric and a word of /readyz at once, and the keys still count', async () => {
  const { privateKey, publicKey } = await generateKeyPair('ES256');
  const keys = JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'first', alg: 'ES256', use: 'sig' }] });
  let isAway = false;
  const provider = createServer((_, answer) => answer.writeHead(isAway ? 503 : 200).end(isAway ? 'away' : keys));
  await new Promise<void>((resolve) => provider.listen(0, '127.0.0.1', resolve));
  try {
    // A listening server has an address with a port.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const { port } = provider.address() as AddressInfo;
    const server = await startServer({
      env: {
        JWT_SECRET: undefined,
        JWT_JWKS: `http://127.0.0.1:${port}/keys`,
        JWT_ALGORITHM: 'ES256',
        JWT_ISSUER: 'away-idp',
        JWT_AUDIENCE: 'dev-api',
      },
      runbooks: { 'Any.md': classic('Any', 'echo ran') },
    });
    const token = await new SignJWT({ roles: ['sre'] })
      .setProtectedHeader({ alg: 'ES256', kid: 'first' })
      .setIssuer('away-idp')
      .setAudience('dev-api')
      .setSubject('anna')
      .setIssuedAt()
      .setExpirationTime('5m')
      .sign(privateKey);
    const stale = async (): Promise<string | undefined> =>
      /^runbook_key_stale\{issuer="away-idp",key="first".*$/m.exec((await server.get('/metrics')).text)?.[0];
    const messages = (): unknown[] => server.log().map(({ msg }) => msg);

    expect((await server.get('/api/runbooks', { token })).status).toBe(200);
    expect(await stale()).toMatch(/ 0$/);
    server.kill('SIGHUP');
    await vi.waitFor(() => expect(messages()).toContain('Keys were read again'), { timeout: 10_000 });
    isAway = true;
    server.kill('SIGHUP');
    const warning = 'Keys of away-idp could not be fetched; the ones from before still count';
    await vi.waitFor(() => expect(messages()).toContain(warning), { timeout: 10_000 });
    expect(server.log().find(({ msg }) => msg === warning)).toMatchObject({ level: 'warn', issuer: 'away-idp' });
    expect(messages().filter((msg) => msg === 'Keys were read again')).toHaveLength(1);
    expect(await stale()).toMatch(/ 1$/);
    await vi.waitFor(async () => expect((await server.get('/readyz')).text).toContain('could not be fetched again'), {
      timeout: 10_000,
    });
    expect((await server.get('/api/runbooks', { token })).status).toBe(200);
    const { text } = await server.get('/metrics');
    expect(text).toContain('# TYPE runbook_key_uses_total counter');
    expect(text).toMatch(/^runbook_key_uses_total\{issuer="away-idp",key="first",source="url"\} 2$/m);
  } finally {
    provider.close();
    provider.closeAllConnections();
  }
});
