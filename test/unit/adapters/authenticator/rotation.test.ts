/** Which key decides about a token while keys change. */
import { describe, expect, test } from 'vitest';
import { createJwtAuthenticator } from '../../../../src/adapters/authenticator/jwt.ts';
import type { IssuerKey, ListedKey } from '../../../../src/adapters/authenticator/trusted-issuer.ts';
import type { Authenticator } from '../../../../src/core/ports.ts';
import { expectRefusal, failureOf } from '../../../helpers/refusals.ts';
import { EC, NOW, NOW_S, RSA, SECRET, pem, token, trustedIssuer } from '../../../helpers/tokens.ts';

const OLD = Buffer.from('b8e7053fa61d2e8b94c07a56f1d2c9a46f1d2c9a4b8e7053fa61d2e8b94c07a5');
const THIRD = Buffer.from('c07a56f1d2c9a46f1d2c9a4b8e7053fa61d2e8b94b8e7053fa61d2e8b94c07a5');

const authenticatorWith = (key: IssuerKey, algorithms: readonly string[], now: () => Date = () => NOW): Authenticator =>
  createJwtAuthenticator([trustedIssuer({ key, algorithms, own: true })], { now });

async function reasonOf(authenticator: Authenticator, made: string): Promise<string> {
  const error = await failureOf(() => authenticator.authenticate(made));
  return expectRefusal(error, 'unauthenticated', made.split('.')).message;
}

describe('a secret and the one before it', () => {
  const authenticator = authenticatorWith({ kind: 'secret', secret: SECRET, previous: OLD }, ['HS256', 'HS512']);

  test.each([
    ['HS256', SECRET, 'current'],
    ['HS256', OLD, 'previous'],
    ['HS512', SECRET, 'current'],
    ['HS512', OLD, 'previous'],
  ] as const)('%s under either: the identity says which', async (alg, secret, keyId) => {
    expect((await authenticator.authenticate(token(alg, secret))).keyId).toBe(keyId);
    for (const kid of ['current', 'previous', 'other'])
      expect((await authenticator.authenticate(token(alg, secret, {}, { kid }))).keyId).toBe(keyId);
  });

  test('a third one is neither', async () => {
    expect(await reasonOf(authenticator, token('HS256', THIRD))).toMatch(/signature does not hold/);
  });

  /** Whoever went on to the next key would say that the signature does not hold, as it does not under that one. */
  test.each<readonly [name: string, claims: Record<string, unknown>, header: Record<string, unknown>, reason: RegExp]>([
    ['expired', { exp: NOW_S - 1 }, {}, /^The token has expired\.$/],
    ['without an end', { exp: undefined }, {}, /lacks "exp"/],
    ['for others', { aud: 'other' }, {}, /another audience/],
    ['not valid yet', { nbf: NOW_S + 1 }, {}, /not valid yet/],
    ['from the future', { iat: NOW_S + 60 }, {}, /not valid yet/],
    ['of nobody', { sub: undefined }, {}, /lacks "sub"/],
    ['with odd roles', { roles: 1 }, {}, /roles/],
    ['of another type', {}, { typ: 'runbook-run+jwt' }, /not made for signing in/],
  ])('%s under one key: the other one is not asked', async (_name, claims, header, reason) => {
    for (const secret of [SECRET, OLD])
      expect(await reasonOf(authenticator, token('HS256', secret, claims, header))).toMatch(reason);
  });

  test('either makes a token our own', async () => {
    const made = await authenticator.authenticate(token('HS256', OLD, { runbook_self_made: true }));
    expect(made).toMatchObject({ selfMade: true, keyId: 'previous' });
  });
});

const at = (seconds: number): Date => new Date(NOW.getTime() + seconds * 1000);
const listed = (kid: string, secret: Uint8Array, changes: Partial<ListedKey> = {}): ListedKey => ({
  kid,
  algorithm: 'HS256',
  key: { kind: 'secret', secret },
  notBefore: null,
  retireAt: null,
  ...changes,
});
const ofList = (keys: readonly ListedKey[], now?: () => Date): Authenticator =>
  authenticatorWith({ kind: 'listed', keys }, [...new Set(keys.map(({ algorithm }) => algorithm))], now);

