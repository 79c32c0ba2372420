/** Key sets over HTTP: a real server, an injected clock. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createJwtAuthenticator } from '../../../../src/adapters/authenticator/jwt.ts';
import { MAX_KEY_SET_BYTES } from '../../../../src/adapters/authenticator/key-set-source.ts';
import { keysOf } from '../../../../src/adapters/authenticator/key-set-content.ts';
import type { Authenticator } from '../../../../src/core/ports.ts';
import { json, startKeyServer } from '../../../helpers/key-server.ts';
import type { KeyServer } from '../../../helpers/key-server.ts';
import { expectRefusal, failureOf, outcomeOf } from '../../../helpers/refusals.ts';
import { EC, MARKER, NOW, NOW_S, OTHER_RSA, RSA, jwk, token, trustedIssuer } from '../../../helpers/tokens.ts';

const OLD = jwk(RSA.publicKey, { kid: 'old', use: 'sig', alg: 'RS256' });
const NEW = jwk(OTHER_RSA.publicKey, { kid: 'new', use: 'sig', alg: 'RS256' });
const FAR = { exp: NOW_S + 10 * 86_400 };
const oldToken = token('RS256', RSA.privateKey, FAR, { kid: 'old' });
const newToken = token('RS256', OTHER_RSA.privateKey, FAR, { kid: 'new' });
const SECOND = 1000;
const MINUTE = 60 * SECOND;

let server: KeyServer;
let authenticator: Authenticator;
let nowMs: number;

beforeEach(async () => {
  nowMs = NOW.getTime();
  server = await startKeyServer(json({ keys: [OLD] }));
  authenticator = authenticatorFor(server.url);
});
afterEach(() => server.close());

function authenticatorFor(url: string): Authenticator {
  const issuer = trustedIssuer({ algorithms: ['RS256', 'ES256'], key: { kind: 'jwks-url', url } });
  return createJwtAuthenticator([issuer], { now: () => new Date(nowMs) });
}

const outcome = (made: string): Promise<string> =>
  outcomeOf(() => authenticator.authenticate(made), [MARKER, ...made.split('.')]);

const outcomes = async (...tokens: string[]): Promise<string[]> => Promise.all(tokens.map(outcome));

describe('reading', () => {
  test('once for many tokens, also at once', async () => {
    expect(await outcomes(...Array.from({ length: 50 }, () => oldToken))).toEqual(
      Array.from({ length: 50 }, () => 'ok'),
    );
    expect(server.hits()).toBe(1);
  });

  test('not before a token of this issuer comes, and not for an algorithm that is not set', async () => {
    const other = token('RS256', RSA.privateKey, { iss: 'other' }, { kid: 'old' });
    const algorithm = token('PS256', RSA.privateKey, {}, { kid: 'old', alg: 'PS256' });
    expect(await outcomes(other, algorithm)).toEqual(['unauthenticated', 'unauthenticated']);
    expect(server.hits()).toBe(0);
  });

  test('again after five minutes', async () => {
    await outcome(oldToken);
    nowMs += 5 * MINUTE;
    await outcome(oldToken);
    expect(server.hits()).toBe(1);
    nowMs += 1;
    await outcome(oldToken);
    expect(server.hits()).toBe(2);
  });

  test('also for localhost by name', async () => {
    authenticator = authenticatorFor(server.url.replace('127.0.0.1', 'localhost'));
    expect(await outcome(oldToken)).toBe('ok');
  });
});

describe('rotation', () => {
  test('a new key counts at once, an old one until it is withdrawn', async () => {
    expect(await outcome(oldToken)).toBe('ok');
    nowMs += 31 * SECOND;
    server.answer = json({ keys: [OLD, NEW] });
    expect(await outcomes(newToken, oldToken)).toEqual(['ok', 'ok']);
    expect(server.hits()).toBe(2);
    server.answer = json({ keys: [NEW] });
    nowMs += 5 * MINUTE + 1;
    expect(await outcomes(oldToken, newToken)).toEqual(['unauthenticated', 'ok']);
  });

  test('an emptied set ends every token', async () => {
    expect(await outcome(oldToken)).toBe('ok');
    server.answer = json({ keys: [] });
    nowMs += 5 * MINUTE + 1;
    expect(await outcome(oldToken)).toBe('unauthenticated');
  });

  test('a key that another one replaces under its name does not count', async () => {
    expect(await outcome(oldToken)).toBe('ok');
    server.answer = json({ keys: [{ ...NEW, kid: 'old' }] });
    nowMs += 5 * MINUTE + 1;
    expect(await outcome(oldToken)).toBe('unauthenticated');
  });
});

test('a storm of unknown key ids reads once in 30 s', async () => {
  await outcome(oldToken);
  const before = server.hits();
  const SECONDS = 120;
  for (let second = 0; second < SECONDS; second++) {
    nowMs += SECOND;
    const storm = Array.from({ length: 10 }, (_, index) =>
      token('RS256', OTHER_RSA.privateKey, FAR, { kid: `k-${second}-${index}` }),
    );
    expect(new Set(await outcomes(...storm))).toEqual(new Set(['unauthenticated']));
    expect(server.hits() - before).toBeLessThanOrEqual(Math.ceil((second + 1) / 30));
  }
  expect(server.hits() - before).toBe(SECONDS / 30);
  expect(await outcome(oldToken)).toBe('ok');
  process.stdout.write(`unknown key ids: ${SECONDS * 10} tokens, ${server.hits() - before} fetches in ${SECONDS} s\n`);
});

describe('when the server does not answer', () => {
  test('the last set counts for a day, then nobody gets in', async () => {
    expect(await outcome(oldToken)).toBe('ok');
    await server.close();
    nowMs += 24 * 60 * MINUTE;
    expect(await outcomes(oldToken, newToken)).toEqual(['ok', 'unauthenticated']);
    nowMs += 1;
    expect(await outcomes(oldToken, newToken)).toEqual(['unavailable', 'unavailable']);
  });

  test('a clock that is set back does not prolong anything', async () => {
    expect(await outcome(oldToken)).toBe('ok');
    await server.close();
    nowMs -= 30 * SECOND;
    expect(await outcome(oldToken)).toBe('unavailable');
  });

  test('without any set it is unavailable, and recovers after the cooldown', async () => {
    server.answer = (response) => {
      response.statusCode = 503;
      response.end();
    };
    expect(await outcomes(oldToken, oldToken)).toEqual(['unavailable', 'unavailable']);
    server.answer = json({ keys: [OLD] });
    nowMs += 29 * SECOND;
    expect(await outcome(oldToken)).toBe('unavailable');
    expect(server.hits()).toBe(1);
    nowMs += SECOND;
    expect(await outcome(oldToken)).toBe('ok');
  });
});

describe('answers that are not taken', () => {
  const big = { keys: [OLD], filler: 'x'.repeat(MAX_KEY_SET_BYTES) };
  test.each<readonly [name: string, answer: KeyServer['answer'], reason: RegExp]>([
    ['an error', (response) => void response.writeHead(500).end(JSON.stringify({ keys: [OLD] })), /answered 500/],
    ['nothing', (response) => void response.writeHead(204).end(), /answered 204/],
    ['not JSON', (response) => void response.end('<html>'), /not JSON/],
    ['empty', (response) => void response.end(), /not JSON/],
    ['a list', json([OLD]), /not a JSON object/],
    ['no keys', json({}), /no list "keys"/],
    ['keys that are no list', json({ keys: { 0: OLD } }), /no list "keys"/],
    ['two keys with one name', json({ keys: [OLD, { ...NEW, kid: 'old' }] }), /same "kid"/],
    ['keys twice', (response) => void response.end(`{"keys":[],"keys":[${JSON.stringify(OLD)}]}`), /key twice/],
    ['too big', json(big), /size|larger|exceed/i],
    [
      'too big, in chunks',
      (response) => void (response.write(JSON.stringify(big)), response.end()),
      /size|larger|exceed/i,
    ],
    ['a hang-up', (response) => void response.destroy(), /./],
    [
      'half an answer',
      (response) =>
        void (response.writeHead(200, { 'content-length': 5000 }),
        response.write('{"keys":['),
        setImmediate(() => response.destroy())),
      /./,
    ],
  ])('%s', async (_name, answer, reason) => {
    server.answer = answer;
    const refusal = expectRefusal(await failureOf(() => authenticator.authenticate(oldToken)), 'unavailable');
    expect(refusal.message).toMatch(reason);
    expect(server.hits()).toBe(1);
  });

  test.each([301, 302, 303, 307, 308])('a redirect (%d): its target is never asked', async (status) => {
    const target = await startKeyServer(json({ keys: [OLD] }));
    server.answer = (response) => void response.writeHead(status, { location: target.url }).end();
    const refusal = expectRefusal(await failureOf(() => authenticator.authenticate(oldToken)), 'unavailable');
    await target.close();
    expect(refusal.message).toMatch(/redirects are not followed/);
    expect(target.hits()).toBe(0);
  });

  test.each<readonly [name: string, answer: KeyServer['answer']]>([
    ['silence', () => undefined],
    ['a head and then silence', (response) => void response.writeHead(200).write('{')],
    [
      'a byte from time to time',
      (response) => {
        const timer = setInterval(() => response.write(' '), 100);
        response.on('close', () => clearInterval(timer));
      },
    ],
  ])(
    '%s: waiting ends',
    async (_name, answer) => {
      server.answer = answer;
      const refusal = expectRefusal(await failureOf(() => authenticator.authenticate(oldToken)), 'unavailable');
      expect(refusal.message).toMatch(/time/i);
    },
    30_000,
  );

  test('a broken answer does not replace a good set', async () => {
    expect(await outcome(oldToken)).toBe('ok');
    server.answer = json({ keys: 'none' });
    nowMs += 6 * MINUTE;
    expect(await outcome(oldToken)).toBe('ok');
    expect(server.hits()).toBe(2);
  });
});

describe('keys of a set', () => {
  const { d: _private, ...ec } = jwk(EC.publicKey);
  const secret = { kty: 'oct', k: 'c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA', kid: 'old', alg: 'HS256' };
  test.each<readonly [name: string, keys: readonly unknown[], expected: string]>([
    ['without alg and use', [jwk(RSA.publicKey, { kid: 'old' })], 'ok'],
    [
      'among keys that are of no use here',
      [1, null, {}, { kty: 'X' }, { ...OLD, kid: 'enc', use: 'enc' }, secret, { ...ec, kid: 'ec' }, OLD],
      'ok',
    ],
    ['for encryption', [{ ...OLD, use: 'enc' }], 'unauthenticated'],
    ['for an algorithm that is not set', [{ ...OLD, alg: 'RS512' }], 'unauthenticated'],
    ['for an algorithm of another kind of key', [{ ...OLD, alg: 'ES256' }], 'unauthenticated'],
    ['with its private part', [{ ...RSA.privateKey.export({ format: 'jwk' }), kid: 'old' }], 'unauthenticated'],
    ['not for verifying', [{ ...OLD, key_ops: ['encrypt'] }], 'unauthenticated'],
    ['of another kind under the name', [{ ...ec, kid: 'old' }], 'unauthenticated'],
    ['a shared secret', [secret], 'unauthenticated'],
    ['whose name is no text', [{ ...OLD, kid: 1 }], 'unauthenticated'],
    ['without a name', [{ ...OLD, kid: undefined }], 'unauthenticated'],
  ])('%s', async (_name, keys, expected) => {
    server.answer = json({ keys });
    expect(await outcome(oldToken)).toBe(expected);
  });

  test('only those that can be meant are kept', () => {
    const privateOnes = [RSA, EC].map(({ privateKey }) => jwk(privateKey, { kid: 'private' }));
    const others = [
      secret,
      { ...OLD, alg: 'RSA-OAEP' },
      { ...OLD, alg: 'ES256' },
      { ...OLD, n: 'AQAB' },
      { ...ec, crv: 'X' },
    ];
    const bytes = Buffer.from(JSON.stringify({ keys: [...privateOnes, ...others, OLD, { ...ec, kid: 'ec' }] }));
    expect(keysOf(bytes, ['RS256', 'ES256'])).toMatchObject([
      { kid: 'old', algorithms: ['RS256'] },
      { kid: 'ec', algorithms: ['ES256'] },
    ]);
    expect(keysOf(bytes, ['ES256'])).toMatchObject([{ kid: 'ec' }]);
  });

  test('a token without a key id needs the only key that fits', async () => {
    const made = token('RS256', RSA.privateKey);
    server.answer = json({ keys: [OLD, { ...ec, kid: 'ec' }] });
    expect(await outcome(made)).toBe('ok');
    server.answer = json({ keys: [OLD, NEW] });
    nowMs += 5 * MINUTE + 1;
    expect(await outcome(made)).toBe('unauthenticated');
  });
});
