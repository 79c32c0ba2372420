/** `--token github-oidc`: a job of GitHub Actions shows its own identity; both sides are real servers on this machine. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import path from 'node:path';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { classic, createHome } from '../helpers/cli.ts';
import type { Home } from '../helpers/cli.ts';
import { json, startKeyServer } from '../helpers/key-server.ts';
import type { KeyServer } from '../helpers/key-server.ts';

/** What the runner gives the job to ask with. */
const REQUEST_TOKEN = 'canary-request-token-8d1f';
const AUDIENCE = 'https://runbooks.example.com';

interface Actions {
  readonly server: KeyServer;
  /** Query and headers of the last request. */
  readonly asked: { audience: string | null; authorization: string | undefined }[];
  readonly issuer: string;
  readonly keys: () => KeyServer['answer'];
}

/** Answers as the service of GitHub Actions does, and has its issuer's keys. */
async function startActions(): Promise<Actions> {
  const { publicKey, privateKey } = await generateKeyPair('RS256');
  const jwk = { ...(await exportJWK(publicKey)), kid: 'k1', alg: 'RS256', use: 'sig' };
  const asked: Actions['asked'] = [];
  const sign = async (audience: string): Promise<string> =>
    await new SignJWT({ repository: 'acme/ops', ref: 'refs/heads/main', roles: ['sre'] })
      .setProtectedHeader({ alg: 'RS256', kid: 'k1', typ: 'JWT' })
      .setIssuer(`http://${new URL(server.url).host}`)
      .setSubject('repo:acme/ops:ref:refs/heads/main')
      .setAudience(audience)
      .setIssuedAt()
      .setExpirationTime('5m')
      .sign(privateKey);
  const good = (response: ServerResponse, request: IncomingMessage): void => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    if (url.pathname === '/keys') {
      json({ keys: [jwk] })(response);
      return;
    }
    const audience = url.searchParams.get('audience');
    asked.push({ audience, authorization: request.headers.authorization });
    if (request.headers.authorization !== `Bearer ${REQUEST_TOKEN}` || url.searchParams.get('api-version') !== '2.0') {
      response.writeHead(403).end();
      return;
    }
    void (async () => {
      json({ count: 1, value: await sign(audience ?? '') })(response);
    })();
  };
  const server = await startKeyServer(good);
  return { server, asked, issuer: `http://${new URL(server.url).host}`, keys: () => good };
}

let actions: Actions;
beforeAll(async () => {
  actions = await startActions();
});
afterAll(async () => {
  await actions.server.close();
});

/** The environment of a job with `id-token: write`. */
function job(): Record<string, string> {
  return {
    CI: 'true',
    ACTIONS_ID_TOKEN_REQUEST_URL: `${actions.issuer}/idtoken?api-version=2.0`,
    ACTIONS_ID_TOKEN_REQUEST_TOKEN: REQUEST_TOKEN,
    JWT_JWKS: actions.server.url,
    JWT_ISSUER: actions.issuer,
    JWT_AUDIENCE: AUDIENCE,
  };
}

function everything(home: Home): string {
  const files = readdirSync(home.folder, { recursive: true, withFileTypes: true });
  return files
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(path.join(entry.parentPath, entry.name), 'latin1'))
    .join('\n');
}