describe('keys with ids', () => {
  const keys = [
    listed('new', SECRET),
    listed('old', OLD),
    listed('rsa', SECRET, { algorithm: 'RS256', key: { kind: 'public-key', pem: pem(RSA.publicKey) } }),
    listed('ec', SECRET, { algorithm: 'ES256', key: { kind: 'public-key', pem: pem(EC.publicKey) } }),
    listed('long', THIRD, { algorithm: 'HS512' }),
  ];
  const authenticator = ofList(keys);
  const good = [
    ['HS256', SECRET, 'new'],
    ['HS256', OLD, 'old'],
    ['RS256', RSA.privateKey, 'rsa'],
    ['ES256', EC.privateKey, 'ec'],
    ['HS512', THIRD, 'long'],
  ] as const;

  test.each(good)('%s, named or not: its own key', async (alg, key, kid) => {
    expect((await authenticator.authenticate(token(alg, key, {}, { kid }))).keyId).toBe(kid);
    expect((await authenticator.authenticate(token(alg, key))).keyId).toBe(kid);
  });

  test('a token that names another key is refused, whoever signed it', async () => {
    let refused = 0;
    for (const [alg, key, own] of good) {
      for (const kid of ['new', 'old', 'rsa', 'ec', 'long', 'gone', 'current', '__proto__', '../../dev/null']) {
        if (kid === own) continue;
        expect(await reasonOf(authenticator, token(alg, key, {}, { kid }))).toMatch(
          /no key here with the id|not signed as its key signs|signature does not hold/,
        );
        refused++;
      }
    }
    expect(refused).toBe(40);
  });

  test('a key verifies its own algorithm only', async () => {
    expect(await reasonOf(authenticator, token('HS512', SECRET))).toMatch(/signature/);
    expect(await reasonOf(authenticator, token('HS512', SECRET, {}, { kid: 'new' }))).toMatch(/not signed as its key/);
    const published = Buffer.from(pem(RSA.publicKey));
    for (const header of [{}, { kid: 'rsa' }, { kid: 'new' }])
      expect(await reasonOf(authenticator, token('HS256', published, {}, header))).toMatch(/signature|not signed as/);
  });

  test('only tokens under a secret are self-made', async () => {
    const made = { runbook_self_made: true };
    expect((await authenticator.authenticate(token('HS256', OLD, made))).selfMade).toBe(true);
    expect((await authenticator.authenticate(token('RS256', RSA.privateKey, made))).selfMade).toBe(false);
  });
});

describe('the times of a key', () => {
  let nowMs = NOW.getTime();
  const authenticator = ofList(
    [listed('new', SECRET, { notBefore: at(60) }), listed('old', OLD, { retireAt: at(600) })],
    () => new Date(nowMs),
  );
  const moments = [
    [0, 'no', 'ok'],
    [59_999, 'no', 'ok'],
    [60_000, 'ok', 'ok'],
    [599_999, 'ok', 'ok'],
    [600_000, 'ok', 'no'],
  ] as const;

  test.each(moments)('after %d ms: new %s, old %s', async (passed, forNew, forOld) => {
    nowMs = NOW.getTime() + passed;
    for (const [secret, kid, expected] of [
      [SECRET, 'new', forNew],
      [OLD, 'old', forOld],
    ] as const) {
      for (const header of [{}, { kid }]) {
        const made = token('HS256', secret, {}, header);
        if (expected === 'ok') expect((await authenticator.authenticate(made)).keyId).toBe(kid);
        else expect(await reasonOf(authenticator, made)).toMatch(/retired|does not count yet|signature does not hold/);
      }
    }
  });

  test('where none counts it is said', async () => {
    const nobody = ofList([listed('old', OLD, { retireAt: NOW })]);
    expect(await reasonOf(nobody, token('HS256', OLD))).toMatch(/No key that counts now/);
    expect(await reasonOf(nobody, token('HS256', OLD, {}, { kid: 'old' }))).toMatch(/has been retired/);
  });
});
