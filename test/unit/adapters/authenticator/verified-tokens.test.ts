/** A signature that held is not checked again; whether the token counts is asked each time. */
import { describe, expect, it } from 'vitest';
import { createJwtAuthenticator } from '../../../../src/adapters/authenticator/jwt.ts';
import type { JwtDependencies } from '../../../../src/adapters/authenticator/jwt.ts';
import { createRunTokens } from '../../../../src/adapters/authenticator/run-token.ts';
import type { IssuerKey } from '../../../../src/adapters/authenticator/trusted-issuer.ts';
import { createVerifiedTokens } from '../../../../src/adapters/authenticator/verified-tokens.ts';
import { withRunTokens } from '../../../../src/app/authentication.ts';
import { expectRefusal, failureOf } from '../../../helpers/refusals.ts';
import { json, startKeyServer } from '../../../helpers/key-server.ts';
import { EC, jwk, NOW, NOW_S, OTHER_EC, RSA, SECRET, pem, token, trustedIssuer } from '../../../helpers/tokens.ts';

const NEXT = Buffer.from('c07a56f1d2c9a46f1d2c9a4b8e7053fa61d2e8b94b8e7053fa61d2e8b94c07a5');

/** One whose clock can be moved. */
function make(key: IssuerKey, algorithms: readonly string[], more: Partial<JwtDependencies> = {}) {
  const clock = { seconds: 0 };
  const now = (): Date => new Date(NOW.getTime() + clock.seconds * 1000);
  const issuer = trustedIssuer({ key, algorithms, own: true });
  return { clock, now, issuer, jwt: createJwtAuthenticator([issuer], { now, ...more }) };
}

