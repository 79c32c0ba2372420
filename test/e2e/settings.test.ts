/** Settings through the real bundle: where they come from, what is refused, what scripts and children get of them. */
import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { execa } from 'execa';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { BIN, classic, createHome } from '../helpers/cli.ts';
import type { Home } from '../helpers/cli.ts';

interface Shown {
  readonly name: string;
  readonly value: unknown;
  readonly origin: string;
  readonly from: string | null;
}
async function setting(
  home: Home,
  name: string,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<Shown | undefined> {
  const { settings } = (await home.json(['config', ...args], { env })) as unknown as { settings: Shown[] };
  return settings.find((shown) => shown.name === name);
}

describe('settings', () => {
  it('in a pipeline a run ends after 10 minutes where nobody says anything else, and `config` says why', async () => {
    const home = createHome();
    const ci = { CI: 'true' };
    expect(await setting(home, 'timeout')).toMatchObject({ value: null, origin: 'default', from: null });
    expect(await setting(home, 'timeout', [], ci)).toMatchObject({ value: '10m', origin: 'CI', from: null });
    expect((await home.run(['config'], { env: ci })).stdout).toMatch(/^timeout +10m +CI /m);
    expect(await setting(home, 'timeout', [], { CI: 'false' })).toMatchObject({ value: null });
    home.write('.runbook.yaml', 'timeout: 2h\n');
    expect(await setting(home, 'timeout', [], ci)).toMatchObject({ value: '2h', origin: 'project file' });
  });

  it('come from the user’s file, the project’s file and the environment, and say from which line', async () => {
    const home = createHome();
    mkdirSync(path.join(home.folder, '.config/runbook'), { recursive: true });
    home.write('.config/runbook/config.yaml', '# mine\nhistory: ledger\ntimeout: 5m\npass_env:\n- AWS_*\n- EDITOR\n');
    expect(await setting(home, 'timeout')).toMatchObject({
      value: '5m',
      origin: 'user file',
      from: expect.stringMatching(/config\.yaml:3 timeout$/) as string,
    });
    expect(await setting(home, 'pass_env')).toMatchObject({ value: 'AWS_*,EDITOR' });
    home.write('.runbook.yaml', 'timeout: 6m\n');
    expect(await setting(home, 'timeout')).toMatchObject({ value: '6m', origin: 'project file' });
    expect(await setting(home, 'timeout', [], { RUNBOOK_TIMEOUT: '7m' })).toMatchObject({
      value: '7m',
      origin: 'environment',
      from: 'RUNBOOK_TIMEOUT',
    });
  });

  it.each([
    [
      'a key of a project that is not its own',
      '.runbook.yaml',
      'jwt_secret: x\n',
      {},
      /\.runbook\.yaml:1 jwt_secret: a project’s file may not set/,
    ],
    [
      'an unknown key',
      '.runbook.yaml',
      'timout: 5m\n',
      {},
      /\.runbook\.yaml:1: timout is not a setting\.\n {2}fix: Did you mean “timeout”/,
    ],
    ['a doubled key', '.runbook.yaml', 'timeout: 5m\ntimeout: 6m\n', {}, /\.runbook\.yaml:2: Map keys must be unique/],
    ['a list at the top', '.runbook.yaml', '- timeout\n', {}, /the file is not a mapping/],
    [
      'a value of the wrong form',
      '.runbook.yaml',
      'timeout: 5\n',
      {},
      /\.runbook\.yaml:1 timeout: “5” is not a duration/,
    ],
    [
      'an unknown variable',
      'x',
      '',
      { RUNBOOK_TIMOUT: '5m' },
      /RUNBOOK_TIMOUT is not a setting\.\n {2}fix: Did you mean “RUNBOOK_TIMEOUT”/,
    ],
    [
      'a file of a secret that is not there',
      'x',
      '',
      { JWT_SECRET_FILE: '/nowhere' },
      /JWT_SECRET_FILE: \/nowhere cannot be read/,
    ],
    [
      'a key set in two places',
      'x',
      '',
      { JWT_JWKS_URL: 'https://sso.example.com/keys', JWT_JWKS_FILE: './keys.json' },
      /JWT_JWKS_URL and JWT_JWKS_FILE are both set\.\n {2}fix: Set one of them/,
    ],
    [
      'two secrets before this one',
      'x',
      '',
      { JWT_SECRET_OLD: 'a'.repeat(40), JWT_SECRET_PREVIOUS: 'b'.repeat(40) },
      /JWT_SECRET_OLD and JWT_SECRET_PREVIOUS are both set\./,
    ],
  ])('%s stops the start', async (_name, file, content, env, says) => {
    const home = createHome();
    home.write(file, content);
    home.write('Run.md', classic('Run', 'echo ran'));
    const { exitCode, stdout, stderr } = await home.run(['execute', './Run.md'], { env });
    expect(stderr).toMatch(says);
    expect(exitCode).toBe(78);
    expect(stdout).toBe('');
  });

  it('may stand there twice where both say the same, or where one is stronger', async () => {
    const home = createHome();
    const jwks = async (env: Readonly<Record<string, string>>): Promise<unknown> => {
      const { settings } = (await home.json(['config'], { env })) as unknown as {
        settings: { name: string; value: unknown }[];
      };
      return settings.find(({ name }) => name === 'jwt_jwks')?.value;
    };
    expect(await jwks({ JWT_JWKS_URL: 'https://a.example/k', JWT_JWKS: 'https://a.example/k' })).toBe(
      'https://a.example/k',
    );
    expect(await jwks({ RUNBOOK_JWT_JWKS: 'https://b.example/k', JWT_JWKS: 'https://a.example/k' })).toBe(
      'https://b.example/k',
    );
  });

  it('never show a secret', async () => {
    const home = createHome();
    const secret = randomBytes(32).toString('hex');
    const { stdout } = await home.run(['config'], { env: { JWT_SECRET: secret, RUNBOOK_TOKEN: 'a.b.c' } });
    expect(stdout).toMatch(/^stop_grace +5s /m);
    expect(stdout).toMatch(/^keep_output +90d /m);
    expect(stdout).toMatch(/^max_output +10MiB /m);
    expect(stdout).toContain('(secret)');
    expect(stdout).not.toContain(secret);
    expect(stdout).not.toContain('a.b.c');
  });
});

describe('secrets of the tool', () => {
  it('never reach a script, not by --pass-env and not by a declaration', async () => {
    const home = createHome();
    const secret = randomBytes(32).toString('hex');
    home.write('Env.md', classic('Env', 'env'));
    home.write('Declared.md', classic('Declared', 'env', { env: 'JWT_SECRET: the secret' }));
    const passed = await home.run(['execute', './Env.md', '--pass-env', '*'], {
      env: { JWT_SECRET: secret, OTHER: 'seen' },
    });
    expect(passed.stdout).toContain('OTHER=seen');
    expect(passed.stdout).not.toContain(secret);
    const declared = await home.run(['execute', './Declared.md'], { env: { JWT_SECRET: secret } });
    expect(declared).toMatchObject({ exitCode: 78, stdout: '' });
    expect(declared.stderr).toContain('not set: JWT_SECRET');
  });

  it('in a file do for a child, which gets the path and not the secret', async () => {
    const home = createHome();
    const secret = randomBytes(32).toString('hex');
    home.write('secret', secret);
    const env = { JWT_SECRET_FILE: path.join(home.folder, 'secret') };
    const token = (await home.run(['token', 'mint', '--subject', 'anna', '--role', 'sre'], { env })).stdout.trim();
    home.write('Child.md', classic('Child', 'echo child', { claims: 'roles: sre' }));
    home.write(
      'Parent.md',
      classic('Parent', `env; cd "${home.folder}" && "${process.execPath}" "${BIN}" execute -q ./Child.md`, {
        claims: 'roles: sre',
      }),
    );
    const { exitCode, stdout, stderr } = await home.run(['execute', '-q', './Parent.md'], {
      env: { ...env, RUNBOOK_TOKEN: token },
    });
    expect(stderr).toBe('');
    expect(exitCode).toBe(0);
    expect(stdout).toContain('child\n');
    expect(stdout).not.toContain(secret);
  });
});

describe('a key set at an address', () => {
  it('is fetched and verifies', async () => {
    const home = createHome();
    const { publicKey, privateKey } = await generateKeyPair('ES256');
    const keys = JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'k1', alg: 'ES256', use: 'sig' }] });
    const server = createServer((_request, response) =>
      response.setHeader('content-type', 'application/json').end(keys),
    );
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    try {
      const { port } = server.address() as AddressInfo;
      const token = await new SignJWT({ roles: ['sre'] })
        .setProtectedHeader({ alg: 'ES256', kid: 'k1' })
        .setIssuer('dev-idp')
        .setAudience('dev-api')
        .setSubject('anna')
        .setIssuedAt()
        .setExpirationTime('5m')
        .sign(privateKey);
      home.write('Guarded.md', classic('Guarded', 'echo ran', { claims: 'roles: sre' }));
      const env = { JWT_JWKS: `http://127.0.0.1:${port}/jwks`, RUNBOOK_TOKEN: token };
      expect(await home.run(['execute', '-q', './Guarded.md'], { env })).toMatchObject({
        exitCode: 0,
        stdout: 'ran\n',
        stderr: '',
      });
      server.closeAllConnections();
      server.close();
      expect(await home.run(['execute', '-q', './Guarded.md'], { env })).toMatchObject({ exitCode: 69, stdout: '' });
    } finally {
      server.close();
    }
  });
});

