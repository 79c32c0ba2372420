/** Keys through the real bundle: secrets that rotate, keys with ids, an issuer with discovery. */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { classic, createHome } from '../helpers/cli.ts';
import type { Home } from '../helpers/cli.ts';
import { startProvider } from '../helpers/provider.ts';
import type { Provider } from '../helpers/provider.ts';
import { jwk, token } from '../helpers/tokens.ts';

type Environment = Readonly<Record<string, string>>;
const secret = (): string => randomBytes(32).toString('hex');
const OLD = secret();
const NEW = secret();

function prepare(): Home {
  const home = createHome();
  home.write('Guarded.md', classic('Guarded', 'env; echo ran', { claims: 'roles: sre' }));
  return home;
}
async function mint(home: Home, env: Environment): Promise<string> {
  return (await home.run(['token', 'mint', '--subject', 'anna', '--role', 'sre'], { env })).stdout.trim();
}
/** The exit code, and the key that the record names. */
async function execute(home: Home, env: Environment, made: string): Promise<readonly [number, unknown]> {
  const { exitCode, stdout } = await home.run(['execute', './Guarded.md'], { env: { ...env, RUNBOOK_TOKEN: made } });
  for (const hidden of [OLD, NEW]) expect(stdout).not.toContain(hidden);
  const { runs } = (await home.json(['history'])) as unknown as { runs: { who: Record<string, unknown> }[] };
  return [exitCode ?? -1, runs[0]?.who['keyId']];
}
const headerOf = (made: string): unknown => JSON.parse(Buffer.from(made.split('.')[0] ?? '', 'base64url').toString());

describe('the secret before', () => {
  it.each(['JWT_SECRET_PREVIOUS', 'JWT_SECRET_OLD', 'RUNBOOK_JWT_SECRET_PREVIOUS'])('as %s', async (name) => {
    const home = prepare();
    const made = await mint(home, { JWT_SECRET: OLD });
    expect(headerOf(made)).toEqual({ alg: 'HS256', typ: 'JWT' });
    const env = { JWT_SECRET: NEW, [name]: OLD };
    expect(await execute(home, env, made)).toEqual([0, 'previous']);
    expect(await execute(home, { JWT_SECRET: NEW }, made)).toEqual([77, null]);
    // Nothing is signed with it any more.
    expect(await execute(home, { JWT_SECRET: NEW }, await mint(home, env))).toEqual([0, 'current']);
  });

  it('in a file, and without a secret of now', async () => {
    const home = prepare();
    const made = await mint(home, { JWT_SECRET: OLD });
    const file = home.write('old', `${OLD}\n`);
    expect(await execute(home, { JWT_SECRET: NEW, JWT_SECRET_OLD_FILE: file }, made)).toEqual([0, 'previous']);
    const { exitCode, stderr } = await home.run(['execute', './Guarded.md'], {
      env: { JWT_SECRET_OLD: OLD, RUNBOOK_TOKEN: made },
    });
    expect(exitCode).toBe(78);
    expect(stderr).toContain('JWT_SECRET_OLD is set without RUNBOOK_JWT_SECRET.');
  });
});

describe('keys with ids', () => {
  it('sign with the newest, verify with each, and not after they are taken out', async () => {
    const home = prepare();
    mkdirSync(path.join(home.folder, 'keys'));
    home.write('keys/old', OLD);
    home.write('keys/new', NEW);
    const list = (...kids: readonly string[]): Environment => ({
      JWT_KEYS_FILE: home.write(
        'keys/keys.yaml',
        kids
          .map(
            (kid) =>
              `- { kid: k-${kid}, algorithm: HS256, secret_file: ${kid}, not_before: 202${kid === 'new' ? 6 : 5}-01-01T00:00:00Z }\n`,
          )
          .join(''),
      ),
    });
    const first = await mint(home, list('old'));
    expect(headerOf(first)).toEqual({ alg: 'HS256', typ: 'JWT', kid: 'k-old' });
    const second = await mint(home, list('old', 'new'));
    expect(headerOf(second)).toEqual({ alg: 'HS256', typ: 'JWT', kid: 'k-new' });
    expect(await execute(home, list('old', 'new'), first)).toEqual([0, 'k-old']);
    expect(await execute(home, list('old', 'new'), second)).toEqual([0, 'k-new']);
    expect(await execute(home, list('new'), first)).toEqual([77, null]);
  });
});

describe('an issuer with discovery', () => {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-384' });
  let provider: Provider;
  beforeEach(async () => {
    provider = await startProvider([jwk(pair.publicKey, { kid: 'k1' })]);
  });
  afterEach(async () => await provider.close());

  const made = (issuer: string): string => {
    const now = Math.floor(Date.now() / 1000);
    return token('ES384', pair.privateKey, { iss: issuer, aud: 'rb', iat: now, exp: now + 300 }, { kid: 'k1' });
  };

  it('is believed by its own keys; its host has to be listed', async () => {
    const home = prepare();
    const env = { OIDC_ISSUER: provider.issuer, JWT_AUDIENCE: 'rb' };
    const unlisted = await home.run(['execute', './Guarded.md'], {
      env: { ...env, RUNBOOK_TOKEN: made(provider.issuer) },
    });
    expect(unlisted.exitCode).toBe(78);
    expect(unlisted.stderr).toContain(`RUNBOOK_JWT_PRIVATE_HOSTS=${provider.host}`);
    expect(provider.asked).toEqual([]);
    const listed = { ...env, JWT_PRIVATE_HOSTS: `keys.internal, ${provider.host}` };
    expect(await execute(home, listed, made(provider.issuer))).toEqual([0, 'k1']);
    expect(provider.asked).toEqual(['/realm/.well-known/openid-configuration', '/realm/keys']);
    expect(await execute(home, listed, made('https://other.example'))).toEqual([77, null]);
    await provider.close();
    expect(await execute(home, listed, made(provider.issuer))).toEqual([69, null]);
  });

  it('a key set by its other names', async () => {
    const home = prepare();
    const file = home.write('set.json', JSON.stringify({ keys: provider.keys }));
    for (const env of [{ JWT_JWKS_URL: `${provider.issuer}/keys` }, { JWT_JWKS_FILE: file }])
      expect(await execute(home, { ...env, JWT_AUDIENCE: 'rb' }, made('dev-idp'))).toEqual([0, 'k1']);
  });
});

describe('settings of keys', () => {
  it('are shown, secrets masked; a project’s file may set none of them', async () => {
    const home = prepare();
    const env = { JWT_SECRET_OLD: OLD, JWKS_STALE_SECONDS: '3600', JWT_PRIVATE_HOSTS: 'a,b:1' };
    const { settings } = (await home.json(['config'], { env })) as unknown as {
      settings: { name: string; value: unknown }[];
    };
    const valueOf = (name: string): unknown => settings.find((setting) => setting.name === name)?.value;
    expect(valueOf('jwks_stale')).toBe(3_600_000);
    expect(valueOf('jwt_private_hosts')).toBe('a,b:1');
    expect(JSON.stringify(settings)).not.toContain(OLD);
    for (const name of ['jwt_private_hosts', 'jwt_keys_file', 'oidc_issuer', 'jwks_stale', 'jwt_secret_previous']) {
      home.write('.runbook.yaml', `${name}: 1h\n`);
      const { exitCode, stderr } = await home.run(['config']);
      expect(exitCode).toBe(78);
      expect(stderr).toContain(`may not set \`${name}\``);
    }
  });
});