describe('what is remembered', () => {
  it('is known only after it was verified, and only as it was written', async () => {
    const { jwt } = make({ kind: 'public-key', pem: pem(RSA.publicKey) }, ['RS256']);
    const made = token('RS256', RSA.privateKey);
    expect(await jwt.recall(made)).toBeNull();
    const identity = await jwt.authenticate(made);
    expect(await jwt.recall(made)).toEqual(identity);
    expect(await jwt.authenticate(made)).toEqual(identity);
    for (const other of [
      made.slice(0, -1),
      `${made}A`,
      made.replace('.', '..'),
      token('RS256', RSA.privateKey, { a: 1 }),
    ])
      expect(await jwt.recall(other)).toBeNull();
    // Each use of a key counts, also one without a check of the signature.
    expect(jwt.states()).toMatchObject([{ uses: 3 }]);
  });

  it('is nothing that was refused', async () => {
    const { jwt } = make({ kind: 'secret', secret: SECRET }, ['HS256']);
    for (const made of [token('HS256', NEXT), token('HS256', SECRET, { exp: NOW_S - 1 }), 'a.b.c']) {
      await failureOf(async () => await jwt.authenticate(made));
      expect(await jwt.recall(made)).toBeNull();
    }
  });

  it('ends with the token, begins not before it, and ages', async () => {
    const { jwt, clock } = make({ kind: 'secret', secret: SECRET }, ['HS256'], { maxAgeMs: 100_000 });
    const short = token('HS256', SECRET, { exp: NOW_S + 10 });
    const long = token('HS256', SECRET, { nbf: NOW_S, iat: NOW_S });
    for (const made of [short, long]) await jwt.authenticate(made);
    for (const [seconds, made, reason] of [
      [9, short, null],
      [10, short, 'expired'],
      [100, long, null],
      [101, long, 'old iat'],
    ] as const) {
      clock.seconds = seconds;
      expect([seconds, (await jwt.recall(made)) === null]).toEqual([seconds, reason !== null]);
      const failure = await failureOf(async () => await jwt.authenticate(made));
      if (reason === null) expect(failure).toBeNull();
      else expect(expectRefusal(failure, 'unauthenticated').reason).toBe(reason);
    }
    // A clock that goes back does not make it come before its time.
    const { jwt: other, clock: back } = make({ kind: 'secret', secret: SECRET }, ['HS256']);
    await other.authenticate(long);
    back.seconds = -1;
    expect(await other.recall(long)).toBeNull();
  });

  it('ends when its key is retired, and when others take the place of all', async () => {
    const retired = { kid: 'a', algorithm: 'HS256', notBefore: null, retireAt: new Date(NOW.getTime() + 5000) };
    const listed = make({ kind: 'listed', keys: [{ ...retired, key: { kind: 'secret', secret: SECRET } }] }, ['HS256']);
    const made = token('HS256', SECRET, {}, { kid: 'a' });
    await listed.jwt.authenticate(made);
    listed.clock.seconds = 5;
    expect(await listed.jwt.recall(made)).toBeNull();

    const { jwt, issuer } = make({ kind: 'secret', secret: SECRET }, ['HS256']);
    const plain = token('HS256', SECRET);
    await jwt.authenticate(plain);
    await jwt.replace([{ ...issuer, key: { kind: 'secret', secret: NEXT } }]);
    expect(await jwt.recall(plain)).toBeNull();
    expectRefusal(await failureOf(async () => await jwt.authenticate(plain)), 'unauthenticated');
    // The same key, and other people who are meant.
    await jwt.replace([{ ...issuer, audience: ['others'] }]);
    expectRefusal(await failureOf(async () => await jwt.authenticate(plain)), 'unauthenticated');
  });

  it('ends when a key set has another key, or could not be fetched for too long', async () => {
    const keys = (key: typeof EC.publicKey) => json({ keys: [jwk(key, { kid: 'k' })] });
    const server = await startKeyServer(keys(EC.publicKey));
    try {
      const network = { staleMs: 3_600_000 };
      const { jwt, clock } = make({ kind: 'jwks-url', url: server.url }, ['ES256'], { network });
      const made = token('ES256', EC.privateKey, { exp: NOW_S + 100_000 }, { kid: 'k' });
      await jwt.authenticate(made);
      expect(await jwt.recall(made)).not.toBeNull();
      server.answer = (response) => response.writeHead(500).end();
      clock.seconds = 3600;
      expect(await jwt.recall(made)).not.toBeNull();
      clock.seconds = 3601;
      expect(await jwt.recall(made)).toBeNull();
      server.answer = keys(OTHER_EC.publicKey);
      clock.seconds = 4000;
      expectRefusal(await failureOf(async () => await jwt.authenticate(made)), 'unauthenticated');
    } finally {
      await server.close();
    }
  });

  it('is bounded by number and by length; what was used last stays', () => {
    const { issuer } = make({ kind: 'secret', secret: SECRET }, ['HS256']);
    const key = { name: 'k', key: SECRET, algorithms: ['HS256'], isSecret: true, print: 'p' };
    const form = { header: { alg: 'HS256', typ: null, kid: null }, issuer: null };
    const tokens = createVerifiedTokens(10, 1000);
    const add = (text: string): void => {
      tokens.add(text, { form, issuer, key, claims: {} });
    };
    for (let n = 0; n < 10; n += 1) add(`token ${n}`);
    expect(tokens.claimsOf('token 0', issuer, [key])).toEqual({ key, claims: {} });
    add('token 10');
    expect(['token 0', 'token 1', 'token 2'].map((text) => tokens.formOf(text) !== null)).toEqual([true, false, true]);
    add('x'.repeat(990));
    expect(tokens.formOf('token 10')).not.toBeNull();
    expect(tokens.formOf('token 9')).toBeNull();
    add('y'.repeat(2000));
    expect(tokens.formOf('token 10')).toBeNull();
    add('small');
    expect(tokens.formOf('small')).not.toBeNull();
  });
});

it('a run’s own token is known as long as the run goes on, and not a moment longer', async () => {
  const { jwt, now, clock } = make({ kind: 'secret', secret: SECRET }, ['HS256']);
  const runTokens = createRunTokens({ now });
  const all = withRunTokens(jwt, runTokens);
  const identity = await jwt.authenticate(token('HS256', SECRET));
  const issue = async (runId: string): Promise<string> =>
    await runTokens.issue({ runId, identity, callChain: ['A.md'], expiresAt: new Date(NOW.getTime() + 60_000) });
  const [one, two] = [await issue('1'), await issue('2')];
  for (const made of [one, two]) expect((await all.recall(made))?.run).toMatchObject({ callChain: ['A.md'] });
  await all.authenticate(one);
  runTokens.revoke('1');
  expect(await all.recall(one)).toBeNull();
  expectRefusal(await failureOf(async () => await all.authenticate(one)), 'unauthenticated');
  expect(await all.recall(two)).not.toBeNull();
  clock.seconds = 60;
  expect(await all.recall(two)).toBeNull();
  expectRefusal(await failureOf(async () => await all.authenticate(two)), 'unauthenticated');
});
