/** Secrets that stand in files which files name: a script that can read them shows none of them, also after they were changed. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { classic, createHome } from '../../helpers/cli.ts';
import { holding, hold } from '../../helpers/held-run.ts';
import { startServer } from '../../helpers/server.ts';
import { token } from '../../helpers/tokens.ts';

const secret = (): string => randomBytes(32).toString('hex');
const signedWith = (key: string): string => {
  const now = Math.floor(Date.now() / 1000);
  return token('HS256', Buffer.from(key), { iss: 'dev-idp', aud: 'dev-api', iat: now, exp: now + 300 });
};
const oneOf = (): Readonly<Record<'first' | 'second' | 'others' | 'third', string>> => {
  return { first: secret(), second: secret(), others: secret(), third: secret() };
};
const keysOf = (...names: readonly string[]): string =>
  names.map((name) => `- { kid: k-${name}, algorithm: HS256, secret_file: ${name} }\n`).join('');
const ISSUERS = '- { issuer: https://ci.example.com, audience: dev-api, secret_file: others }\n';
/** As it is, and in a form that tools print. */
const PRINTS =
  'for one in first second others third; do [ -e "$one" ] && { cat "$one"; base64 -w0 "$one"; echo; }; done; echo end';

/** Files with secrets, and those that name them. @param names of the keys that are listed */
function writeKeys(folder: string, secrets: Readonly<Record<string, string>>, ...names: readonly string[]): void {
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries(secrets)) writeFileSync(path.join(folder, name), `${text}\n`);
  writeFileSync(path.join(folder, 'keys.yaml'), keysOf(...names));
  writeFileSync(path.join(folder, 'issuers.yaml'), ISSUERS);
}

/** Nothing of them is left in it, in no form of a line. */
function shown(text: string, secrets: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(secrets).flatMap(([name, value]) => {
    const encoded = Buffer.from(value).toString('base64').slice(0, 24);
    return text.includes(value) || text.includes(encoded) ? [name] : [];
  });
}

describe('on the command line', () => {
  const { third: _, ...secrets } = oneOf();
  it.each<[string, Readonly<Record<string, string>>, readonly string[]]>([
    ['of a keys file', { JWT_KEYS_FILE: 'keys/keys.yaml' }, ['others']],
    ['of an issuers file', { JWT_ISSUERS_FILE: 'keys/issuers.yaml' }, ['first', 'second']],
    ['of both', { JWT_KEYS_FILE: 'keys/keys.yaml', JWT_ISSUERS_FILE: 'keys/issuers.yaml' }, []],
    ['and without these settings they are no secrets', {}, Object.keys(secrets)],
  ])('%s, also where nobody brings a token', async (_case, env, left) => {
    const home = createHome();
    writeKeys(path.join(home.folder, 'keys'), secrets, 'first', 'second');
    home.write('Prints.md', classic('Prints', `cd "${home.folder}/keys"; ${PRINTS}`));
    const { exitCode, stdout, stderr } = await home.run(['execute', './Prints.md'], { env });
    expect([exitCode, stderr, stdout.endsWith('end\n')]).toEqual([0, expect.anything(), true]);
    expect(shown(stdout, secrets).toSorted()).toEqual([...left].toSorted());
    const { stdout: kept } = await home.run(['history', 'last'], { env });
    expect(shown(kept, secrets).toSorted()).toEqual([...left].toSorted());
  });

  it('what cannot be read cannot be masked: then nothing is run, and what was run can be looked at', async () => {
    const home = createHome();
    writeKeys(path.join(home.folder, 'keys'), secrets, 'first', 'missing');
    home.write('Prints.md', classic('Prints', `cat "${home.folder}/keys/first"; touch "${home.folder}/ran"`));
    const env = { JWT_KEYS_FILE: 'keys/keys.yaml' };
    const { exitCode, stdout, stderr } = await home.run(['execute', './Prints.md'], { env });
    expect([exitCode, stdout, stderr]).toEqual([
      78,
      '',
      expect.stringMatching(/keys\.yaml:2: .*missing.* cannot be read/),
    ]);
    expect((await home.run(['history'], { env })).exitCode).toBe(0);
  });
});

describe('of a server', () => {
  const secrets = oneOf();
  const changed = { ...secrets, first: secret() };

  it('before they are read again, after it, and in a run that was there before', async () => {
    const server = await startServer({
      env: { JWT_SECRET: undefined, JWT_KEYS_FILE: 'keys/keys.yaml', JWT_ISSUERS_FILE: 'keys/issuers.yaml' },
      prepare: (folder) => {
        const { third: _third, ...rest } = secrets;
        writeKeys(path.join(folder, 'keys'), rest, 'first', 'second');
      },
    });
    const keys = path.join(server.folder, 'keys');
    const as = { token: signedWith(secrets.first) };
    server.write('Prints.md', classic('Prints', `cd "${keys}"; ${PRINTS}`));
    // It has printed by then: what masks its output was made with the secrets of that time.
    const script = holding('Held', server.folder)
      .replace('umask', 'echo begun; umask')
      .replace('echo let go', `cd "${keys}"; ${PRINTS}`);
    server.write('Held.md', script);

    const before = await server.execute('Prints.md', as);
    expect([before.done()['return_code'], shown(before.text, secrets)]).toEqual([0, []]);
    const held = await hold(server, 'Held', as);
    // One has other contents, one is new, one is gone: its tokens count no more, and it is a secret all the same.
    writeKeys(keys, changed, 'first', 'third');
    server.kill('SIGHUP');
    const again = { msg: 'Keys were read again' };
    await vi.waitFor(() => expect(server.log()).toContainEqual(expect.objectContaining(again)), { timeout: 30_000 });
    const late = await held.end();
    writeFileSync(path.join(keys, 'second'), `${secrets.first}\n${secrets.second}\n`);
    const after = await server.execute('Prints.md', { token: signedWith(changed.first) });
    for (const run of [late, after]) {
      expect(run.done()['stdout']).toMatch(/end\n$/);
      expect([shown(run.text, secrets), shown(run.text, changed)]).toEqual([[], []]);
      expect(run.text).toContain('***');
    }
    expect((await server.get('/api/runbooks', as)).status).toBe(401);
  });

  it('a secret whose file has changed', async () => {
    const [old, young] = [secret(), secret()];
    const server = await startServer({
      env: { JWT_SECRET: undefined, JWT_SECRET_FILE: 'own' },
      prepare: (folder) => writeFileSync(path.join(folder, 'own'), old),
    });
    const file = path.join(server.folder, 'own');
    server.write('Prints.md', classic('Prints', `cat "${file}" "${file}.old"; echo end`));
    writeFileSync(`${file}.old`, old);
    writeFileSync(file, young);
    server.kill('SIGHUP');
    const again = { msg: 'Keys were read again' };
    await vi.waitFor(() => expect(server.log()).toContainEqual(expect.objectContaining(again)), { timeout: 30_000 });
    const run = await server.execute('Prints.md', { token: signedWith(young) });
    expect([run.done()['return_code'], shown(run.text, { old, young })]).toEqual([0, []]);
  });
});
