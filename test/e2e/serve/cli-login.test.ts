/** `runbook login` at a real issuer and a real server: what is kept, whom it is sent to, and when it is gone. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { startAnswering } from '../../helpers/answering.ts';
import { classic, createHome } from '../../helpers/cli.ts';
import type { Home } from '../../helpers/cli.ts';
import { startDeviceIssuer } from '../../helpers/device-issuer.ts';
import { startServer } from '../../helpers/server.ts';

const issuer = await startDeviceIssuer();
afterAll(async () => {
  await issuer.close();
});
const server = await startServer({
  env: {
    OIDC_ISSUER: issuer.issuer,
    JWT_PRIVATE_HOSTS: issuer.host,
    LOGIN_CLIENT_ID: 'runbook',
    LOGIN_SCOPE: 'openid offline_access',
  },
});
const development = await startServer({ env: { ENABLE_LOGIN: 'true' } });

const kept = (home: Home): readonly string[] => {
  const folder = path.join(home.stateDir, 'login');
  return existsSync(folder) ? readdirSync(folder) : [];
};
interface Kept {
  readonly accessToken: string;
  readonly refreshToken: string;
}
const loginOf = (home: Home): Kept =>
  JSON.parse(readFileSync(path.join(home.stateDir, 'login', kept(home)[0] ?? ''), 'utf8')) as Kept;
const task = (home: Home, script: string): readonly string[] => {
  home.write('Task.md', classic('Task', script));
  return ['execute', './Task.md', '--history', 'ledger', '--report-to', server.url];
};

describe('a login by a code', () => {
  it('is waited for, kept for its owner, used for its server, masked, and forgotten', async () => {
    const home = createHome();
    issuer.pending = 1;
    const { exitCode, stdout, stderr } = await home.run(['login', '--server', server.url, '--json']);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr });
    expect(JSON.parse(stdout)).toMatchObject({ server: server.url, subject: 'anna', renewed: true });
    expect(stderr).toContain(`${issuer.issuer}/device`);
    expect(stderr).toContain('WDJB-MJHT');
    expect(issuer.forms[0]).toEqual({ client_id: 'runbook', scope: 'openid offline_access' });
    expect(issuer.forms.filter(({ device_code: code }) => code === 'device-code-1')).toHaveLength(2);

    const file = path.join(home.stateDir, 'login', kept(home)[0] ?? '');
    expect([statSync(file).mode & 0o777, statSync(path.dirname(file)).mode & 0o777]).toEqual([0o600, 0o700]);
    const { accessToken, refreshToken } = loginOf(home);
    for (const secret of [accessToken, refreshToken]) expect(stdout + stderr).not.toContain(secret);

    const run = await home.run(task(home, `cat '${file}'`));
    expect(run.stderr).toContain(`reported to ${server.url}: this run`);
    for (const secret of [accessToken, accessToken.split('.')[2] ?? '', refreshToken])
      expect(run.stdout).not.toContain(secret);
    expect(run.stdout).toContain('***');

    expect(await home.json(['logout', '--server', server.url])).toMatchObject({ loggedOut: true });
    expect(kept(home)).toEqual([]);
    expect((await home.run(task(home, 'true'))).stderr).toContain('gets nothing without a token');
  });

  it('is renewed where it has ended, once; where the issuer does not renew it, nothing of it is kept', async () => {
    const home = createHome();
    issuer.lifetime = 11;
    await home.run(['login', '--server', server.url]);
    const before = loginOf(home);
    // Within ten seconds of its end it counts as over: it would not arrive.
    await new Promise((resolve) => setTimeout(resolve, 1500));
    issuer.lifetime = 3600;
    expect((await home.run(task(home, 'true'))).stderr).toContain('reported to');
    const after = loginOf(home);
    expect(after.accessToken).not.toBe(before.accessToken);
    expect(after.refreshToken).not.toBe(before.refreshToken);

    const file = path.join(home.stateDir, 'login', kept(home)[0] ?? '');
    const ended = { ...JSON.parse(readFileSync(file, 'utf8')), expiresAt: new Date(0).toISOString() } as object;
    home.write(path.relative(home.folder, file), JSON.stringify(ended));
    issuer.refreshTokens.clear();
    expect((await home.run(task(home, 'true'))).stderr).toContain('gets nothing without a token');
    expect(kept(home)).toEqual([]);
  });

  it('is sent to no other server', async () => {
    const home = createHome();
    await home.run(['login', '--server', server.url]);
    const other = await startAnswering((response) => response.end('{}'));
    const [call, ...rest] = task(home, 'true').slice(0, 4);
    const { stderr } = await home.run([call ?? '', ...rest, '--report-to', other.url]);
    expect(stderr).toContain('gets nothing without a token');
    expect(other.asked).toEqual([]);
  });

  it.each([
    ['access_denied', 'nobody agreed'],
    ['expired_token', 'too old'],
    ['invalid_client', 'invalid_client'],
  ])('that ends with %s is none', async (error, reason) => {
    const home = createHome();
    issuer.error = error;
    const { exitCode, stderr } = await home.run(['login', '--server', server.url]);
    issuer.error = null;
    expect([exitCode, kept(home)]).toEqual([77, []]);
    expect(stderr).toContain(reason);
  });
});

describe('a development login', () => {
  it('gives the token that was asked for', async () => {
    const home = createHome();
    const login = ['login', '--server', development.url, '--subject', 'bob', '--role', 'dba'];
    expect(await home.json(login)).toMatchObject({ subject: 'bob', renewed: false, expiresAt: expect.any(String) });
    const roles = JSON.parse(
      Buffer.from(loginOf(home).accessToken.split('.')[1] ?? '', 'base64url').toString(),
    ) as object;
    expect(roles).toMatchObject({ sub: 'bob', roles: ['dba'] });
    expect((await home.run([...login.slice(0, 2), server.url, '--subject', 'bob'])).exitCode).toBe(64);
  });
});

describe('a server that is none', () => {
  it('gets nobody logged in, and nothing is shown that it wants to be typed', async () => {
    const home = createHome();
    const { issuer: good, document, code } = issuer;
    let offer: unknown = null;
    const hostile = await startAnswering((response) => response.end(JSON.stringify({ login: offer })));
    const device = { issuer: good, clientId: 'x', scope: 'openid' };
    const offers: readonly (readonly [unknown, number])[] = [
      [null, 69],
      [{ ...device, issuer: 'http://login.example' }, 69],
      [{ ...device, issuer: 'javascript:alert(1)' }, 69],
      [{ ...device, clientId: 7 }, 69],
      ['production', 69],
      ['x'.repeat(2 ** 19), 69],
      ['development', 69],
    ];
    const failed = await Promise.all(
      offers.slice(0, 1).map(async () => await home.run(['login', '--server', hostile.url])),
    );
    expect(failed.map(({ exitCode }) => exitCode)).toEqual([69]);
    for (const [what, exit] of offers) {
      offer = what;
      const { exitCode, stderr } = await home.run(['login', '--server', hostile.url]);
      expect([what, exitCode]).toEqual([what, exit]);
      expect(stderr.length).toBeLessThan(600);
    }
    offer = device;
    for (const change of [
      { document: { ...document, issuer: `${good}/other` } },
      { document: { ...document, token_endpoint: 'http://login.example/token' } },
      { code: { ...code, verification_uri: 'javascript:alert(1)' } },
      { code: { ...code, user_code: 'A\u001b[2J' } },
    ]) {
      Object.assign(issuer, change);
      const { exitCode, stderr } = await home.run(['login', '--server', hostile.url]);
      Object.assign(issuer, { document, code });
      expect([exitCode, stderr.includes('\u001b'), stderr.includes('To log in')]).toEqual([69, false, false]);
    }
    expect(kept(home)).toEqual([]);
    expect((await home.run(['login', '--server', 'http://runbooks.example.com'])).exitCode).toBe(64);
  });
});
