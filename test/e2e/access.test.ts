/** Who may run a runbook: with no token, a good one, a bad one, and tokens of several issuers. */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { execa } from 'execa';
import { exportJWK, SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { BIN, classic, cleanEnvironment, createHome } from '../helpers/cli.ts';
import type { Home } from '../helpers/cli.ts';

const SECRET = randomBytes(32).toString('hex');
const env = { JWT_SECRET: SECRET };

interface RecordedRun {
  readonly state: string;
  readonly refusal: { readonly code: string; readonly message: string } | null;
  readonly who: Record<string, unknown>;
}
async function newest(home: Home): Promise<RecordedRun | undefined> {
  return ((await home.json(['history'])) as unknown as { runs: RecordedRun[] }).runs[0];
}

function prepare(claims = 'roles: sre, dba'): { home: Home; marker: string; document: string } {
  const home = createHome();
  const marker = path.join(home.folder, 'ran');
  const document = home.write('Guarded.md', classic('Guarded', `touch ${marker}; echo ran`, { claims }));
  return { home, marker, document };
}

async function mint(home: Home, ...args: readonly string[]): Promise<string> {
  return (await home.run(['token', 'mint', '--subject', 'anna', ...args], { env })).stdout.trim();
}

const sign = async ({ exp, ...claims }: { exp?: number } & Record<string, unknown>, secret = SECRET): Promise<string> =>
  await new SignJWT({ iss: 'dev-idp', aud: 'dev-api', sub: 'anna', ...claims })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setIssuedAt()
    .setExpirationTime(exp ?? '5m')
    .sign(new TextEncoder().encode(secret));

describe('a runbook with claims', () => {
  it('without a token: 77, the missing claim, its values, how to get a token, and a record', async () => {
    const { home, marker } = prepare();
    const { exitCode, stderr } = await home.run(['execute', './Guarded.md'], { env });
    expect(exitCode).toBe(77);
    expect(stderr).toMatch(/needs roles = sre or dba/);
    expect(stderr).toMatch(/fix: .*--token-file.*token mint/);
    expect(() => readFileSync(marker)).toThrow('ENOENT');
    expect(await newest(home)).toMatchObject({
      state: 'refused',
      refusal: { code: 'unauthenticated' },
      who: { subject: null },
    });
  });

  it('with a token by every way: runs, and the record says who', async () => {
    const { home } = prepare();
    const token = await mint(home, '--role', 'sre');
    home.write('token', `${token}\n`);
    expect(await home.run(['execute', '-q', './Guarded.md', '--token-file', 'token'], { env })).toMatchObject({
      exitCode: 0,
      stdout: 'ran\n',
    });
    expect(await newest(home)).toMatchObject({
      state: 'finished',
      who: { subject: 'anna', roles: ['sre'], issuer: 'dev-idp', selfMade: true },
    });
    expect(await home.run(['execute', '-q', './Guarded.md', '--token', '-'], { env, input: token })).toMatchObject({
      exitCode: 0,
    });
    expect(await home.run(['execute', '-q', './Guarded.md'], { env: { ...env, RUNBOOK_TOKEN: token } })).toMatchObject({
      exitCode: 0,
    });
    expect(
      await home.run(['execute', '-q', './Guarded.md'], {
        env: { ...env, RUNBOOK_TOKEN_FILE: path.join(home.folder, 'token') },
      }),
    ).toMatchObject({ exitCode: 0 });
  });

  it('with a token of another role: 77, a record, and an entry in the document as Stage0 writes it', async () => {
    const { home, marker, document } = prepare();
    const token = await mint(home, '--role', 'developer');
    const { exitCode, stderr } = await home.run(['execute', './Guarded.md'], { env: { ...env, RUNBOOK_TOKEN: token } });
    expect(exitCode).toBe(77);
    expect(stderr).toMatch(/needs roles = sre or dba; your token has roles = developer/);
    expect(() => readFileSync(marker)).toThrow('ENOENT');
    expect(await newest(home)).toMatchObject({
      state: 'refused',
      refusal: { code: 'forbidden' },
      who: { subject: 'anna' },
    });
    expect(readFileSync(document, 'utf8')).toMatch(
      /### .* \| Exit Code: 403\n[\s\S]*RBAC Failure: Access denied for user anna/,
    );
  });

  it.each([
    ['expired', async () => await sign({ roles: 'sre', exp: 1 })],
    ['signed by somebody else', async () => await sign({ roles: 'sre' }, randomBytes(32).toString('hex'))],
    ['garbage', async () => await Promise.resolve('not.a.token')],
  ])('with a token that is %s: 77 with both reasons, never run, nothing in the document', async (_name, make) => {
    const { home, marker, document } = prepare();
    const before = readFileSync(document, 'utf8');
    const { exitCode, stderr } = await home.run(['execute', './Guarded.md'], {
      env: { ...env, RUNBOOK_TOKEN: await make() },
    });
    expect(exitCode).toBe(77);
    expect(stderr).toContain('needs roles = sre or dba');
    expect(() => readFileSync(marker)).toThrow('ENOENT');
    expect(await newest(home)).toMatchObject({ refusal: { code: 'unauthenticated' }, who: { subject: null } });
    expect(readFileSync(document, 'utf8')).toBe(before);
  });

  it('never splits the text of a token at commas', async () => {
    const { home } = prepare('roles: sre');
    expect(
      await home.run(['execute', './Guarded.md'], {
        env: { ...env, RUNBOOK_TOKEN: await sign({ roles: 'guest, sre' }) },
      }),
    ).toMatchObject({ exitCode: 77 });
    expect(
      await home.run(['execute', './Guarded.md'], { env: { ...env, RUNBOOK_TOKEN: await sign({ roles: 'sre' }) } }),
    ).toMatchObject({ exitCode: 0 });
  });

  it('reads roles by a path and the subject from another claim', async () => {
    const { home } = prepare('roles: sre');
    const token = await sign({ realm_access: { roles: ['sre'] }, email: 'anna@example.org' });
    const settings = {
      ...env,
      RUNBOOK_TOKEN: token,
      JWT_ROLES_CLAIM: 'realm_access.roles',
      JWT_SUBJECT_CLAIM: 'email',
    };
    expect(await home.run(['execute', './Guarded.md'], { env: settings })).toMatchObject({ exitCode: 0 });
    expect(await newest(home)).toMatchObject({ who: { subject: 'anna@example.org', roles: ['sre'], selfMade: false } });
  });

  it('takes several issuers, each with its own key', async () => {
    const { home } = prepare('roles: sre');
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    home.write('key.pem', publicKey.export({ type: 'spki', format: 'pem' }));
    const other = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    home.write(
      'jwks.json',
      JSON.stringify({ keys: [{ ...(await exportJWK(other.publicKey)), kid: 'k1', alg: 'ES256', use: 'sig' }] }),
    );
    home.write(
      'issuers.yaml',
      '- issuer: https://ci.example\n  audience: runbook\n  jwks: jwks.json\n- issuer: https://people.example\n  audience: runbook\n  public_key_file: key.pem\n  algorithms: [EdDSA]\n',
    );
    const make = async (issuer: string, algorithm: string, key: typeof privateKey, kid?: string): Promise<string> =>
      await new SignJWT({ roles: 'sre' })
        .setProtectedHeader({ alg: algorithm, ...(kid === undefined ? {} : { kid }) })
        .setIssuer(issuer)
        .setAudience('runbook')
        .setSubject('x')
        .setIssuedAt()
        .setExpirationTime('5m')
        .sign(key);
    const run = async (token: string) =>
      await home.run(['execute', './Guarded.md'], { env: { RUNBOOK_TOKEN: token, JWT_ISSUERS_FILE: 'issuers.yaml' } });
    expect(await run(await make('https://people.example', 'EdDSA', privateKey))).toMatchObject({ exitCode: 0 });
    expect(await run(await make('https://ci.example', 'ES256', other.privateKey, 'k1'))).toMatchObject({ exitCode: 0 });
    // The right key of the wrong issuer.
    expect(await run(await make('https://ci.example', 'EdDSA', privateKey))).toMatchObject({ exitCode: 77 });
    expect(await run(await make('https://evil.example', 'EdDSA', privateKey))).toMatchObject({ exitCode: 77 });
  });
});

describe('a runbook without claims', () => {
  it('may be run by the local user, but not with a bad token', async () => {
    const home = createHome();
    home.write('Open.md', classic('Open', 'echo ran'));
    expect(await home.run(['execute', './Open.md'])).toMatchObject({ exitCode: 0 });
    expect(
      await home.run(['execute', './Open.md'], { env: { ...env, RUNBOOK_TOKEN: await sign({ exp: 1 }) } }),
    ).toMatchObject({ exitCode: 77 });
  });
});

describe('token mint', () => {
  it('refuses without a secret, and with a weak one', async () => {
    const home = createHome();
    expect(await home.run(['token', 'mint', '--subject', 'anna'])).toMatchObject({
      exitCode: 78,
      stdout: '',
      stderr: expect.stringContaining('openssl rand -hex 32') as string,
    });
    expect(
      await home.run(['token', 'mint', '--subject', 'anna'], { env: { JWT_SECRET: 'dev-secret-change-me' } }),
    ).toMatchObject({ exitCode: 78, stdout: '' });
  });
});

describe('the order of answers', () => {
  it('tells nobody without the claims what a runbook needs', async () => {
    const home = createHome();
    home.write(
      'Guarded.md',
      classic('Guarded', 'true', {
        claims: 'roles: sre',
        env: 'INTERNAL_HOST: the place',
        inputs: 'Input:\n- none.txt',
      }),
    );
    const { exitCode, stderr } = await home.run(['execute', './Guarded.md'], { env });
    expect(exitCode).toBe(77);
    expect(stderr).not.toMatch(/INTERNAL_HOST|none\.txt/);
  });

  it.each([
    ['--token -', ['--token', '-'], ''],
    ['--token-file', ['--token-file', 'empty'], undefined],
  ])('an empty token by %s is refused with what is needed, and recorded', async (_name, args, input) => {
    const { home } = prepare();
    home.write('empty', '\n');
    const { exitCode, stderr } = await home.run(['execute', './Guarded.md', ...args], {
      env,
      ...(input === undefined ? {} : { input }),
    });
    expect(exitCode).toBe(77);
    expect(stderr).toMatch(/is empty.*needs roles = sre or dba/);
    expect(await newest(home)).toMatchObject({ state: 'refused', refusal: { code: 'unauthenticated' } });
  });

  it('a token from a file on stdin does', async () => {
    const { home } = prepare();
    const token = home.write('token', await mint(home, '--role', 'sre'));
    const { exitCode } = await execa(
      'bash',
      ['-c', `"${process.execPath}" -- "${BIN}" execute -q ./Guarded.md --token - < "${token}"`],
      {
        cwd: home.folder,
        env: { ...cleanEnvironment(home.folder), ...env },
        extendEnv: false,
        reject: false,
      },
    );
    expect(exitCode).toBe(0);
  });
});
