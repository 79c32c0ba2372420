import { describe, expect, test } from 'vitest';
import { createJwtAuthenticator } from '../../../../src/adapters/authenticator/jwt.ts';
import type { TrustedIssuer } from '../../../../src/adapters/authenticator/trusted-issuer.ts';
import { expectRefusal, failureOf } from '../../../helpers/refusals.ts';
import { AUDIENCE, EC, MARKER, NOW, NOW_S, RSA, SECRET, pem, token, trustedIssuer } from '../../../helpers/tokens.ts';

const now = (): Date => NOW;
const key = (pair: typeof RSA): TrustedIssuer['key'] => ({ kind: 'public-key', pem: pem(pair.publicKey) });

describe('who the token is for', () => {
  test('an identity says everything that the record keeps', async () => {
    const authenticator = createJwtAuthenticator([trustedIssuer()], { now });
    const made = token('HS256', SECRET, { jti: 'j-1', roles: ['sre', 'dba'] }, { kid: 'k-1' });
    expect(await authenticator.authenticate(made)).toMatchObject({
      subject: 'alice',
      roles: ['sre', 'dba'],
      issuer: 'dev-idp',
      keyId: 'current',
      tokenId: 'j-1',
      expiresAt: new Date((NOW_S + 3600) * 1000),
      selfMade: false,
    });
  });

  test('another claim can name the subject; sub is still required', async () => {
    const authenticator = createJwtAuthenticator([trustedIssuer({ subjectClaim: 'email', own: true })], { now });
    const made = token('HS256', SECRET, { email: 'alice@example.org' });
    expect((await authenticator.authenticate(made)).subject).toBe('alice@example.org');
    for (const claims of [
      {},
      { email: 'a\u0000b' },
      { email: 'alice@example.org', sub: undefined },
      { email: 'alice@example.org', sub: 42 },
    ]) {
      const failure = await failureOf(() => authenticator.authenticate(token('HS256', SECRET, claims)));
      expect(expectRefusal(failure, 'unauthenticated').message).toMatch(/"(?:email|sub)"/);
    }
  });
});

async function rolesOf(rolesClaim: string, claims: Record<string, unknown>): Promise<readonly [unknown, unknown]> {
  const authenticator = createJwtAuthenticator([trustedIssuer({ rolesClaim, own: true })], { now });
  const identity = await authenticator.authenticate(token('HS256', SECRET, claims));
  return [identity.roles, identity.claims['roles']];
}

describe('roles', () => {
  test.each([
    ['a list', 'roles', { roles: ['a', 'b'] }, ['a', 'b'], ['a', 'b']],
    ['one text', 'roles', { roles: 'a' }, ['a'], 'a'],
    ['one text with a comma is one role', 'roles', { roles: 'guest, admin' }, ['guest, admin'], 'guest, admin'],
    ['nothing', 'roles', { roles: undefined }, [], undefined],
    ['a path', 'realm_access.roles', { realm_access: { roles: ['a'] } }, ['a'], ['a']],
    ['a name with dots', 'https://acme.example/roles', { 'https://acme.example/roles': ['a'] }, ['a'], ['a']],
    ['the whole name first', 'a.b', { 'a.b': 'x', a: { b: 'y' } }, ['x'], 'x'],
    ['not the claim that is called roles', 'groups', { groups: ['a'], roles: ['admin'] }, ['a'], ['a']],
    ['not even where the right one is missing', 'groups', { roles: ['admin'] }, [], undefined],
    ['nothing inherited', 'constructor.name', { roles: ['admin'] }, [], undefined],
    ['nothing inherited at the end', 'toString', { roles: ['admin'] }, [], undefined],
    ['nothing inherited below', 'a.toString', { a: {}, roles: ['admin'] }, [], undefined],
    ['nothing of a list', 'a.length', { a: ['x'], roles: ['admin'] }, [], undefined],
  ])('%s', async (_name, path, claims, roles, claim) => {
    expect(await rolesOf(path, claims)).toEqual([roles, claim]);
  });
});

