import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { trustedIssuers } from '../../../../src/adapters/authenticator/issuers.ts';
import type { AuthSettings } from '../../../../src/adapters/authenticator/issuers.ts';
import { createJwtAuthenticator } from '../../../../src/adapters/authenticator/jwt.ts';
import { expectRefusal, failureOf } from '../../../helpers/refusals.ts';
import { EC, ED, NOW, RSA, SECRET, jwk, pem, token } from '../../../helpers/tokens.ts';

const folder = mkdtempSync(join(tmpdir(), 'runbook-issuers-'));
const file = (name: string): string => join(folder, name);

const settings: AuthSettings = {
  jwtIssuer: 'dev-idp',
  jwtAudience: 'dev-api',
  jwtRolesClaim: 'roles',
  jwtSubjectClaim: 'sub',
};
const secret = SECRET.toString();

beforeAll(() => {
  writeFileSync(file('rsa.pem'), pem(RSA.publicKey));
  writeFileSync(file('ec.pem'), pem(EC.publicKey));
  writeFileSync(file('ed.pem'), pem(ED.publicKey));
  writeFileSync(file('private.pem'), RSA.privateKey.export({ type: 'pkcs8', format: 'pem' }));
  writeFileSync(file('keys.json'), JSON.stringify({ keys: [jwk(RSA.publicKey)] }));
  writeFileSync(file('secret'), `${secret}\n`);
  writeFileSync(file('short'), 'short\n');
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('the default issuer', () => {
  test('there is none without a key', () => {
    expect(trustedIssuers(settings)).toEqual([]);
  });

  test('a secret makes it our own', () => {
    expect(trustedIssuers({ ...settings, jwtSecret: secret, jwtAudience: 'a, b,c' })).toEqual([
      {
        issuer: 'dev-idp',
        audience: ['a', 'b', 'c'],
        algorithms: ['HS256'],
        key: { kind: 'secret', secret: SECRET },
        rolesClaim: 'roles',
        subjectClaim: 'sub',
        own: true,
      },
    ]);
  });

  test.each([
    ['rsa.pem', undefined, ['RS256']],
    ['ec.pem', undefined, ['ES256']],
    ['ed.pem', undefined, ['EdDSA']],
    ['rsa.pem', 'PS256, RS512', ['PS256', 'RS512']],
  ])('public key %s, algorithm %s', (name, jwtAlgorithm, algorithms) => {
    const [issuer] = trustedIssuers({ ...settings, jwtPublicKeyFile: file(name), jwtAlgorithm });
    expect(issuer).toMatchObject({ algorithms, own: false, key: { kind: 'public-key' } });
  });

  test('a key set is a file or an address', () => {
    const [fromFile] = trustedIssuers({ ...settings, jwtJwks: file('keys.json') });
    expect(fromFile).toMatchObject({ own: false, key: { kind: 'jwks-file', path: file('keys.json') } });
    const [fromUrl] = trustedIssuers({ ...settings, jwtJwks: 'https://idp.example/keys' });
    expect(fromUrl).toMatchObject({ own: false, key: { kind: 'jwks-url', url: 'https://idp.example/keys' } });
  });

  test.each<readonly [name: string, changes: Partial<AuthSettings>, reason: RegExp]>([
    ['two keys', { jwtSecret: secret, jwtJwks: 'https://idp.example/keys' }, /More than one/],
    ['a short secret', { jwtSecret: 'short' }, /RUNBOOK_JWT_SECRET .* shorter/],
    ['an empty secret', { jwtSecret: '' }, /shorter/],
    ["Stage0's default secret", { jwtSecret: 'dev-secret-change-me' }, /placeholder/],
    ['no public key there', { jwtPublicKeyFile: '/nonexistent.pem' }, /cannot be read/],
    ['an empty path', { jwtPublicKeyFile: '' }, /cannot be read/],
    ['a private key', { jwtPublicKeyFile: file('private.pem') }, /private key/],
    ['no key set there', { jwtJwks: '/nonexistent.json' }, /no key set/],
    ['no issuer', { jwtSecret: secret, jwtIssuer: ' ' }, /RUNBOOK_JWT_ISSUER is empty/],
    ['no audience', { jwtSecret: secret, jwtAudience: '' }, /RUNBOOK_JWT_AUDIENCE is empty/],
    ['no audience but a comma', { jwtSecret: secret, jwtAudience: ',' }, /no audience/],
    ['an algorithm of another kind', { jwtSecret: secret, jwtAlgorithm: 'RS256' }, /RS256/],
    ['no algorithm', { jwtSecret: secret, jwtAlgorithm: '' }, /no algorithm/],
  ])('%s stops the start', async (_name, changes, reason) => {
    const failure = await failureOf(() =>
      createJwtAuthenticator(trustedIssuers({ ...settings, ...changes }), { now: () => NOW }),
    );
    expect(expectRefusal(failure, 'settings').message).toMatch(reason);
  });
});

function written(text: string): AuthSettings {
  writeFileSync(file('issuers.yaml'), text);
  return { ...settings, jwtIssuersFile: file('issuers.yaml') };
}

describe('a file of issuers', () => {
  test('adds issuers; paths are relative to it', async () => {
    const all = trustedIssuers({
      ...written(`# who may come
- issuer: https://a.example
  audience: rb
  public_key_file: rsa.pem
  roles_claim: realm_access.roles
- issuer: https://b.example
  audience: [rb, "x, y"]
  algorithms: [ES256, EdDSA]
  jwks: keys.json
  subject_claim: email
- issuer: 42
  audience: rb, x
  secret_file: ./secret
- issuer: https://c.example
  audience: rb
  jwks: https://c.example/keys
`),
      jwtSecret: 'b8e7053fa61d2e8b94c07a56f1d2c9a4',
    });
    expect(all).toMatchObject([
      { issuer: 'dev-idp', own: true },
      {
        issuer: 'https://a.example',
        audience: ['rb'],
        algorithms: ['RS256'],
        rolesClaim: 'realm_access.roles',
        own: false,
      },
      {
        audience: ['rb', 'x, y'],
        algorithms: ['ES256', 'EdDSA'],
        key: { path: file('keys.json') },
        subjectClaim: 'email',
      },
      { issuer: '42', audience: ['rb', 'x'], algorithms: ['HS256'], key: { secret: SECRET }, own: false },
      { key: { kind: 'jwks-url', url: 'https://c.example/keys' }, rolesClaim: 'roles', subjectClaim: 'sub' },
    ]);
    const authenticator = createJwtAuthenticator(all, { now: () => NOW });
    const made = token('RS256', RSA.privateKey, {
      iss: 'https://a.example',
      aud: 'rb',
      realm_access: { roles: ['sre'] },
    });
    await expect(authenticator.authenticate(made)).resolves.toMatchObject({ roles: ['sre'] });
  });

  const GOOD = '- issuer: a\n  audience: b\n';
  test.each([
    ['an unknown key', `${GOOD}  jwks: https://a.example\n  role_claim: x\n`, 4, /unknown key/],
    ['a key twice', `${GOOD}  audience: c\n  jwks: https://a.example\n`, 3, /not YAML/],
    ['two kinds of key', `${GOOD}  jwks: https://a.example\n  secret_file: secret\n`, 1, /exactly one key/],
    ['no key', GOOD, 1, /exactly one key/],
    ['no issuer', '- audience: b\n  jwks: https://a.example\n', 1, /issuer is missing/],
    ['no audience', '\n- issuer: b\n  jwks: https://a.example\n', 2, /audience is missing/],
    ['an empty audience', '- issuer: b\n  audience: []\n  jwks: https://a.example\n', 2, /audience is not text/],
    ['an empty issuer', '- issuer:\n  audience: b\n  jwks: https://a.example\n', 1, /issuer is not text/],
    ['two issuers in one', '- issuer: [a, b]\n  audience: b\n  jwks: https://a.example\n', 1, /issuer is not one text/],
    ['an alias', `- issuer: &a a\n  audience: *a\n  jwks: https://a.example\n`, 2, /audience is not text/],
    ['a mapping for a text', `${GOOD}  jwks: { a: b }\n`, 3, /jwks is not text/],
    ['a mapping at the top', 'issuer: a\naudience: b\n', 1, /no list/],
    ['nothing', '', 1, /no list/],
    ['an empty list', '[]', 1, /no list/],
    ['a text in the list', '- a\n', 1, /not a mapping/],
    ['two documents', `${GOOD}  jwks: https://a.example\n---\n[]\n`, 4, /not YAML/],
    ['a weak secret', `${GOOD}  secret_file: short\n`, 1, /shorter/],
    ['a private key', `${GOOD}  public_key_file: private.pem\n`, 1, /private key/],
    ['a missing file', `${GOOD}  public_key_file: gone.pem\n`, 1, /cannot be read/],
  ])('%s is told with file and line', async (_name, text, line, reason) => {
    const refusal = expectRefusal(await failureOf(() => trustedIssuers(written(text))), 'settings');
    expect(refusal.message).toMatch(reason);
    expect(refusal.message).toContain(`${file('issuers.yaml')}:${line}: `);
  });

  test('the default issuer cannot be in it as well', async () => {
    const twice = { ...written('- issuer: dev-idp\n  audience: b\n  jwks: https://a.example\n'), jwtSecret: secret };
    const failure = await failureOf(() => createJwtAuthenticator(trustedIssuers(twice), { now: () => NOW }));
    expect(expectRefusal(failure, 'settings').message).toMatch(/twice/);
  });

  test('no file there', async () => {
    const failure = await failureOf(() => trustedIssuers({ ...settings, jwtIssuersFile: '/nonexistent.yaml' }));
    expect(expectRefusal(failure, 'settings').message).toMatch(/cannot be read/);
  });
});