describe('order of events', () => {
  it('a run is in the ledger as started before its script does anything', async () => {
    const home = createHome();
    home.write(
      'Look.md',
      classic('Look', `"${process.execPath}" "${BIN}" history "\${RUNBOOK_RUN_ID:0:20}" --json | grep -m1 '"state"'`),
    );
    const { stdout } = await home.run(['execute', '-q', './Look.md']);
    expect(stdout.trim()).toBe('"state": "started",');
  });

  it('and is in the ledger with its end when the caller hears of it, though the document could not be written', async () => {
    const home = createHome();
    const file = home.write(
      'Gone.md',
      classic('Gone', `rm "${path.join(home.folder, 'Gone.md')}"; mkdir "${path.join(home.folder, 'Gone.md')}"`),
    );
    const { exitCode, stderr } = await home.run(['execute', './Gone.md']);
    expect(exitCode).toBe(0);
    expect(stderr).toContain('could not be written into the document');
    expect(stderr).toContain('The run is in the ledger.');
    await execa('rmdir', [file]);
    const { runs } = (await home.json(['history'])) as unknown as { runs: { state: string }[] };
    expect(runs.map((run) => run.state)).toEqual(['finished']);
  });
});

describe('validate --ready', () => {
  it('tells what is missing here from what is wrong in the document', async () => {
    const home = createHome();
    home.write('Ready.md', classic('Ready', 'true', { env: 'WHERE: the place' }));
    expect(await home.run(['validate', './Ready.md'])).toMatchObject({ exitCode: 0 });
    expect(await home.run(['validate', './Ready.md', '--ready'])).toMatchObject({ exitCode: 78 });
    expect(await home.run(['validate', './Ready.md', '--ready'], { env: { WHERE: 'here' } })).toMatchObject({
      exitCode: 0,
    });
  });
});