describe('several issuers', () => {
  const issuers = [
    trustedIssuer(),
    trustedIssuer({ issuer: 'https://rsa.example', audience: ['rb'], algorithms: ['RS256'], key: key(RSA) }),
    trustedIssuer({ issuer: 'https://ec.example', audience: ['rb', 'x'], algorithms: ['ES256'], key: key(EC) }),
  ];
  const authenticator = createJwtAuthenticator(issuers, { now });

  test('each token meets the key of its own issuer', async () => {
    const made = [
      token('HS256', SECRET),
      token('RS256', RSA.privateKey, { iss: 'https://rsa.example', aud: 'rb' }),
      token('ES256', EC.privateKey, { iss: 'https://ec.example', aud: 'x' }),
    ];
    const identities = await Promise.all(made.map((text) => authenticator.authenticate(text)));
    expect(identities.map(({ issuer }) => issuer)).toEqual(issuers.map(({ issuer }) => issuer));
  });

  test.each([
    ['signed by another issuer of the list', token('RS256', RSA.privateKey, { iss: 'https://ec.example', aud: 'x' })],
    ['under the secret, in the name of another', token('HS256', SECRET, { iss: 'https://rsa.example', aud: 'rb' })],
    ['audience of another issuer', token('RS256', RSA.privateKey, { iss: 'https://rsa.example', aud: AUDIENCE })],
  ])('refuses %s', async (_name, made) => {
    const refusal = expectRefusal(await failureOf(() => authenticator.authenticate(made)), 'unauthenticated');
    expect(refusal.message).toMatch(/signed|audience/);
  });

  test('an unknown issuer is told which ones are known, without being quoted', async () => {
    const made = token('HS256', SECRET, { iss: 'https://evil.example' });
    const error = await failureOf(() => authenticator.authenticate(made));
    const refusal = expectRefusal(error, 'unauthenticated', ['evil.example', MARKER]);
    for (const { issuer } of issuers) expect(refusal.fix).toContain(JSON.stringify(issuer));
  });

  test('an issuer without a name is for tokens without one', async () => {
    const nameless = createJwtAuthenticator([trustedIssuer({ issuer: null, own: true })], { now });
    expect((await nameless.authenticate(token('HS256', SECRET, { iss: undefined }))).issuer).toBeNull();
    const refusal = expectRefusal(
      await failureOf(() => nameless.authenticate(token('HS256', SECRET))),
      'unauthenticated',
    );
    expect(refusal.message).toMatch(/issuer/);
  });

  test('without any issuer every token is refused, and the settings are named', async () => {
    const nobody = createJwtAuthenticator([], { now });
    const refusal = expectRefusal(
      await failureOf(() => nobody.authenticate(token('HS256', SECRET))),
      'unauthenticated',
    );
    expect(refusal.fix).toContain('RUNBOOK_JWT_SECRET');
  });
});

describe('made by this installation', () => {
  const made = { runbook_self_made: true };

  test('counts under the own secret only', async () => {
    const own = createJwtAuthenticator([trustedIssuer()], { now });
    expect((await own.authenticate(token('HS256', SECRET, made))).selfMade).toBe(true);
    const foreignSecret = createJwtAuthenticator([trustedIssuer({ own: false })], { now });
    expect((await foreignSecret.authenticate(token('HS256', SECRET, made))).selfMade).toBe(false);
    const foreignKey = createJwtAuthenticator([trustedIssuer({ algorithms: ['RS256'], key: key(RSA), own: true })], {
      now,
    });
    expect((await foreignKey.authenticate(token('RS256', RSA.privateKey, made))).selfMade).toBe(false);
  });

  test.each(['true', 1, [true], { a: true }])('%j is not true', async (value) => {
    const own = createJwtAuthenticator([trustedIssuer()], { now });
    expect((await own.authenticate(token('HS256', SECRET, { runbook_self_made: value }))).selfMade).toBe(false);
  });
});

describe('time', () => {
  test('is asked for anew with each token', async () => {
    let moment = NOW;
    const authenticator = createJwtAuthenticator([trustedIssuer()], { now: () => moment });
    const made = token('HS256', SECRET, { exp: NOW_S + 10 });
    await expect(authenticator.authenticate(made)).resolves.toHaveProperty('subject');
    moment = new Date(NOW.getTime() + 9_999);
    await expect(authenticator.authenticate(made)).resolves.toHaveProperty('subject');
    moment = new Date(NOW.getTime() + 10_000);
    const refusal = expectRefusal(await failureOf(() => authenticator.authenticate(made)), 'unauthenticated');
    expect(refusal.message).toBe('The token has expired.');
  });

  test('a fraction of a second is not rounded in favour of anybody', async () => {
    const authenticator = createJwtAuthenticator([trustedIssuer()], { now: () => new Date(NOW.getTime() + 900) });
    for (const claims of [{ exp: NOW_S + 0.5 }, { nbf: NOW_S + 0.95 }, { iat: NOW_S + 0.95 }]) {
      const failure = await failureOf(() => authenticator.authenticate(token('HS256', SECRET, claims)));
      expect(expectRefusal(failure, 'unauthenticated').message).toMatch(/expired|not valid yet/);
    }
  });

  test('a tolerance widens both ends, by exactly that much', async () => {
    const authenticator = createJwtAuthenticator([trustedIssuer()], { now, clockToleranceMs: 30_000 });
    const outcomes = [
      { exp: NOW_S - 29 },
      { iat: NOW_S + 30 },
      { nbf: NOW_S + 30 },
      { exp: NOW_S - 30 },
      { iat: NOW_S + 31 },
      { nbf: NOW_S + 31 },
    ].map(
      async (claims) => (await failureOf(() => authenticator.authenticate(token('HS256', SECRET, claims)))) === null,
    );
    expect(await Promise.all(outcomes)).toEqual([true, true, true, false, false, false]);
  });
});

test('a token that is too long is refused before clock, key and cryptography are touched', async () => {
  let asked = 0;
  const issuer = trustedIssuer({ algorithms: ['RS256'], key: { kind: 'jwks-file', path: '/nonexistent/keys.json' } });
  const authenticator = createJwtAuthenticator([issuer], {
    now: () => {
      asked++;
      return NOW;
    },
  });
  const long = token('HS256', SECRET, { filler: 'x'.repeat(8 * 1024 * 1024) }, { alg: 'RS256' });
  const refusal = expectRefusal(await failureOf(() => authenticator.authenticate(long)), 'unauthenticated');
  expect(refusal.message).toMatch(/longer than/);
  expect(asked).toBe(0);
});
