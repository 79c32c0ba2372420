/** However long a token holds, it may have been made only so long ago; and that is asked only where the setting is made. */
import { describe, expect, it } from 'vitest';
import { createAuthenticator } from '../../../../src/adapters/authenticator/index.ts';
import { createJwtAuthenticator } from '../../../../src/adapters/authenticator/jwt.ts';
import { expectRefusal, failureOf } from '../../../helpers/refusals.ts';
import { SETUPS } from '../../../helpers/token-setups.ts';
import { NOW, token } from '../../../helpers/tokens.ts';

const HOUR = 3600;
const made = Math.floor(NOW.getTime() / 1000);
const inAYear = made + 365 * 24 * HOUR;

describe.each(SETUPS)('$name', ({ alg, key, issuer }) => {
  const judge = async (maxAgeMs: number | null, claims: Readonly<Record<string, unknown>>, clockToleranceMs = 0) => {
    const authenticator = createJwtAuthenticator([issuer], { now: () => NOW, maxAgeMs, clockToleranceMs });
    const signed = token(alg, key, { exp: inAYear, ...claims }, { kid: 'key-1' });
    return await failureOf(async () => await authenticator.authenticate(signed));
  };

  it.each<[string, number | null, Readonly<Record<string, unknown>>, string | null]>([
    ['just made', HOUR * 1000, { iat: made }, null],
    ['as old as may be', HOUR * 1000, { iat: made - HOUR }, null],
    ['a second older', HOUR * 1000, { iat: made - HOUR - 1 }, 'old iat'],
    ['half a second older', HOUR * 1000, { iat: made - HOUR - 0.5 }, 'old iat'],
    ['of the first second that there is', HOUR * 1000, { iat: 0 }, 'old iat'],
    ['made nobody knows when', HOUR * 1000, { iat: undefined }, 'missing iat'],
    ['made at a text', HOUR * 1000, { iat: String(made) }, 'wrong iat'],
    ['made at nothing', HOUR * 1000, { iat: null }, 'wrong iat'],
    ['made in a moment', HOUR * 1000, { iat: made + 1 }, 'early iat'],
    ['old and ended', HOUR * 1000, { iat: made - 2 * HOUR, exp: made - HOUR }, 'expired'],
    ['old, where nobody asks', null, { iat: made - 400 * 24 * HOUR }, null],
    ['made nobody knows when, where nobody asks', null, { iat: undefined }, null],
  ])('%s', async (_, maxAgeMs, claims, fault) => {
    const failure = await judge(maxAgeMs, claims);
    if (fault === null) expect(failure).toBeNull();
    else expect(expectRefusal(failure, 'unauthenticated').reason).toBe(fault);
  });

  it('clocks may differ by what they may', async () => {
    expect(await judge(HOUR * 1000, { iat: made - HOUR - 60 }, 60_000)).toBeNull();
    expectRefusal(await judge(HOUR * 1000, { iat: made - HOUR - 61 }, 60_000), 'unauthenticated');
  });
});

it.each([0, -1, Number.NaN])('an age of %s is none', async (maxAgeMs) => {
  const [setup] = SETUPS;
  const failure = await failureOf(async () =>
    createJwtAuthenticator(setup ? [setup.issuer] : [], { now: () => NOW, maxAgeMs }),
  );
  expectRefusal(failure, 'settings');
});

it('the setting reaches every issuer', async () => {
  const secret = 'an-obvious-secret-of-more-than-32-bytes';
  const settings = {
    jwtSecret: secret,
    jwtIssuer: 'idp',
    jwtAudience: 'api',
    jwtRolesClaim: 'roles',
    jwtSubjectClaim: 'sub',
  };
  const old = token('HS256', Buffer.from(secret), { iss: 'idp', aud: 'api', iat: made - 61, exp: inAYear });
  const asked = createAuthenticator('jwt', { ...settings, jwtMaxAgeMs: 60_000 }, { now: () => NOW });
  const other = createAuthenticator('jwt', settings, { now: () => NOW });
  expectRefusal(await failureOf(async () => await asked.authenticate(old)), 'unauthenticated');
  expect(await failureOf(async () => await other.authenticate(old))).toBeNull();
});
