/** What servers and issuers answer to whoever logs in: what is taken of it, and what is not. */
import { describe, expect, test } from 'vitest';
import { isFresh, readDeviceCode, readEndpoints, readOffer, readPoll, readTokens } from '../../../src/core/login.ts';

const NOW = new Date('2026-03-15T12:00:00.000Z');
const ISSUER = 'https://sso.example.com/realms/ops';
const NOTHINGS: readonly unknown[] = [undefined, null, 7, 'text', [], {}, { login: undefined }, { __proto__: null }];

describe('what a server offers', () => {
  const device = { issuer: ISSUER, clientId: 'runbook', scope: 'openid' };

  test.each([[device], ['development'], [null]])('%j is an offer', (login) => {
    expect(readOffer({ login })).toEqual(login);
  });

  test.each([
    ...NOTHINGS,
    { login: 'production' },
    { login: { ...device, clientId: 7 } },
    { login: { ...device, scope: '' } },
    { login: { ...device, scope: 'open\nid' } },
    { login: { ...device, issuer: 'http://sso.example.com' } },
    { login: { ...device, issuer: 'https://a:b@sso.example.com' } },
    { login: { ...device, issuer: 'javascript:alert(1)' } },
    { login: { ...device, issuer: 'x'.repeat(600) } },
  ])('%j is none', (body) => {
    expect(readOffer(body)).toBeUndefined();
  });
});

describe('where an issuer takes questions', () => {
  const whole = {
    issuer: ISSUER,
    device_authorization_endpoint: `${ISSUER}/device`,
    token_endpoint: 'https://tokens.example.com/',
  };

  test('is what it says, also elsewhere', () => {
    expect(readEndpoints(ISSUER, whole)).toEqual({ device: `${ISSUER}/device`, token: 'https://tokens.example.com/' });
  });

  test.each([
    [{ issuer: `${ISSUER}/other` }, 'another issuer'],
    [{ issuer: undefined }, 'another issuer'],
    [{ device_authorization_endpoint: undefined }, 'device_authorization_endpoint'],
    [{ token_endpoint: 7 }, 'token_endpoint'],
    [{ token_endpoint: 'http://tokens.example.com/' }, 'not https'],
    [{ device_authorization_endpoint: 'file:///etc/passwd' }, 'not https'],
  ])('is not taken with %j', (change, why) => {
    expect(readEndpoints(ISSUER, { ...whole, ...change })).toContain(why);
  });
});

describe('a code', () => {
  const whole = { device_code: 'd', user_code: 'WDJB-MJHT', verification_uri: `${ISSUER}/device` };
  const { verification_uri: address } = whole;

  test('is waited for within bounds, whatever the issuer says', () => {
    const timesOf = (change: object): readonly (number | undefined)[] => {
      const code = readDeviceCode({ ...whole, ...change });
      return [code?.expiresInMs, code?.intervalMs];
    };
    expect(timesOf({})).toEqual([600_000, 5000]);
    expect(timesOf({ expires_in: 30, interval: 2 })).toEqual([30_000, 2000]);
    expect(timesOf({ expires_in: 1e12, interval: 1e9 })).toEqual([1_800_000, 60_000]);
    expect(timesOf({ expires_in: -1, interval: 0 })).toEqual([600_000, 5000]);
    expect(timesOf({ expires_in: '30', interval: 0.001 })).toEqual([600_000, 1000]);
  });

  test.each([
    ...NOTHINGS,
    { ...whole, device_code: undefined },
    { ...whole, device_code: 'd'.repeat(20_000) },
    { ...whole, user_code: 'A\u001B[2J' },
    { ...whole, user_code: 'A\u202EB' },
    { ...whole, user_code: 'A'.repeat(65) },
    { ...whole, verification_uri: 'javascript:alert(1)' },
    { ...whole, verification_uri: 'http://sso.example.com/device' },
    { ...whole, verification_uri_complete: 'data:text/html,x' },
    { ...whole, verification_uri: `${address}\n` },
  ])('%j is none', (body) => {
    expect(readDeviceCode(body)).toBeUndefined();
  });
});

describe('tokens', () => {
  const jwt = (claims: unknown): string => `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.x`;
  const endOf = (body: object): string | null | undefined =>
    readTokens({ access_token: 'a', token_type: 'Bearer', ...body }, NOW)?.expiresAt;

  test('end when the answer says, else when they say themselves', () => {
    expect(endOf({ expires_in: 60 })).toBe('2026-03-15T12:01:00.000Z');
    expect(endOf({ expires_at: '2026-03-15T13:00:00.000000+00:00' })).toBe('2026-03-15T13:00:00.000Z');
    expect(endOf({ access_token: jwt({ exp: 1_800_000_000 }) })).toBe('2027-01-15T08:00:00.000Z');
    expect(endOf({ access_token: jwt({ exp: 1_800_000_000 }), expires_in: 60 })).toBe('2026-03-15T12:01:00.000Z');
    for (const body of [
      {},
      { expires_in: -1 },
      { expires_in: 1e300 },
      { expires_at: 'soon' },
      { access_token: jwt({ exp: 1e300 }) },
      { access_token: jwt(null) },
      { access_token: 'a.%%%.c' },
    ])
      expect(endOf(body)).toBeNull();
  });

  test('are renewed with the last refresh token that there was', () => {
    const answer = { access_token: 'a', token_type: 'bearer', expires_in: 60 };
    expect(readTokens(answer, NOW, 'old')?.refreshToken).toBe('old');
    expect(readTokens({ ...answer, refresh_token: 'new' }, NOW, 'old')?.refreshToken).toBe('new');
    expect(readTokens(answer, NOW)?.refreshToken).toBeNull();
  });

  test.each([
    ...NOTHINGS,
    { access_token: 'a' },
    { access_token: 'a', token_type: 'mac' },
    { access_token: 'a\r\nx: y', token_type: 'bearer' },
    { access_token: '', token_type: 'bearer' },
    { access_token: 'a'.repeat(20_000), token_type: 'bearer' },
  ])('%j are none', (body) => {
    expect(readTokens(body, NOW)).toBeUndefined();
  });

  test('are fresh up to ten seconds before their end', () => {
    const tokens = { accessToken: 'a', refreshToken: null };
    const ending = (text: string): boolean => isFresh({ ...tokens, expiresAt: text }, NOW);
    expect([ending('2026-03-15T12:00:11.000Z'), ending('2026-03-15T12:00:10.000Z')]).toEqual([true, false]);
    expect(isFresh({ ...tokens, expiresAt: null }, NOW)).toBe(true);
    // Of a file that somebody has changed.
    expect(ending('whenever')).toBe(false);
  });
});

describe('whoever asks whether the person has agreed', () => {
  test.each([
    [400, { error: 'authorization_pending' }, 'pending'],
    [400, { error: 'slow_down' }, 'slower'],
    [429, null, 'pending'],
    [502, 'Bad Gateway', 'pending'],
    [200, { access_token: 'a', token_type: 'Bearer' }, 'tokens'],
    [200, { access_token: 'a' }, 'refused'],
    [200, undefined, 'refused'],
    [302, undefined, 'refused'],
    [400, { error: 'access_denied' }, 'refused'],
    [400, { error: 'expired_token' }, 'refused'],
    [400, { error: 'invalid\u001B[2J' }, 'refused'],
    [404, undefined, 'refused'],
  ])('hears with %i %j: %s', (status, body, kind) => {
    const poll = readPoll(status, body, NOW);
    expect(poll.kind).toBe(kind);
    if (poll.kind === 'refused') expect(poll.reason).not.toContain('\u001B');
  });
});
