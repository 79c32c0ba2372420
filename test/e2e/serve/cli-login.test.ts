/** `runbook login` at a real issuer and a real server: what is kept, whom it is sent to, and when it is gone. */
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
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
  return existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.json')) : [];
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
    const { stderr: alone } = await home.run(task(home, 'true'));
    expect(alone).toContain(
      `gets nothing without a token: give one with --token-file, or get one with \`runbook login --server ${server.url}\``,
    );
  });

  it('is renewed where it has ended, once for all processes; where its issuer does not renew it, that is said', async () => {
    const home = createHome();
    await home.run(['login', '--server', server.url]);
    const before = loginOf(home);
    const file = path.join(home.stateDir, 'login', kept(home)[0] ?? '');
    const end = (): void => {
      writeFileSync(file, JSON.stringify({ ...loginOf(home), expiresAt: new Date(0).toISOString() }));
    };
    end();
    const renewals = (): number => issuer.forms.filter(({ grant_type: grant }) => grant === 'refresh_token').length;
    const both = await Promise.all([home.run(task(home, 'true')), home.run(task(home, 'true'))]);
    expect(both.map(({ stderr }) => stderr.includes('reported to'))).toEqual([true, true]);
    expect(renewals()).toBe(1);
    const after = loginOf(home);
    expect(after.accessToken).not.toBe(before.accessToken);
    expect(after.refreshToken).not.toBe(before.refreshToken);

    end();
    issuer.refreshTokens.clear();
    for (let attempt = 0; attempt < 2; attempt += 1) {
      const { exitCode, stdout, stderr } = await home.run(attempt === 0 ? task(home, 'exit 3') : ['report']);
      expect([attempt, exitCode]).toEqual([attempt, attempt === 0 ? 3 : 69]);
      expect(stdout + stderr).toContain(
        `has ended (1970-01-01T00:00:00.000Z). Log in again: \`runbook login --server ${server.url}\``,
      );
    }
    expect(renewals()).toBe(2);
    expect(loginOf(home)).toMatchObject({ refreshToken: null });
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

  it('that nobody agrees to is none', async () => {
    const home = createHome();
    issuer.error = 'access_denied';
    const { exitCode, stderr } = await home.run(['login', '--server', server.url]);
    issuer.error = null;
    expect([exitCode, kept(home)]).toEqual([77, []]);
    expect(stderr).toContain('nobody agreed');
  });
});

describe('an issuer', () => {
  it('is asked less often where it wants that, until the person has enough', async () => {
    const home = createHome();
    issuer.error = 'slow_down';
    const asked = (): number => issuer.forms.filter(({ device_code: code }) => code !== undefined).length;
    const before = asked();
    const run = home.run(['login', '--server', server.url], { termAt: 'enough' });
    while (asked() === before) await delay(20);
    await delay(2500);
    home.write('enough', '');
    const { exitCode } = await run;
    issuer.error = null;
    expect([exitCode, asked() - before, kept(home)]).toEqual([143, 1, []]);
  });

  it('sends nobody elsewhere', async () => {
    const home = createHome();
    const other = await startAnswering((response) => response.end(JSON.stringify(issuer.document)));
    const { post } = issuer;
    const redirect = (response: ServerResponse): void => {
      response.writeHead(response.req.url === '/realm/device' ? 307 : 302, { location: other.url }).end();
    };
    onTestFinished(() => {
      Object.assign(issuer, { answer: null, post });
    });
    const login = async (): Promise<readonly [number | undefined, boolean]> => {
      const { exitCode, stderr } = await home.run(['login', '--server', server.url]);
      return [exitCode, stderr.includes('(302)') || stderr.includes('(307)')];
    };
    issuer.answer = redirect;
    expect(await login()).toEqual([69, true]);
    issuer.answer = null;
    for (const [at, exit] of [
      ['/realm/device', 69],
      ['/realm/token', 77],
    ] as const) {
      issuer.post = async (asked, body) =>
        asked === at ? { status: 302, answer: redirect } : ((await post?.(asked, body)) ?? null);
      expect([at, await login()]).toEqual([at, [exit, true]]);
    }
    expect([other.asked, kept(home)]).toEqual([[], []]);
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
    const login = async (): Promise<readonly [number | undefined, boolean, boolean]> => {
      const { exitCode, stderr } = await home.run(['login', '--server', hostile.url]);
      return [exitCode, stderr.includes('\u001B') || stderr.length > 600, stderr.includes('To log in')];
    };
    // Nothing; an issuer that anybody could read along at; more than anybody asked for; and one that has no tokens.
    for (const what of [null, { ...device, issuer: 'http://login.example' }, 'x'.repeat(2 ** 19), 'development']) {
      offer = what;
      expect([what, ...(await login())]).toEqual([what, 69, false, false]);
    }
    offer = device;
    for (const change of [
      { document: { ...document, token_endpoint: 'http://login.example/token' } },
      { code: { ...code, user_code: 'A\u001B[2J' } },
    ]) {
      Object.assign(issuer, change);
      const told = await login();
      Object.assign(issuer, { document, code });
      expect([change, ...told]).toEqual([change, 69, false, false]);
    }
    // Tokens that hold at their issuer, and that this server does not know: it has said nothing of whose they are.
    expect(await login()).toEqual([69, false, true]);
    expect(kept(home)).toEqual([]);
    expect((await home.run(['login', '--server', 'http://runbooks.example.com'])).exitCode).toBe(64);
  });
});
