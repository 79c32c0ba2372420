/** What an operator may have written and must not be trusted. */
import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { createJwtAuthenticator } from '../../../../src/adapters/authenticator/jwt.ts';
import type { TrustedIssuer } from '../../../../src/adapters/authenticator/trusted-issuer.ts';
import { expectRefusal, failureOf } from '../../../helpers/refusals.ts';
import { EC, NOW, OTHER_EC, OTHER_RSA, RSA, SECRET, pem, token, trustedIssuer } from '../../../helpers/tokens.ts';

const now = (): Date => NOW;
const key = (pair: typeof RSA): TrustedIssuer['key'] => ({ kind: 'public-key', pem: pem(pair.publicKey) });

const pemKey = (text: string): TrustedIssuer['key'] => ({ kind: 'public-key', pem: text });
const secretKey = (text: string): TrustedIssuer['key'] => ({ kind: 'secret', secret: Buffer.from(text) });

describe('settings that must not be', () => {
  const privatePem = OTHER_RSA.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const small = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey;
  const otherCurve = generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey;

  test.each<readonly [name: string, changes: Partial<TrustedIssuer>, reason: RegExp]>([
    ['no audience', { audience: [] }, /no audience/],
    ['no algorithm', { algorithms: [] }, /no algorithm/],
    ['none', { algorithms: ['none'] }, /algorithm none/],
    ['RS256 with a secret', { algorithms: ['HS256', 'RS256'] }, /algorithm RS256/],
    ['HS256 with a public key', { algorithms: ['RS256', 'HS256'], key: key(RSA) }, /algorithm HS256/],
    ['HS256 with a key set', { algorithms: ['HS256'], key: { kind: 'jwks-url', url: 'https://a.example' } }, /HS256/],
    ['ES256 with an RSA key', { algorithms: ['ES256'], key: key(RSA) }, /ES256/],
    ['ES384 with a P-256 key', { algorithms: ['ES384'], key: key(EC) }, /ES384/],
    ['an RSA key of 1024 bits', { algorithms: ['RS256'], key: pemKey(pem(small)) }, /RS256/],
    ['a curve that no algorithm has', { algorithms: ['ES256'], key: pemKey(pem(otherCurve)) }, /ES256/],
    ['half a key', { algorithms: ['RS256'], key: pemKey(pem(RSA.publicKey).slice(0, 200)) }, /cannot be read/],
    ['a private key', { algorithms: ['RS256'], key: pemKey(privatePem) }, /private key/],
    ['a public key as secret', { key: secretKey(pem(OTHER_EC.publicKey)) }, /PEM key/],
    ['31 bytes', { key: secretKey('0123456789abcdef0123456789abcde') }, /shorter/],
    ['a word', { key: secretKey('secret') }, /placeholder/],
    ["Stage0's default", { key: secretKey('dev-secret-change-me') }, /placeholder/],
    ['the same, longer', { key: secretKey('dev-secret-change-me-dev-secret-change-me') }, /placeholder/],
    ['an example of a well-known page', { key: secretKey('a-string-secret-at-least-256-bits-long') }, /placeholder/],
    ['one letter', { key: secretKey('x'.repeat(64)) }, /repeats/],
    [
      'http to another machine',
      { algorithms: ['RS256'], key: { kind: 'jwks-url', url: 'http://a.example/k' } },
      /https/,
    ],
    [
      'a password in an address',
      { algorithms: ['RS256'], key: { kind: 'jwks-url', url: 'https://u:p@a.example' } },
      /password/,
    ],
    ['a file address', { algorithms: ['RS256'], key: { kind: 'jwks-url', url: 'file:///etc/passwd' } }, /https/],
    ['no address', { algorithms: ['RS256'], key: { kind: 'jwks-url', url: 'https://' } }, /not a URL/],
  ])('%s', async (_name, changes, reason) => {
    const failure = await failureOf(() => createJwtAuthenticator([trustedIssuer(changes)], { now }));
    expect(expectRefusal(failure, 'settings').message).toMatch(reason);
  });

  test('an issuer twice', async () => {
    const failure = await failureOf(() => createJwtAuthenticator([trustedIssuer(), trustedIssuer()], { now }));
    expect(expectRefusal(failure, 'settings').message).toMatch(/twice/);
  });

  test.each([3_600_000, -1, Number.NaN])('a clock tolerance of %d ms', async (clockToleranceMs) => {
    const failure = await failureOf(() => createJwtAuthenticator([trustedIssuer()], { now, clockToleranceMs }));
    expect(expectRefusal(failure, 'settings').message).toMatch(/tolerance/);
  });

  test('the secret is copied: who clears the buffer afterwards does not open the door', async () => {
    const secret = Buffer.from(SECRET);
    const authenticator = createJwtAuthenticator([trustedIssuer({ key: { kind: 'secret', secret }, own: true })], {
      now,
    });
    secret.fill(0);
    await expect(authenticator.authenticate(token('HS256', SECRET))).resolves.toHaveProperty('subject');
  });
});
