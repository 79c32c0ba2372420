/** The file of keys: what may stand in it, and what it does in a planned change and in an emergency. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createAuthenticator } from '../../../../src/adapters/authenticator/index.ts';
import type { AuthSettings, LazyAuthenticator } from '../../../../src/adapters/authenticator/index.ts';
import { trustedIssuers } from '../../../../src/adapters/authenticator/issuers.ts';
import { readKeysFile } from '../../../../src/adapters/authenticator/keys-file.ts';
import { mintToken } from '../../../../src/adapters/authenticator/mint.ts';
import { signingKey } from '../../../../src/adapters/authenticator/signing-key.ts';
import { expectRefusal, failureOf, outcomeOf } from '../../../helpers/refusals.ts';
import { AUDIENCE, EC, ISSUER, NOW, RSA, SECRET, pem } from '../../../helpers/tokens.ts';

const folder = mkdtempSync(join(tmpdir(), 'runbook-key-list-'));
const file = (name: string): string => join(folder, name);
const settings: AuthSettings = {
  jwtIssuer: ISSUER,
  jwtAudience: AUDIENCE,
  jwtRolesClaim: 'roles',
  jwtSubjectClaim: 'sub',
};

beforeAll(() => {
  writeFileSync(file('new'), `${SECRET.toString()}\n`);
  writeFileSync(file('old'), 'b8e7053fa61d2e8b94c07a56f1d2c9a4\n');
  writeFileSync(file('short'), 'short\n');
  writeFileSync(file('rsa.pem'), pem(RSA.publicKey));
  writeFileSync(file('ec.pem'), pem(EC.publicKey));
  writeFileSync(file('private.pem'), RSA.privateKey.export({ type: 'pkcs8', format: 'pem' }));
});
afterAll(() => rmSync(folder, { recursive: true }));

function written(text: string, name = 'keys.yaml'): string {
  writeFileSync(file(name), text);
  return file(name);
}
const iso = (ms: number): string => new Date(ms).toISOString();

describe('a file of keys', () => {
  test('is read in its order, with paths relative to it', () => {
    const keys = readKeysFile(
      written(`# rotated each quarter
- kid: 2026-10
  algorithm: HS256
  secret_file: new
  not_before: 2026-10-01T00:00:00Z
- { kid: 2026-07, algorithm: HS512, secret_file: ./old, retire_at: "2026-10-02T02:00+02:00" }
- kid: partner
  algorithm: PS256
  public_key_file: ${file('rsa.pem')}
- kid: robots
  algorithm: ES256
  public_key_file: ec.pem
`),
    );
    expect(keys).toMatchObject([
      {
        kid: '2026-10',
        algorithm: 'HS256',
        key: { secret: SECRET },
        notBefore: new Date('2026-10-01'),
        retireAt: null,
      },
      { kid: '2026-07', algorithm: 'HS512', notBefore: null, retireAt: new Date('2026-10-02T00:00:00Z') },
      { kid: 'partner', algorithm: 'PS256', key: { kind: 'public-key' } },
      { kid: 'robots', algorithm: 'ES256' },
    ]);
    const [issuer] = trustedIssuers({ ...settings, jwtKeysFile: file('keys.yaml') });
    expect(issuer).toMatchObject({ issuer: ISSUER, own: true, algorithms: ['HS256', 'HS512', 'PS256', 'ES256'] });
  });

  const GOOD = '- kid: a\n  algorithm: HS256\n  secret_file: new\n';
  const head = '- kid: a\n  algorithm: HS256\n';
  test.each([
    ['an unknown key', `${GOOD}  use: sig\n`, 4, /unknown key/],
    ['a key twice', `${GOOD}  kid: b\n`, 4, /not YAML/],
    ['no kid', '- algorithm: HS256\n  secret_file: new\n', 1, /kid is missing/],
    ['no algorithm', '- kid: a\n  secret_file: new\n', 1, /algorithm is missing/],
    ['no key', head, 1, /exactly one key/],
    ['two keys', `${GOOD}  public_key_file: rsa.pem\n`, 1, /exactly one key/],
    ['a kid twice', `${GOOD}${GOOD.replace('new', 'old')}`, 4, /kid is given twice/],
    ['a secret under two ids', `${GOOD}${GOOD.replace('kid: a', 'kid: b')}`, 6, /same key as a/],
    [
      'a public key under two ids',
      '- { kid: a, algorithm: RS256, public_key_file: rsa.pem }\n- { kid: b, algorithm: PS256, public_key_file: rsa.pem }\n',
      2,
      /same key as a/,
    ],
    [
      'a kid in letters that headers do not have',
      '- kid: ü\n  algorithm: HS256\n  secret_file: new\n',
      1,
      /kid is not a short/,
    ],
    ['a secret for RS256', `- kid: a\n  algorithm: RS256\n  secret_file: new\n`, 2, /cannot have the algorithm/],
    ['a public key for HS256', `${head}  public_key_file: rsa.pem\n`, 2, /cannot have the algorithm/],
    [
      'an EC key for RS256',
      '- kid: a\n  algorithm: RS256\n  public_key_file: ec.pem\n',
      2,
      /cannot have the algorithm/,
    ],
    ['none', '- kid: a\n  algorithm: none\n  secret_file: new\n', 2, /cannot have the algorithm/],
    ['several algorithms', '- kid: a\n  algorithm: [HS256, HS512]\n  secret_file: new\n', 2, /not one text/],
    ['a time without a zone', `${GOOD}  not_before: 2026-10-01T00:00:00\n`, 4, /not a time with its zone/],
    ['a day', `${GOOD}  retire_at: 2026-10-01\n`, 4, /not a time with its zone/],
    ['a day that no calendar has', `${GOOD}  retire_at: 2026-02-30T00:00:00Z\n`, 4, /not a time with its zone/],
    ['a number', `${GOOD}  retire_at: 1790812800\n`, 4, /not a time with its zone/],
    ['how long', `${GOOD}  retire_at: 90d\n`, 4, /not a time with its zone/],
    [
      'an end before its beginning',
      `${GOOD}  not_before: 2026-10-01T00:00:00Z\n  retire_at: 2026-10-01T00:00:00Z\n`,
      5,
      /retire_at is not after not_before/,
    ],
    ['a weak secret', `${head}  secret_file: short\n`, 3, /shorter/],
    ['a private key', `- kid: a\n  algorithm: RS256\n  public_key_file: private.pem\n`, 3, /private key/],
    ['a missing file', `${head}  secret_file: gone\n`, 3, /cannot be read/],
    ['no list', 'kid: a\n', 1, /no list/],
    ['nothing', '', 1, /no list/],
    ['a text', '- a\n', 1, /not a mapping/],
  ])('%s is told with file and line', async (_name, text, line, reason) => {
    const refusal = expectRefusal(await failureOf(() => readKeysFile(written(text))), 'settings');
    expect(refusal.message).toMatch(reason);
    expect(refusal.message).toContain(`${file('keys.yaml')}:${line}: `);
  });

  test('has a bounded number of keys', async () => {
    const lines = Array.from({ length: 17 }, (_, index) => {
      writeFileSync(file(`many-${index}`), `${index}-${SECRET.toString()}`);
      return `- { kid: k${index}, algorithm: HS256, secret_file: many-${index} }\n`;
    });
    expect(readKeysFile(written(lines.slice(1).join('')))).toHaveLength(16);
    const refusal = expectRefusal(await failureOf(() => readKeysFile(written(lines.join('')))), 'settings');
    expect(refusal.message).toMatch(/keys\.yaml:17: there are more than 16 keys/);
  });

  test('goes with no other key, and its algorithms with those of the settings', async () => {
    const jwtKeysFile = written(GOOD);
    for (const [changes, reason] of [
      [{ jwtSecret: SECRET.toString() }, /More than one kind/],
      [{ jwtAlgorithm: 'HS512' }, /"a" has algorithm HS256/],
      [{ jwtSecretPrevious: SECRET.toString() }, /without RUNBOOK_JWT_SECRET/],
    ] as const) {
      const failure = await failureOf(() => trustedIssuers({ ...settings, jwtKeysFile, ...changes }));
      expect(expectRefusal(failure, 'settings').message).toMatch(reason);
    }
    expect(trustedIssuers({ ...settings, jwtKeysFile, jwtAlgorithm: 'HS256, HS512' })).toMatchObject([
      { algorithms: ['HS256'] },
    ]);
  });
});

describe('what signs', () => {
  const list = (...items: readonly string[]): AuthSettings => ({ ...settings, jwtKeysFile: written(items.join('')) });
  const OLD = '- { kid: old, algorithm: HS512, secret_file: old, retire_at: 2026-01-01T01:00:00Z }\n';
  const NEW = '- { kid: new, algorithm: HS256, secret_file: new, not_before: 2026-01-01T00:30:00Z }\n';
  const PUBLIC = '- { kid: rsa, algorithm: RS256, public_key_file: rsa.pem }\n';

  test('is the newest secret that counts', () => {
    for (const items of [
      [OLD, NEW, PUBLIC],
      [PUBLIC, NEW, OLD],
    ]) {
      const both = list(...items);
      expect(signingKey(both, NOW)).toMatchObject({ keyId: 'old', algorithm: 'HS512' });
      expect(signingKey(both, new Date('2026-01-01T00:29:59.999Z')).keyId).toBe('old');
      expect(signingKey(both, new Date('2026-01-01T00:30:00Z'))).toEqual({
        keyId: 'new',
        algorithm: 'HS256',
        secret: SECRET,
        retireAt: null,
      });
    }
  });

  test.each([
    ['only public keys', [PUBLIC], NOW],
    ['only retired ones', [OLD], new Date('2026-01-01T01:00:00Z')],
    ['only later ones', [NEW], NOW],
  ])('is nothing where there are %s', async (_name, items, now) => {
    const refusal = expectRefusal(await failureOf(() => signingKey(list(...items), now)), 'settings');
    expect(refusal.message).toMatch(/No secret of .* counts now/);
  });

  test('is the current secret where keys have no ids, and then tokens name none', async () => {
    const own = { ...settings, jwtSecret: SECRET.toString(), jwtSecretPrevious: 'b8e7053fa61d2e8b94c07a56f1d2c9a4' };
    expect(signingKey(own, NOW)).toEqual({ secret: SECRET, algorithm: 'HS256', keyId: null, retireAt: null });
    expect(expectRefusal(await failureOf(() => signingKey(settings, NOW)), 'settings').message).toMatch(/no secret/);
  });

  test('makes no token that would outlive it', async () => {
    const wish = {
      ...signingKey(list(OLD), NOW),
      issuer: ISSUER,
      audience: AUDIENCE,
      subject: 'a',
      roles: [],
      claims: {},
      now: NOW,
    };
    await expect(mintToken({ ...wish, ttlMs: 3_600_000 })).resolves.toMatch(/^ey/);
    const refusal = expectRefusal(await failureOf(() => mintToken({ ...wish, ttlMs: 3_601_000 })), 'usage');
    expect(refusal.message).toMatch(/retired before/);
  });
});

/** Three instances that learn of a change one after the other, each making tokens and taking those of all. */
describe('three instances', () => {
  const TOKEN_LIFE = 300;
  const START = 60;
  const RETIRE = START + TOKEN_LIFE + 1;
  let nowMs = NOW.getTime();
  const base = (): string => '- { kid: old, algorithm: HS256, secret_file: old }\n';
  const both =
    (): string => `- { kid: new, algorithm: HS256, secret_file: new, not_before: ${iso(NOW.getTime() + START * 1000)} }
- { kid: old, algorithm: HS256, secret_file: old, retire_at: ${iso(NOW.getTime() + RETIRE * 1000)} }\n`;

  const instance = (index: number): { readonly own: AuthSettings; readonly authenticator: LazyAuthenticator } => {
    const own = { ...settings, jwtKeysFile: written(base(), `instance-${index}.yaml`) };
    return { own, authenticator: createAuthenticator('jwt', own, { now: () => new Date(nowMs) }) };
  };
  const mint = async (own: AuthSettings): Promise<string> =>
    await mintToken({
      ...signingKey(own, new Date(nowMs)),
      issuer: ISSUER,
      audience: AUDIENCE,
      subject: 'anna',
      roles: [],
      claims: {},
      ttlMs: TOKEN_LIFE * 1000,
      now: new Date(nowMs),
    });

  test('a planned change refuses nobody, and after it nothing of the old key is left', async () => {
    const instances = [0, 1, 2].map(instance);
    let live: { readonly made: string; readonly until: number; readonly kid: unknown }[] = [];
    const count = { accepted: 0, refused: 0 };
    let last = '';
    for (let second = 0; second <= RETIRE + 10; second++) {
      nowMs = NOW.getTime() + second * 1000;
      if (second % 20 === 0 && second < 60) {
        written(both(), `instance-${second / 20}.yaml`);
        await instances[second / 20]?.authenticator.reload();
      }
      for (const { own } of instances) {
        const made = await mint(own);
        const { kid } = JSON.parse(Buffer.from(made.split('.')[0] ?? '', 'base64url').toString()) as { kid: unknown };
        if (kid === 'old') last = made;
        live.push({ made, until: second + TOKEN_LIFE, kid });
      }
      live = live.filter(({ until }) => until > second);
      // The youngest, the oldest, and one between.
      for (const { made } of [live.at(-1), live[0], live[live.length >> 1]].flatMap((item) => item ?? [])) {
        for (const { authenticator } of instances)
          count[(await outcomeOf(() => authenticator.authenticate(made))) === 'ok' ? 'accepted' : 'refused']++;
      }
    }
    expect(count.refused).toBe(0);
    for (const { own, authenticator } of instances) {
      expect((await failureOf(() => authenticator.authenticate(last)))?.toString()).toMatch(/retired/);
      // Nor one that is signed with it later.
      const { secret } = signingKey({ ...own, jwtKeysFile: written(base(), 'thief.yaml') }, new Date(nowMs));
      const wish = {
        secret,
        issuer: ISSUER,
        audience: AUDIENCE,
        subject: 'x',
        roles: [],
        claims: {},
        ttlMs: 60_000,
        now: new Date(nowMs),
      };
      for (const keyId of ['old', 'new', null])
        expect(await outcomeOf(async () => authenticator.authenticate(await mintToken({ ...wish, keyId })))).toBe(
          'unauthenticated',
        );
      const old = authenticator.keyStates().find(({ keyId }) => keyId === 'old');
      expect(old?.lastUsedAt?.getTime()).toBeLessThan(NOW.getTime() + RETIRE * 1000);
    }
    process.stdout.write(
      `planned change: ${count.accepted} accepted, ${count.refused} refused over ${RETIRE + 10} s\n`,
    );
  });

  test('in an emergency the key goes at once, and with it its tokens', async () => {
    nowMs = NOW.getTime();
    const { own, authenticator } = instance(3);
    const stolen = await mint(own);
    expect(await outcomeOf(() => authenticator.authenticate(stolen))).toBe('ok');
    written('- { kid: new, algorithm: HS256, secret_file: new }\n', 'instance-3.yaml');
    expect(await outcomeOf(() => authenticator.authenticate(stolen))).toBe('ok');
    await authenticator.reload();
    expect(await outcomeOf(() => authenticator.authenticate(stolen))).toBe('unauthenticated');
    expect(await outcomeOf(async () => authenticator.authenticate(await mint(own)))).toBe('ok');
  });
});
