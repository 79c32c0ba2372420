/**
 * What the token library accepts when it is not told otherwise, row by row: it is shown to accept, and ours to refuse. A
 * row that the library begins to refuse fails here too, so that the reasons in the ADR stay true.
 */
import { jwtVerify } from 'jose';
import { describe, expect, test } from 'vitest';
import { createJwtAuthenticator } from '../../../../src/adapters/authenticator/jwt.ts';
import { expectRefusal, failureOf } from '../../../helpers/refusals.ts';
import { NOW, NOW_S, SECRET, claims, rawToken, token, trustedIssuer } from '../../../helpers/tokens.ts';

const authenticator = createJwtAuthenticator([trustedIssuer()], { now: () => NOW });
const good = token('HS256', SECRET);
const HEADER = '{"alg":"HS256"}';
const payload = JSON.stringify(claims());

const ROWS: readonly (readonly [name: string, token: string, reason: RegExp])[] = [
  ['HS512 where no algorithm is named', token('HS512', SECRET, {}, { alg: 'HS512' }), /not signed with HS256/],
  ['no exp', token('HS256', SECRET, { exp: undefined }), /lacks "exp"/],
  [
    'roles twice, the last wins',
    rawToken('HS256', SECRET, HEADER, payload.replace('"marker"', '"roles":["admin"],"marker"')),
    /key twice/,
  ],
  ['alg twice in the header', rawToken('HS256', SECRET, '{"alg":"none","alg":"HS256"}', payload), /key twice/],
  ['exp 1e308', token('HS256', SECRET, { exp: 1e308 }), /not a point in time/],
  ['iat in the future', token('HS256', SECRET, { iat: NOW_S + 86_400 }), /not valid yet \("iat"\)/],
  [
    'an own __proto__',
    rawToken('HS256', SECRET, HEADER, payload.replace('{', '{"__proto__":{"roles":["admin"]},')),
    /__proto__/,
  ],
  ['padding after the signature', `${good}=`, /form of a JWT/],
  ['a line end after the signature', `${good}\n`, /form of a JWT/],
  ['8 MB', token('HS256', SECRET, { filler: 'x'.repeat(6 * 1024 * 1024) }), /longer than 8192/],
  ['no sub', token('HS256', SECRET, { sub: undefined }), /lacks "sub"/],
  ['another audience', token('HS256', SECRET, { aud: 'other' }), /audience/],
  ['another issuer', token('HS256', SECRET, { iss: 'other' }), /issuer/],
];

describe('accepted by default, refused by us', () => {
  test.each(ROWS)('%s', async (_name, made, reason) => {
    await expect(jwtVerify(made, SECRET, { currentDate: NOW })).resolves.toHaveProperty('payload');
    const refusal = expectRefusal(await failureOf(() => authenticator.authenticate(made)), 'unauthenticated');
    expect(refusal.message).toMatch(reason);
  });

  test('a secret of 5 bytes', async () => {
    const secret = Buffer.from('12345');
    await expect(jwtVerify(token('HS256', secret), secret, { currentDate: NOW })).resolves.toHaveProperty('payload');
    const issuer = trustedIssuer({ key: { kind: 'secret', secret } });
    const refusal = expectRefusal(
      await failureOf(() => createJwtAuthenticator([issuer], { now: () => NOW })),
      'settings',
    );
    expect(refusal.message).toMatch(/shorter than 32 bytes/);
    expect(refusal.fix).toContain('openssl rand -hex 32');
  });
});
