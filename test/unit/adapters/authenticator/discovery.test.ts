/** OpenID Connect discovery against a real provider. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createAuthenticator } from '../../../../src/adapters/authenticator/index.ts';
import type { AuthSettings, LazyAuthenticator } from '../../../../src/adapters/authenticator/index.ts';
import { trustedIssuers } from '../../../../src/adapters/authenticator/issuers.ts';
import { json } from '../../../helpers/key-server.ts';
import { startProvider } from '../../../helpers/provider.ts';
import type { Provider } from '../../../helpers/provider.ts';
import { expectRefusal, failureOf, outcomeOf } from '../../../helpers/refusals.ts';
import { AUDIENCE, EC, ED, ISSUER, NOW, NOW_S, RSA, SECRET, jwk, token } from '../../../helpers/tokens.ts';

const MINUTE = 60_000;
const FAR = NOW_S + 30 * 86_400;

let provider: Provider;
let nowMs: number;

beforeEach(async () => {
  nowMs = NOW.getTime();
  provider = await startProvider([
    jwk(RSA.publicKey, { kid: 'rsa', use: 'sig' }),
    jwk(EC.publicKey, { kid: 'ec', alg: 'ES256' }),
    jwk(ED.publicKey, { kid: 'ed' }),
  ]);
});
afterEach(async () => await provider.close());

function authenticatorFor(changes: Partial<AuthSettings> = {}): LazyAuthenticator {
  const settings: AuthSettings = {
    jwtIssuer: ISSUER,
    jwtAudience: AUDIENCE,
    jwtRolesClaim: 'realm_access.roles',
    jwtSubjectClaim: 'sub',
    oidcIssuers: [provider.issuer],
    jwtPrivateHosts: [provider.host],
    ...changes,
  };
  return createAuthenticator('jwt', settings, { now: () => new Date(nowMs) });
}
const made = (alg: string, key: typeof RSA, kid: string, changes: Record<string, unknown> = {}): string =>
  token(alg, key.privateKey, { iss: provider.issuer, exp: FAR, ...changes }, { kid, typ: 'at+jwt' });
const rsa = (changes: Record<string, unknown> = {}): string => made('RS256', RSA, 'rsa', changes);

describe('an issuer that says where its keys are', () => {
  test.each([
    ['RS256', RSA, 'rsa'],
    ['RS512', RSA, 'rsa'],
    ['PS256', RSA, 'rsa'],
    ['PS384', RSA, 'rsa'],
    ['ES256', EC, 'ec'],
    ['EdDSA', ED, 'ed'],
    ['Ed25519', ED, 'ed'],
  ])('%s by the key', async (alg, key, kid) => {
    const identity = await authenticatorFor().authenticate(
      made(alg, key, kid, { realm_access: { roles: ['sre'] }, roles: ['admin'] }),
    );
    expect(identity).toMatchObject({ issuer: provider.issuer, keyId: kid, roles: ['sre'], selfMade: false });
  });

  test('is asked when a key is needed, once', async () => {
    const authenticator = authenticatorFor();
    expect(await outcomeOf(() => authenticator.authenticate(token('HS256', SECRET)))).toBe('unauthenticated');
    expect(provider.asked).toEqual([]);
    await Promise.all(Array.from({ length: 20 }, async () => await authenticator.authenticate(rsa())));
    expect(provider.asked).toEqual(['/realm/.well-known/openid-configuration', '/realm/keys']);
  });

  test('or when the server is made ready', async () => {
    const authenticator = authenticatorFor();
    expect(authenticator.keyStates()).toEqual([]);
    await authenticator.ready();
    await authenticator.ready();
    expect(provider.asked).toHaveLength(2);
    expect(authenticator.keyStates()).toMatchObject([
      { issuer: provider.issuer, keyId: 'rsa', source: 'url', fetchedAt: NOW, stale: false, problem: null, uses: 0 },
      { keyId: 'ec' },
      { keyId: 'ed' },
    ]);
  });

  test('may stand beside a secret, whose algorithm is not its own', async () => {
    const authenticator = authenticatorFor({ jwtSecret: SECRET.toString(), jwtAlgorithm: 'HS256' });
    expect((await authenticator.authenticate(token('HS256', SECRET, { exp: FAR }))).issuer).toBe(ISSUER);
    expect((await authenticator.authenticate(rsa())).issuer).toBe(provider.issuer);
    // Neither key counts for the other.
    for (const odd of [rsa({ iss: ISSUER }), token('HS256', SECRET, { iss: provider.issuer }, { kid: 'rsa' })])
      expect(await outcomeOf(() => authenticator.authenticate(odd))).toBe('unauthenticated');
  });

  test('alone, the algorithms of the settings are its own', async () => {
    const authenticator = authenticatorFor({ jwtAlgorithm: 'PS256' });
    expect(await outcomeOf(() => authenticator.authenticate(rsa()))).toBe('unauthenticated');
    expect(await outcomeOf(() => authenticator.authenticate(made('PS256', RSA, 'rsa')))).toBe('ok');
  });

  test('with another one, each with its own keys', async () => {
    const other = await startProvider([jwk(EC.publicKey, { kid: 'rsa' })]);
    try {
      const authenticator = authenticatorFor({
        oidcIssuers: [provider.issuer, other.issuer],
        jwtPrivateHosts: [provider.host, other.host],
      });
      expect(await outcomeOf(() => authenticator.authenticate(rsa()))).toBe('ok');
      const ec = made('ES256', EC, 'rsa', { iss: other.issuer });
      expect(await outcomeOf(() => authenticator.authenticate(ec))).toBe('ok');
      expect(await outcomeOf(() => authenticator.authenticate(rsa({ iss: other.issuer })))).toBe('unauthenticated');
      await provider.close();
      nowMs += 25 * 60 * MINUTE;
      // One that is away does not shut out the users of the other.
      await authenticator.ready();
      expect(await outcomeOf(() => authenticator.authenticate(ec))).toBe('ok');
      expect(await outcomeOf(() => authenticator.authenticate(rsa()))).toBe('unavailable');
      await other.close();
      nowMs += 25 * 60 * MINUTE;
      expectRefusal(await failureOf(() => authenticator.ready()), 'unavailable');
    } finally {
      await other.close();
    }
  });

  test('moves its keys', async () => {
    const authenticator = authenticatorFor();
    await authenticator.ready();
    provider.document = { ...provider.document, jwks_uri: `${provider.issuer}/gone` };
    nowMs += 6 * MINUTE;
    expect(await outcomeOf(() => authenticator.authenticate(rsa()))).toBe('ok');
    expect(provider.asked.at(-1)).toBe('/realm/gone');
    expect(authenticator.keyStates()[0]).toMatchObject({
      stale: true,
      problem: expect.stringMatching(/404/) as string,
    });
  });
});

describe('a discovery document that is not taken', () => {
  test.each<readonly [name: string, changes: () => Record<string, unknown>, reason: RegExp]>([
    ['of another issuer', () => ({ issuer: 'https://evil.example' }), /of another issuer/],
    ['with a slash more', () => ({ issuer: `${provider.issuer}/` }), /of another issuer/],
    ['in other letters', () => ({ issuer: provider.issuer.toUpperCase() }), /of another issuer/],
    ['without issuer', () => ({ issuer: undefined }), /of another issuer/],
    ['of several', () => ({ issuer: [provider.issuer] }), /of another issuer/],
    ['without keys', () => ({ jwks_uri: undefined }), /no jwks_uri/],
    ['with a list of keys', () => ({ jwks_uri: [`${provider.issuer}/keys`] }), /no jwks_uri/],
    ['with half an address', () => ({ jwks_uri: '/realm/keys' }), /no jwks_uri/],
    ['with keys by http', () => ({ jwks_uri: 'http://keys.example/' }), /jwks_uri.*not https/],
    [
      'with keys on another port of this machine',
      () => ({ jwks_uri: 'http://127.0.0.1:1/keys' }),
      /jwks_uri.*not https/,
    ],
    ['with keys on this machine', () => ({ jwks_uri: 'https://127.0.0.1:1/keys' }), /jwks_uri.*not public/],
    ['with keys on localhost', () => ({ jwks_uri: 'https://localhost:1/keys' }), /not public/],
    ['with keys of the cloud', () => ({ jwks_uri: 'http://169.254.169.254/keys' }), /jwks_uri.*not https/],
    ['with keys in a file', () => ({ jwks_uri: 'file:///etc/passwd' }), /jwks_uri.*not https/],
  ])('%s', async (_name, changes, reason) => {
    provider.document = { ...provider.document, ...changes() };
    const authenticator = authenticatorFor();
    const refusal = expectRefusal(await failureOf(() => authenticator.authenticate(rsa())), 'unavailable');
    expect(refusal.message).toMatch(reason);
    expect(provider.asked).toEqual(['/realm/.well-known/openid-configuration']);
    expect(authenticator.keyStates()).toMatchObject([{ keyId: null, problem: refusal.message, fetchedAt: null }]);
  });

  test.each<readonly [name: string, answer: NonNullable<Provider['answer']>]>([
    ['not there', (response) => void response.writeHead(404).end()],
    ['somewhere else', (response) => void response.writeHead(302, { location: '/realm/keys' }).end()],
    ['with a key twice', (response) => void response.end(`{"issuer":"x","issuer":${JSON.stringify(provider.issuer)}}`)],
    ['too large', (response) => json({ ...provider.document, filler: 'x'.repeat(101 * 1024) })(response)],
  ])('%s', async (_name, answer) => {
    provider.answer = answer;
    expect(await outcomeOf(() => authenticatorFor().authenticate(rsa()))).toBe('unavailable');
    expect(provider.asked).toHaveLength(1);
  });
});

describe('settings', () => {
  test.each([
    ['http', 'http://idp.example', /not https/],
    ['a private address', 'https://10.0.0.1', /not public/],
    ['no address', 'dev-idp', /not a URL/],
    ['a query', 'https://idp.example/?x=1', /"\?" or "#"/],
    ['a password', 'https://u:p@idp.example', /password/],
  ])('%s stops the start', async (_name, issuer, reason) => {
    const failure = await failureOf(() => authenticatorFor({ oidcIssuers: [issuer] }).ready());
    expect(expectRefusal(failure, 'settings').message).toMatch(reason);
    expect(provider.asked).toEqual([]);
  });

  test('an unlisted host is told how to list it', async () => {
    const failure = await failureOf(() => authenticatorFor({ jwtPrivateHosts: [] }).ready());
    expect(expectRefusal(failure, 'settings').fix).toContain(`RUNBOOK_JWT_PRIVATE_HOSTS=${provider.host}`);
  });

  test('the same issuer twice stops the start', async () => {
    const twice = authenticatorFor({ oidcIssuers: [provider.issuer, provider.issuer] });
    expect(expectRefusal(await failureOf(() => twice.ready()), 'settings').message).toMatch(/twice/);
  });

  test('the file of issuers can say it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'runbook-oidc-'));
    try {
      const jwtIssuersFile = join(folder, 'issuers.yaml');
      const lines = `- issuer: ${provider.issuer}\n  audience: ${AUDIENCE}\n`;
      writeFileSync(jwtIssuersFile, `${lines}  oidc: true\n`);
      const authenticator = authenticatorFor({ oidcIssuers: [], jwtIssuersFile });
      expect((await authenticator.authenticate(rsa())).keyId).toBe('rsa');
      for (const [more, reason] of [
        ['  oidc: false\n', /:3: oidc is not true/],
        ['  oidc: true\n  jwks: https://a.example\n', /:1: there is not exactly one key/],
      ] as const) {
        writeFileSync(jwtIssuersFile, lines + more);
        const broken = {
          jwtIssuer: ISSUER,
          jwtAudience: AUDIENCE,
          jwtRolesClaim: 'roles',
          jwtSubjectClaim: 'sub',
          jwtIssuersFile,
        };
        expect(expectRefusal(await failureOf(() => trustedIssuers(broken)), 'settings').message).toMatch(reason);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