describe('--token github-oidc', () => {
  it('runs as the job, for the audience that is configured or named, and keeps what it asked with from script and record', async () => {
    const home = createHome();
    home.write(
      'Who.md',
      classic('Who', 'env; echo "URL=[$ACTIONS_ID_TOKEN_REQUEST_URL] TOKEN=[$ACTIONS_ID_TOKEN_REQUEST_TOKEN]"', {
        claims: 'repository: acme/ops',
      }),
    );
    const passed = ['--pass-env', 'ACTIONS_*', '--pass-env', '*'];
    const run = await home.run(['execute', './Who.md', '--token', 'github-oidc', ...passed], { env: job() });
    expect(run.exitCode, run.stderr).toBe(0);
    expect(run.stdout).toContain('URL=[] TOKEN=[]');
    expect(actions.asked.at(-1)).toEqual({ audience: AUDIENCE, authorization: `Bearer ${REQUEST_TOKEN}` });
    const { runs } = (await home.json(['history'])) as unknown as { runs: { who: Record<string, unknown> }[] };
    expect(runs[0]?.who).toMatchObject({ subject: 'repo:acme/ops:ref:refs/heads/main', issuer: actions.issuer });
    expect(run.stdout + run.stderr + everything(home)).not.toContain(REQUEST_TOKEN);

    const other = await home.run(['execute', './Who.md', '--token', 'github-oidc:other'], { env: job() });
    expect(actions.asked.at(-1)?.audience).toBe('other');
    expect(other.exitCode).toBe(77);
    expect(other.stderr).toMatch(/audience/i);
  });

  it('a runbook cannot declare its way to what the job asks with, and a script that finds it prints ***', async () => {
    const home = createHome();
    home.write('Declared.md', classic('Declared', 'true', { env: 'ACTIONS_ID_TOKEN_REQUEST_TOKEN: give it to me' }));
    const declared = await home.run(['execute', './Declared.md'], { env: job() });
    expect(declared.exitCode).toBe(78);
    expect(declared.stderr).toContain('not set: ACTIONS_ID_TOKEN_REQUEST_TOKEN');
    home.write('Finds.md', classic('Finds', `echo ${REQUEST_TOKEN}`));
    const found = await home.run(['execute', './Finds.md'], { env: job() });
    expect(found.stdout).toMatch(/^\*\*\*$/m);
    expect(found.stdout).not.toContain(REQUEST_TOKEN);
  });

  it.each([
    ['no permission', { ACTIONS_ID_TOKEN_REQUEST_TOKEN: '' }, 77, /no identity to show[^]*fix: .*id-token: write/],
    ['http to another machine', { ACTIONS_ID_TOKEN_REQUEST_URL: 'http://192.0.2.1/idtoken' }, 78, /no https address/],
    ['no address', { ACTIONS_ID_TOKEN_REQUEST_URL: 'idtoken' }, 78, /no https address/],
    [
      'nobody there',
      { ACTIONS_ID_TOKEN_REQUEST_URL: 'http://127.0.0.1:1/idtoken' },
      69,
      /gave no token: .*ECONNREFUSED/,
    ],
    ['the wrong request token', { ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'wrong-token' }, 69, /it answered 403/],
  ])('%s: exit code and what to do', async (_name, changes, exit, says) => {
    const home = createHome();
    const marker = path.join(home.folder, 'ran');
    home.write('Who.md', classic('Who', `touch ${marker}`));
    const run = await home.run(['execute', './Who.md', '--token', 'github-oidc'], { env: { ...job(), ...changes } });
    expect(run.stderr).toMatch(says);
    expect(run.stderr).not.toMatch(/wrong-token|canary/);
    expect(run.exitCode).toBe(exit);
    expect(existsSync(marker)).toBe(false);
  });

  it.each([
    ['no JSON', (response: ServerResponse) => response.end('<html>'), /holds no token/],
    ['no token in it', json({ value: 'not a token' }), /holds no token/],
    ['a flood', (response: ServerResponse) => response.end(Buffer.alloc(10 * 1024 ** 2, 'x')), /gave no token/],
    [
      'a redirect',
      (response: ServerResponse) => response.writeHead(302, { location: '/x' }).end(),
      /redirects are not/,
    ],
  ])('an answer with %s gives none', async (_name, answer, says) => {
    const home = createHome();
    home.write('Who.md', classic('Who', 'true'));
    actions.server.answer = answer;
    onTestFinished(() => {
      actions.server.answer = actions.keys();
    });
    const run = await home.run(['execute', './Who.md', '--token', 'github-oidc'], { env: job() });
    expect(run.stderr).toMatch(says);
    expect(run.exitCode).toBe(69);
  });

  it('a second try is made, and a third', async () => {
    const home = createHome();
    home.write('Who.md', classic('Who', 'echo ran', { claims: 'repository: acme/ops' }));
    const good = actions.keys();
    let tries = 0;
    actions.server.answer = (response, request) => {
      tries += 1;
      if (tries < 3) response.writeHead(500).end();
      else good(response, request);
    };
    onTestFinished(() => {
      actions.server.answer = good;
    });
    const run = await home.run(['execute', '-q', './Who.md', '--token', 'github-oidc'], { env: job() });
    expect(run).toMatchObject({ exitCode: 0, stdout: 'ran\n' });
  });
});
