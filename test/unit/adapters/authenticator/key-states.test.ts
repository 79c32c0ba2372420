/** What can be said of keys, how they survive a provider that is away, and how they are changed without a restart. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createAuthenticator } from '../../../../src/adapters/authenticator/index.ts';
import type { AuthSettings, LazyAuthenticator } from '../../../../src/adapters/authenticator/index.ts';
import { json } from '../../../helpers/key-server.ts';
import { startProvider } from '../../../helpers/provider.ts';
import type { Provider } from '../../../helpers/provider.ts';
import { expectRefusal, failureOf, outcomeOf } from '../../../helpers/refusals.ts';
import { AUDIENCE, ISSUER, NOW, NOW_S, OTHER_RSA, RSA, SECRET, jwk, pem, token } from '../../../helpers/tokens.ts';

const SECOND = 1000;
const HOUR = 3600 * SECOND;
const FAR = { exp: NOW_S + 30 * 86_400 };
const OLD = Buffer.from('b8e7053fa61d2e8b94c07a56f1d2c9a4');
const NEW = Buffer.from('0123456789abcdef-0123456789abcdef');

let folder: string;
let provider: Provider;
let nowMs: number;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'runbook-states-'));
  nowMs = NOW.getTime();
  provider = await startProvider([jwk(RSA.publicKey, { kid: 'old' })]);
});
afterEach(async () => {
  await provider.close();
  rmSync(folder, { recursive: true });
});

const file = (name: string, content?: string): string => {
  const path = join(folder, name);
  if (content !== undefined) writeFileSync(path, content);
  return path;
};
function authenticatorFor(changes: Partial<AuthSettings>): LazyAuthenticator {
  const settings = { jwtIssuer: ISSUER, jwtAudience: AUDIENCE, jwtRolesClaim: 'roles', jwtSubjectClaim: 'sub' };
  return createAuthenticator('jwt', { ...settings, ...changes }, { now: () => new Date(nowMs) });
}
const fromUrl = (changes: Partial<AuthSettings> = {}): LazyAuthenticator =>
  authenticatorFor({ jwtJwks: `${provider.issuer}/keys`, ...changes });
const hs = (secret: Uint8Array): string => token('HS256', secret, FAR);
const rs = (kid = 'old', key = RSA): string => token('RS256', key.privateKey, FAR, { kid });
const tryOf = async (authenticator: LazyAuthenticator, made: string): Promise<string> =>
  await outcomeOf(() => authenticator.authenticate(made));

describe('what is said of keys', () => {
  test('each accepted token counts, for its own key', async () => {
    const authenticator = authenticatorFor({ jwtSecret: SECRET.toString(), jwtSecretPrevious: OLD.toString() });
    expect(authenticator.keyStates()).toEqual([]);
    await authenticator.ready();
    const fresh = { source: 'secret', fetchedAt: null, stale: false, problem: null };
    expect(authenticator.keyStates()).toEqual([
      { issuer: ISSUER, keyId: 'current', uses: 0, lastUsedAt: null, ...fresh },
      { issuer: ISSUER, keyId: 'previous', uses: 0, lastUsedAt: null, ...fresh },
    ]);
    for (const secret of [SECRET, SECRET, OLD]) {
      nowMs += SECOND;
      await authenticator.authenticate(hs(secret));
    }
    // What is refused in the end is no use of a key, however well it is signed.
    for (const made of [token('HS256', OLD, { exp: NOW_S - 1 }), token('HS256', OLD, { roles: 1 }), hs(NEW)])
      expect(await tryOf(authenticator, made)).toBe('unauthenticated');
    expect(authenticator.keyStates()).toMatchObject([
      { keyId: 'current', uses: 2, lastUsedAt: new Date(NOW.getTime() + 2 * SECOND) },
      { keyId: 'previous', uses: 1, lastUsedAt: new Date(NOW.getTime() + 3 * SECOND) },
    ]);
  });

  test('nothing of a secret is in it', async () => {
    const authenticator = authenticatorFor({ jwtSecret: SECRET.toString(), jwtSecretPrevious: OLD.toString() });
    await authenticator.authenticate(hs(OLD));
    const text = JSON.stringify(authenticator.keyStates());
    for (const secret of [SECRET, OLD])
      for (const form of ['utf8', 'hex', 'base64', 'base64url'] as const)
        expect(text).not.toContain(secret.toString(form).slice(0, 8));
  });

  test.each([
    [
      'a public key',
      (): Partial<AuthSettings> => ({ jwtPublicKeyFile: file('rsa.pem', pem(RSA.publicKey)) }),
      'current',
      'file',
    ],
    [
      'a key set in a file',
      (): Partial<AuthSettings> => ({ jwtJwks: file('set.json', JSON.stringify({ keys: provider.keys })) }),
      'old',
      'file',
    ],
    ['a key set of a server', (): Partial<AuthSettings> => ({ jwtJwks: `${provider.issuer}/keys` }), 'old', 'url'],
  ])('%s', async (_name, settings, keyId, source) => {
    const authenticator = authenticatorFor(settings());
    expect((await authenticator.authenticate(rs())).keyId).toBe(keyId);
    expect(authenticator.keyStates()).toMatchObject([{ keyId, source, uses: 1, stale: false, problem: null }]);
  });

  test('a key without an id has a name all the same, the same each time', async () => {
    provider.keys = [jwk(RSA.publicKey)];
    const made = token('RS256', RSA.privateKey, FAR);
    const names = [await fromUrl().authenticate(made), await fromUrl().authenticate(made)].map(({ keyId }) => keyId);
    expect(names[0]).toMatch(/^[A-Za-z0-9_-]{12}$/);
    expect(names[1]).toBe(names[0]);
  });

  test('a set that is empty says so', async () => {
    provider.keys = [];
    const authenticator = fromUrl();
    await authenticator.ready();
    expect(authenticator.keyStates()).toMatchObject([
      { keyId: null, problem: expect.stringMatching(/no key that can/) as string },
    ]);
  });
});

describe('a storm of unknown key ids', () => {
  test('asks once in 30 s', async () => {
    const authenticator = fromUrl();
    expect(await tryOf(authenticator, rs())).toBe('ok');
    nowMs += 31 * SECOND;
    const before = provider.asked.length;
    const TOKENS = 2000;
    let refused = 0;
    for (let start = 0; start < TOKENS; start += 100) {
      const storm = Array.from({ length: 100 }, (_, index) => rs(`made-up-${start + index}`, OTHER_RSA));
      const outcomes = await Promise.all(storm.map(async (made) => await tryOf(authenticator, made)));
      refused += outcomes.filter((outcome) => outcome === 'unauthenticated').length;
    }
    expect(refused).toBe(TOKENS);
    expect(provider.asked.length - before).toBe(1);
    expect(await tryOf(authenticator, rs())).toBe('ok');
    process.stdout.write(`storm: ${refused} tokens of unknown keys refused, ${provider.asked.length - before} fetch\n`);
  });
});

describe('while the provider is away', () => {
  test.each([
    [undefined, 24 * HOUR],
    [HOUR, HOUR],
    [60 * SECOND, 60 * SECOND],
  ])('known keys count for %s ms, and it is said', async (jwksStaleMs, lasts) => {
    const authenticator = fromUrl({ jwksStaleMs });
    expect(await tryOf(authenticator, rs())).toBe('ok');
    await provider.close();
    nowMs += lasts;
    await authenticator.ready();
    expect([await tryOf(authenticator, rs()), await tryOf(authenticator, rs('new'))]).toEqual([
      'ok',
      'unauthenticated',
    ]);
    if (lasts > 300 * SECOND)
      expect(authenticator.keyStates()).toMatchObject([
        { keyId: 'old', stale: true, fetchedAt: NOW, problem: expect.stringMatching(/cannot be used/) as string },
      ]);
    nowMs += 1;
    expect([await tryOf(authenticator, rs()), await tryOf(authenticator, rs('new'))]).toEqual([
      'unavailable',
      'unavailable',
    ]);
    expectRefusal(await failureOf(() => authenticator.ready()), 'unavailable');
  });

  test('who has a known key does not wait for a provider that hangs', async () => {
    const authenticator = fromUrl();
    expect(await tryOf(authenticator, rs())).toBe('ok');
    provider.answer = (response) => void response.writeHead(500).end();
    nowMs += 6 * 60 * SECOND;
    expect(await tryOf(authenticator, rs())).toBe('ok');
    const hanging: (() => void)[] = [];
    provider.answer = (response) => void hanging.push(() => response.writeHead(500).end());
    nowMs += 31 * SECOND;
    const asked = provider.asked.length;
    expect(await tryOf(authenticator, rs())).toBe('ok');
    // The question is under way: nobody knows yet how it ends.
    expect(authenticator.keyStates()).toMatchObject([{ stale: true, problem: expect.stringMatching(/500/) as string }]);
    for (let index = 0; index < 50; index++) expect(await tryOf(authenticator, rs())).toBe('ok');
    await expect.poll(() => hanging.length).toBe(1);
    expect(provider.asked.length - asked).toBe(1);
    for (const end of hanging) end();
  });

  test('back again, all is well', async () => {
    const authenticator = fromUrl();
    expect(await tryOf(authenticator, rs())).toBe('ok');
    provider.answer = (response) => void response.writeHead(503).end();
    nowMs += 2 * HOUR;
    expect(await tryOf(authenticator, rs())).toBe('ok');
    expect(authenticator.keyStates()).toMatchObject([{ stale: true }]);
    provider.answer = null;
    provider.keys = [jwk(OTHER_RSA.publicKey, { kid: 'new' })];
    nowMs += 31 * SECOND;
    expect(await tryOf(authenticator, rs('new', OTHER_RSA))).toBe('ok');
    expect(await tryOf(authenticator, rs())).toBe('unauthenticated');
    expect(authenticator.keyStates()).toMatchObject([{ keyId: 'new', stale: false, problem: null, uses: 1 }]);
  });

  test('the first time, nobody gets in', async () => {
    provider.answer = (response) => json({})(response);
    const authenticator = fromUrl();
    expectRefusal(await failureOf(() => authenticator.ready()), 'unavailable');
    expect(authenticator.keyStates()).toMatchObject([
      { keyId: null, uses: 0, fetchedAt: null, stale: false, problem: expect.stringMatching(/no list/) as string },
    ]);
  });
});

describe('reading again', () => {
  test('secrets change places, and their counts go with them', async () => {
    const jwtSecretFile = file('current', `${OLD.toString()}\n`);
    const jwtSecretPreviousFile = file('previous', `${OLD.toString()}\n`);
    const settings = {
      jwtSecret: OLD.toString(),
      jwtSecretFile,
      jwtSecretPrevious: OLD.toString(),
      jwtSecretPreviousFile,
    };
    const authenticator = authenticatorFor(settings);
    for (const secret of [OLD, OLD]) expect(await tryOf(authenticator, hs(secret))).toBe('ok');
    // The same twice is one key.
    expect(authenticator.keyStates()).toMatchObject([{ keyId: 'current', uses: 2 }]);
    file('current', `${NEW.toString()}\r\n`);
    expect(await tryOf(authenticator, hs(NEW))).toBe('unauthenticated');
    await authenticator.reload();
    expect([await tryOf(authenticator, hs(NEW)), await tryOf(authenticator, hs(OLD))]).toEqual(['ok', 'ok']);
    expect(authenticator.keyStates()).toMatchObject([
      { keyId: 'current', uses: 1 },
      { keyId: 'previous', uses: 3 },
    ]);
    file('previous', NEW.toString());
    await authenticator.reload();
    expect([await tryOf(authenticator, hs(NEW)), await tryOf(authenticator, hs(OLD))]).toEqual([
      'ok',
      'unauthenticated',
    ]);
    expect(authenticator.keyStates()).toMatchObject([{ keyId: 'current', uses: 2 }]);
  });

  test.each<readonly [name: string, settings: () => Partial<AuthSettings>, spoil: () => unknown, reason: RegExp]>([
    [
      'a weak secret',
      () => ({ jwtSecret: OLD.toString(), jwtSecretFile: file('current', OLD.toString()) }),
      () => file('current', 'short'),
      /shorter/,
    ],
    [
      'no secret',
      () => ({ jwtSecret: OLD.toString(), jwtSecretFile: file('current', OLD.toString()) }),
      () => file('current', '\n'),
      /is empty/,
    ],
    [
      'no previous secret',
      () => ({
        jwtSecret: OLD.toString(),
        jwtSecretPrevious: NEW.toString(),
        jwtSecretPreviousFile: file('p', NEW.toString()),
      }),
      () => rmSync(file('p')),
      /cannot be read/,
    ],
    [
      'a list of keys',
      () => {
        file('secret', OLD.toString());
        return { jwtKeysFile: file('keys.yaml', '- { kid: a, algorithm: HS256, secret_file: secret }') };
      },
      () => file('keys.yaml', '- { kid: a, algorithm: HS257, secret_file: secret }'),
      /keys\.yaml:1: this key cannot/,
    ],
    [
      'a list of issuers',
      () => ({
        jwtSecret: OLD.toString(),
        jwtIssuersFile: file('i.yaml', '- { issuer: a, audience: b, jwks: "https://a.example" }'),
      }),
      () => file('i.yaml', '- { issuer: dev-idp, audience: b, jwks: "https://a.example" }'),
      /given twice/,
    ],
    [
      'a key set in a file',
      () => ({
        jwtSecret: OLD.toString(),
        jwtIssuersFile: file(
          'i.yaml',
          `- { issuer: a, audience: b, jwks: ${file('set.json', JSON.stringify({ keys: provider.keys }))} }`,
        ),
      }),
      () => file('set.json', '{'),
      /set\.json cannot be used: is not JSON/,
    ],
  ])('%s that is broken changes nothing', async (_name, settings, spoil, reason) => {
    const authenticator = authenticatorFor(settings());
    expect(await tryOf(authenticator, hs(OLD))).toBe('ok');
    const before = authenticator.keyStates().map(({ issuer, keyId, uses }) => ({ issuer, keyId, uses }));
    spoil();
    const refusal = expectRefusal(await failureOf(() => authenticator.reload()), 'settings', [OLD.toString()]);
    expect(refusal.message).toMatch(reason);
    expect(authenticator.keyStates()).toMatchObject(before);
    expect(await tryOf(authenticator, hs(OLD))).toBe('ok');
  });

  test('a key set is fetched at once, and stays where its server is away', async () => {
    const authenticator = fromUrl();
    expect(await tryOf(authenticator, rs())).toBe('ok');
    provider.keys = [jwk(OTHER_RSA.publicKey, { kid: 'new' })];
    await authenticator.reload();
    expect([await tryOf(authenticator, rs()), await tryOf(authenticator, rs('new', OTHER_RSA))]).toEqual([
      'unauthenticated',
      'ok',
    ]);
    await provider.close();
    await authenticator.reload();
    expect(await tryOf(authenticator, rs('new', OTHER_RSA))).toBe('ok');
    expect(authenticator.keyStates()).toMatchObject([{ keyId: 'new', uses: 2, problem: expect.any(String) as string }]);
  });

  test('twice at once, what was written last counts, however long the first one takes', async () => {
    const set = file('set.json', JSON.stringify({ keys: provider.keys }));
    const issuers = (issuer: string, jwks: string): string =>
      file('i.yaml', `- { issuer: ${issuer}, audience: b, jwks: "${jwks}" }`);
    const authenticator = authenticatorFor({ jwtIssuersFile: issuers('first', set) });
    await authenticator.ready();
    let release = (): void => undefined;
    provider.answer = (response) => (release = () => void response.writeHead(500).end());
    issuers('second', `${provider.issuer}/keys`);
    const slow = authenticator.reload();
    await expect.poll(() => provider.asked.length).toBe(1);
    issuers('third', set);
    const quick = authenticator.reload();
    // One that did not wait would be through by now.
    await new Promise((resolve) => setTimeout(resolve, 100));
    release();
    await Promise.all([slow, quick]);
    expect(authenticator.keyStates()).toMatchObject([{ issuer: 'third', keyId: 'old' }]);
  });

  test('before anything was asked, and after settings that were wrong', async () => {
    const jwtKeysFile = file('keys.yaml', '');
    const authenticator = authenticatorFor({ jwtKeysFile });
    expectRefusal(await failureOf(() => authenticator.reload()), 'settings');
    file('secret', OLD.toString());
    file('keys.yaml', '- { kid: a, algorithm: HS256, secret_file: secret }');
    await authenticator.reload();
    expect(await tryOf(authenticator, hs(OLD))).toBe('ok');
  });
});
