import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createJwtAuthenticator } from '../../../../src/adapters/authenticator/jwt.ts';
import { MAX_MINTED_TTL_MS, mintToken } from '../../../../src/adapters/authenticator/mint.ts';
import type { MintRequest } from '../../../../src/adapters/authenticator/mint.ts';
import { expectRefusal, failureOf } from '../../../helpers/refusals.ts';
import { AUDIENCE, ISSUER, NOW, SECRET, trustedIssuer } from '../../../helpers/tokens.ts';
import { times } from '../../../helpers/property.ts';

const RUNS = times(200, 5000);

const request: MintRequest = {
  secret: SECRET,
  issuer: ISSUER,
  audience: AUDIENCE,
  subject: 'alice',
  roles: ['sre'],
  claims: { team: 'core' },
  ttlMs: 60_000,
  now: NOW,
};
const authenticator = createJwtAuthenticator([trustedIssuer()], { now: () => NOW });

describe('a minted token', () => {
  test('is what the authenticator expects', async () => {
    const made = await mintToken(request);
    expect(await authenticator.authenticate(made)).toMatchObject({
      subject: 'alice',
      roles: ['sre'],
      claims: { team: 'core' },
      expiresAt: new Date(NOW.getTime() + 60_000),
      selfMade: true,
      tokenId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    const [header = ''] = made.split('.');
    expect(JSON.parse(Buffer.from(header, 'base64url').toString())).toEqual({ alg: 'HS256', typ: 'JWT' });
  });

  test('has an id of its own', async () => {
    const ids = await Promise.all(
      Array.from({ length: 20 }, async () => (await authenticator.authenticate(await mintToken(request))).tokenId),
    );
    expect(new Set(ids).size).toBe(20);
  });

  test('is not made with claims that our own reader would refuse', async () => {
    const claims = JSON.parse('{"x":{"__proto__":1}}') as Record<string, unknown>;
    expectRefusal(await mintToken({ ...request, claims }).catch((error: unknown) => error), 'usage');
  });

  test('is accepted whatever is in it, or is not made', async () => {
    const text = fc.string({ unit: 'binary', maxLength: 30 });
    let accepted = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(fc.stringMatching(/^[a-z]{1,20}$/), text),
        fc.array(text, { maxLength: 4 }),
        fc.dictionary(text, fc.jsonValue({ maxDepth: 2 }), { maxKeys: 4 }),
        async (subject, roles, claims) => {
          const made = await mintToken({ ...request, subject, roles, claims }).catch((error: unknown) => error);
          if (typeof made !== 'string') {
            expectRefusal(made, 'usage');
            return;
          }
          expect(await authenticator.authenticate(made)).toMatchObject({ subject });
          accepted++;
        },
      ),
      { numRuns: RUNS },
    );
    expect(accepted).toBeGreaterThan(RUNS / 4);
  });

  test.each([
    ['HS384', 'HS384'],
    ['HS512', 'HS512'],
  ])('can be made with %s', async (algorithm) => {
    const other = createJwtAuthenticator([trustedIssuer({ algorithms: [algorithm], own: true })], { now: () => NOW });
    const made = await mintToken({ ...request, algorithm });
    await expect(other.authenticate(made)).resolves.toMatchObject({ selfMade: true });
  });
});

describe('what is not made', () => {
  test.each<readonly [string, Partial<MintRequest>, 'usage' | 'settings']>([
    ['a life of more than 12 hours', { ttlMs: MAX_MINTED_TTL_MS + 1 }, 'usage'],
    ['no life', { ttlMs: 0 }, 'usage'],
    ['a negative life', { ttlMs: -1 }, 'usage'],
    ['a life that is no number', { ttlMs: Number.NaN }, 'usage'],
    ['no subject', { subject: '' }, 'usage'],
    ['a subject with a line end', { subject: 'a\nb' }, 'usage'],
    ['a claim that has its own place', { claims: { exp: 9_999_999_999 } }, 'usage'],
    ['roles by the back door', { claims: { roles: ['admin'] } }, 'usage'],
    ['the mark by the back door', { claims: { runbook_self_made: false } }, 'usage'],
    ['an own __proto__', { claims: JSON.parse('{"__proto__":{}}') }, 'usage'],
    ['more than fits', { claims: { text: 'x'.repeat(7000) } }, 'usage'],
    ['a short secret', { secret: Buffer.from('12345') }, 'settings'],
    ['another algorithm', { algorithm: 'RS256' }, 'settings'],
    ['none', { algorithm: 'none' }, 'settings'],
  ])('%s', async (_name, changes, code) => {
    const failure = await failureOf(() => mintToken({ ...request, ...changes }));
    expect(expectRefusal(failure, code).code).toBe(code);
  });
});
