/** Key sets in a file, as an operator or a mounted volume changes it. */
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createJwtAuthenticator } from '../../../../src/adapters/authenticator/jwt.ts';
import { MAX_KEY_SET_BYTES } from '../../../../src/adapters/authenticator/key-set-source.ts';
import type { Authenticator } from '../../../../src/core/ports.ts';
import { expectRefusal, failureOf, outcomeOf } from '../../../helpers/refusals.ts';
import { NOW, NOW_S, OTHER_RSA, RSA, jwk, token, trustedIssuer } from '../../../helpers/tokens.ts';

const OLD = jwk(RSA.publicKey, { kid: 'old' });
const NEW = jwk(OTHER_RSA.publicKey, { kid: 'new' });
const FAR = { exp: NOW_S + 86_400 };
const oldToken = token('RS256', RSA.privateKey, FAR, { kid: 'old' });
const newToken = token('RS256', OTHER_RSA.privateKey, FAR, { kid: 'new' });
const MINUTE = 60_000;

let folder: string;
let path: string;
let nowMs: number;
let authenticator: Authenticator;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'runbook-keys-'));
  path = join(folder, 'keys.json');
  nowMs = NOW.getTime();
  const issuer = trustedIssuer({ algorithms: ['RS256'], key: { kind: 'jwks-file', path } });
  authenticator = createJwtAuthenticator([issuer], { now: () => new Date(nowMs) });
});
afterEach(() => rmSync(folder, { recursive: true }));

/** As a careful operator does it: a new file takes the place of the old one. */
function replace(content: string): void {
  writeFileSync(`${path}.new`, content);
  renameSync(`${path}.new`, path);
}
const keys = (...list: readonly unknown[]): string => JSON.stringify({ keys: list });

const outcome = (made: string): Promise<string> => outcomeOf(() => authenticator.authenticate(made));

describe('a key set in a file', () => {
  test('is read again as soon as it changes', async () => {
    replace(keys(OLD));
    expect([await outcome(oldToken), await outcome(newToken)]).toEqual(['ok', 'unauthenticated']);
    replace(keys(NEW));
    expect([await outcome(oldToken), await outcome(newToken)]).toEqual(['unauthenticated', 'ok']);
  });

  test('counts for as long as it stays as it is', async () => {
    replace(keys(OLD));
    expect(await outcome(oldToken)).toBe('ok');
    nowMs += 10 * 60 * MINUTE;
    expect(await outcome(oldToken)).toBe('ok');
  });

  test('that comes late is found at once', async () => {
    expect(await outcome(oldToken)).toBe('unavailable');
    replace(keys(OLD));
    expect(await outcome(oldToken)).toBe('ok');
  });

  test('that goes away or breaks counts for fifteen minutes', async () => {
    for (const spoil of [() => rmSync(path), () => replace('{')]) {
      replace(keys(OLD));
      expect(await outcome(oldToken)).toBe('ok');
      spoil();
      nowMs += 15 * MINUTE;
      expect(await outcome(oldToken)).toBe('ok');
      nowMs += 1;
      expect(await outcome(oldToken)).toBe('unavailable');
    }
  });

  test.each([
    ['too large', keys(OLD, 'x'.repeat(MAX_KEY_SET_BYTES)), /larger/],
    ['not a key set', '[]', /not a JSON object/],
    ['two keys with one name', keys(OLD, { ...NEW, kid: 'old' }), /same "kid"/],
  ])('%s', async (_name, content, reason) => {
    replace(content);
    const refusal = expectRefusal(await failureOf(() => authenticator.authenticate(oldToken)), 'unavailable');
    expect(refusal.message).toMatch(reason);
    expect(refusal.message).toContain(path);
  });

  test('a folder in its place is not read', async () => {
    const issuer = trustedIssuer({ algorithms: ['RS256'], key: { kind: 'jwks-file', path: folder } });
    authenticator = createJwtAuthenticator([issuer], { now: () => NOW });
    expect(await outcome(oldToken)).toBe('unavailable');
  });
});
