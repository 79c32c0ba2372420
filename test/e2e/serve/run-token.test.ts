/** What a script gets to call other runbooks with: never its caller's token, and nothing that outlives the run. */
import { createHmac } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { decodeJwt, decodeProtectedHeader, SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { classic, createHome } from '../../helpers/cli.ts';
import { firstRecord } from '../../helpers/first-record.ts';
import { hold, holding } from '../../helpers/held-run.ts';
import { startServer } from '../../helpers/server.ts';
import type { RequestOptions } from '../../helpers/server.ts';

const MAX_DEPTH = 3;
const server = await startServer({ env: { MAX_RECURSION_DEPTH: String(MAX_DEPTH), ADMIN_CLAIM: 'roles=admin' } });
server.write('Child.md', classic('Child', 'echo "child of $RUNBOOK_RECURSION_STACK"', { claims: 'roles: sre' }));

const here = (name: string): string => path.join(server.folder, name);
const asCaller = async (
  claims: Readonly<Record<string, unknown>> = {},
): Promise<RequestOptions & { token: string }> => {
  return { token: await server.token(claims) };
};

describe('the token of a run', () => {
  it('is not its caller’s, says whose run it is, and that it is for runs', async () => {
    server.write('Look.md', holding('Look', server.folder));
    const { token } = await asCaller({ sub: 'berta', roles: ['sre', 'dba'] });
    const run = await hold(server, 'Look', { token });
    expect(run.token).not.toBe(token);
    expect(run.token.split('.')[2]).not.toBe(token.split('.')[2]);
    expect(decodeProtectedHeader(run.token)).toEqual({ alg: 'HS256', typ: 'runbook-run+jwt' });
    const payload = decodeJwt(run.token);
    expect(payload).toMatchObject({
      iss: 'runbook',
      aud: 'runbook-run',
      sub: 'berta',
      roles: ['sre', 'dba'],
      chain: ['Look.md'],
      depth: 1,
    });
    const { headers } = await run.end();
    expect(payload.jti).toBe(headers['x-run-id']);
    // Ten minutes, which is the limit of a run.
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBeLessThanOrEqual(601);
  });

  it('is its caller’s subject, roles and claims, and the record says who it was', async () => {
    server.write('Look.md', holding('Look', server.folder));
    const run = await hold(server, 'Look', await asCaller({ sub: 'berta', roles: ['sre', 'dba'] }));
    const child = await server.execute('Child.md', { token: run.token });
    expect(child.output('stdout')).toBe('child of ["Look.md","Child.md"]\n');
    server.write('Dbas.md', classic('Dbas', 'echo dba', { claims: 'roles: dba' }));
    expect((await server.execute('Dbas.md', { token: run.token })).done()).toMatchObject({ success: true });
    server.write('Others.md', classic('Others', 'echo other', { claims: 'roles: other' }));
    expect((await server.execute('Others.md', { token: run.token })).status).toBe(403);
    await run.end();
    const record = firstRecord(server, String(child.headers['x-run-id']));
    expect(record).toMatchObject({ who: { subject: 'berta', roles: ['sre', 'dba'] }, callChain: ['Look.md'] });
  });

  it.each([
    ['has ended', ''],
    ['has failed', 'exit 3'],
    ['was ended by its limit', 'sleep 60'],
    ['has killed itself', 'kill -9 $$'],
  ])('is dead when the run %s', async (_, end) => {
    const script = `umask 077; printf %s "$RUNBOOK_API_TOKEN" > "${here('gone')}"; ${end}`;
    const document = classic('Gone', script);
    const limits = '# Limits\n```yaml\ntimeout: 1s\n```\n\n# Script';
    server.write('Gone.md', end.startsWith('sleep') ? document.replace('# Script', limits) : document);
    await server.execute('Gone.md');
    const token = readFileSync(here('gone'), 'utf8');
    expect(decodeJwt(token)).toMatchObject({ sub: 'anna' });
    const { status, text } = await server.get('/api/runbooks', { token });
    // By its end, not by its time: but for the one that had no more of it.
    const said = end.startsWith('sleep') ? /does not hold|is over/ : /The run that the token was made for is over\./;
    expect([status, text]).toEqual([401, expect.stringMatching(said)]);
    expect((await server.execute('Child.md', { token })).status).toBe(401);
  });

  it('is for runbooks only, also that of an administrator', async () => {
    server.write('Look.md', holding('Look', server.folder));
    const run = await hold(server, 'Look', await asCaller({ roles: ['sre', 'admin'] }));
    const { status, text } = await server.get('/api/config', { token: run.token });
    expect([status, text.includes('The token of a run is for runbooks only.')]).toEqual([403, true]);
    expect((await server.post('/api/shutdown', { token: run.token })).status).toBe(403);
    await run.end();
  });

  it('is worth nothing elsewhere: at another server with the same secret, and on the command line', async () => {
    const other = await startServer({
      env: { JWT_SECRET: server.secret },
      runbooks: { 'Child.md': classic('Child', ':') },
    });
    expect((await other.get('/api/runbooks', { token: await server.token() })).status).toBe(200);
    server.write('Look.md', holding('Look', server.folder));
    const run = await hold(server, 'Look');
    expect((await server.get('/api/runbooks', { token: run.token })).status).toBe(200);
    expect((await other.get('/api/runbooks', { token: run.token })).status).toBe(401);
    const home = createHome();
    home.write('Child.md', classic('Child', ':', { claims: 'roles: sre' }));
    const env = { RUNBOOK_JWT_SECRET: server.secret, RUNBOOK_TOKEN: run.token };
    expect((await home.run(['execute', './Child.md'], { env })).exitCode).toBe(77);
    await run.end();
  });

  it('cannot be made of a person’s, nor with the secret that signs those', async () => {
    server.write('Look.md', holding('Look', server.folder));
    const run = await hold(server, 'Look');
    const payload = decodeJwt(run.token);
    const secret = new TextEncoder().encode(server.secret);
    for (const typ of ['runbook-run+jwt', 'RUNBOOK-RUN+JWT', 'application/runbook-run+jwt']) {
      const forged = await new SignJWT({ ...payload }).setProtectedHeader({ alg: 'HS256', typ }).sign(secret);
      expect([typ, (await server.get('/api/runbooks', { token: forged })).status]).toEqual([typ, 401]);
      const person = await server.token({}, { typ });
      expect([typ, (await server.get('/api/runbooks', { token: person })).status]).toEqual([typ, 401]);
    }
    // And not the other way round: with the type of a person's.
    const [, body = '', signature = ''] = run.token.split('.');
    const header = Buffer.from('{"alg":"HS256","typ":"JWT"}').toString('base64url');
    expect((await server.get('/api/runbooks', { token: `${header}.${body}.${signature}` })).status).toBe(401);
    // Nor for another run, nor with another chain.
    for (const change of [{ chain: [] }, { jti: '01JRUN00000000000000000000' }, { sub: 'root' }]) {
      const changed = Buffer.from(JSON.stringify({ ...payload, ...change })).toString('base64url');
      const [own = ''] = run.token.split('.');
      expect((await server.get('/api/runbooks', { token: `${own}.${changed}.${signature}` })).status).toBe(401);
    }
    expect((await server.get('/api/runbooks', { token: run.token })).status).toBe(200);
    await run.end();
  });

  it('works as RUNBOOK_HEADERS, as single headers and as RUNBOOK_API_TOKEN', async () => {
    const calls = [
      'eval "curl -sS -X POST $RUNBOOK_HEADERS -d {} $RUNBOOK_URL/Child.md/execute"',
      'curl -sS -X POST -H "$RUNBOOK_H_AUTH" -H "$RUNBOOK_H_RECUR" -H "$RUNBOOK_H_CORR" -H "$RUNBOOK_H_CTYPE" -d "{}" "$RUNBOOK_URL/Child.md/execute"',
      'curl -sS -X POST -H "Authorization: Bearer $RUNBOOK_API_TOKEN" "$RUNBOOK_URL/Child.md/execute"',
    ];
    server.write('Parent.md', classic('Parent', calls.join('\n'), { claims: 'roles: sre' }));
    const run = await server.execute('Parent.md');
    expect(run.output('stdout').match(/child of \["Parent\.md","Child\.md"\]/g)).toHaveLength(3);
    expect(run.done()).toMatchObject({ success: true, stderr: '' });
  });
});

describe('the depth of calls', () => {
  /** What a script may send instead of the header that it was given. */
  const WAYS: Readonly<Record<string, string>> = {
    'as it was given': '-H "$RUNBOOK_H_RECUR"',
    'left out': '',
    empty: '-H "X-Recursion-Stack;"',
    'an empty list': '-H "X-Recursion-Stack: []"',
    'another chain': `-H 'X-Recursion-Stack: ["Other.md"]'`,
    'no JSON': '-H "X-Recursion-Stack: nonsense"',
    'no list': `-H 'X-Recursion-Stack: {"length":0}'`,
    twice: `-H 'X-Recursion-Stack: []' -H 'x-recursion-stack: []'`,
  };
  const call = (name: string, way: string): string =>
    `curl -sS -X POST -H "$RUNBOOK_H_AUTH" ${way} "$RUNBOOK_URL/${name}/execute"`;
  const runs = (log: string): number =>
    existsSync(here(log)) ? readFileSync(here(log), 'utf8').trimEnd().split('\n').length : 0;

  it.each(Object.entries(WAYS))('is held by the token: the header is %s', async (name, way) => {
    const log = `depth of ${name}`;
    const prefix = `D${Object.keys(WAYS).indexOf(name)}x`;
    for (let level = 0; level < MAX_DEPTH + 3; level += 1) {
      const title = `${prefix}${level}`;
      const script = `echo "$RUNBOOK_RECURSION_STACK" >> "${here(log)}"\n${call(`${prefix}${level + 1}.md`, way)}`;
      server.write(`${title}.md`, classic(title, script));
    }
    const run = await server.execute(`${prefix}0.md`);
    expect(runs(log)).toBe(MAX_DEPTH);
    expect(run.text).toContain(`Recursion depth limit exceeded: ${MAX_DEPTH} (max: ${MAX_DEPTH})`);
  });

  it('a runbook that calls itself in all these ways, also by other spellings of its name, runs once', async () => {
    const log = 'self';
    const names = [
      'Self.md',
      '%53elf.md',
      'Self%2Emd',
      './Self.md',
      'x/../Self.md',
      'Self.md/',
      'self.md',
      'Self.md%00',
    ];
    const calls = [
      ...Object.values(WAYS).map((way) => call('Self.md', way)),
      ...names.map((name) => call(name, '').replace('curl', 'curl --path-as-is')),
    ];
    // Where nothing else holds it, it must not take the machine with it.
    const enough = `[ "$(wc -l < "${here(log)}")" -lt 5 ] || exit 1`;
    server.write('Self.md', classic('Self', `echo run >> "${here(log)}"\n${enough}\n${calls.join('\n')}`));
    const run = await server.execute('Self.md');
    expect(runs(log)).toBe(1);
    expect(run.output('stdout').split('Recursion detected').length).toBeGreaterThan(Object.keys(WAYS).length);
  });

  it('a caller of its own is believed to be as deep as it says', async () => {
    const stack = JSON.stringify(['A.md', 'B.md', 'C.md']);
    const { text } = await server.execute('Child.md', { headers: { 'x-recursion-stack': stack } });
    expect(text).toContain('Recursion depth limit exceeded: 3 (max: 3)');
  });
});

describe('the key that signs tokens of runs', () => {
  it('is in nothing that a script can read: environments, descriptors, files', async () => {
    const out = here('around');
    mkdirSync(out);
    const script = `umask 077
printf %s "$RUNBOOK_API_TOKEN" > "${out}/token"
cat /proc/self/environ > "${out}/environ"
cat /proc/${server.pid}/environ > "${out}/server-environ" || true
cat /proc/${server.pid}/cmdline > "${out}/server-cmdline" || true
ls -l /proc/$$/fd > "${out}/fds"
for fd in /proc/$$/fd/*; do [ -f "$fd" ] && cat "$fd" >> "${out}/open" || true; done
cp -r "$HOME/.." "${out}/scratch"
cp -r "${server.folder}/.local" "${out}/state" || true
echo looked`;
    server.write('Around.md', classic('Around', script));
    const run = await server.execute('Around.md');
    expect(run.output('stdout')).toBe('looked\n');
    const files = filesOf(out).filter((file) => path.basename(file) !== 'token');
    const [head = '', body = '', signature = ''] = readFileSync(path.join(out, 'token'), 'utf8').split('.');
    const found = keysFor(files, `${head}.${body}`, signature);
    process.stdout.write(`${files.length} files, ${found.tried} candidates for a key\n`);
    expect(found.in).toEqual([]);
    expect(found.tried).toBeGreaterThan(1000);
    // The search does find what is there: the secret that signs a person's token, where the operator put it.
    const [h = '', b = '', s = ''] = (await server.token()).split('.');
    const planted = path.join(out, 'planted');
    writeFileSync(planted, `JWT_SECRET=${server.secret}\0`);
    expect(keysFor([planted], `${h}.${b}`, s).in).toEqual([planted]);
    expect(readFileSync(path.join(out, 'fds'), 'utf8')).not.toMatch(/ledger|fingerprint|socket:/);
  });
});

function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .filter((file) => statSync(file).size < 4 * 1024 ** 2);
}

/** Everything in the files that could be a key of 32 bytes: as hex, base64, whole values; in small ones as bytes at each place. */
function keysFor(files: readonly string[], input: string, signature: string): { in: string[]; tried: number } {
  const found: string[] = [];
  let tried = 0;
  for (const file of files) {
    const bytes = readFileSync(file);
    const text = bytes.toString('latin1');
    // Of the ledger only what has the form of a key: it is long, and grows with the tests before this one.
    const words = bytes.length > 64 * 1024 ? '' : text;
    const candidates: Buffer[] = [...words.matchAll(/[^\0\n\r"' =]{8,200}/g)].map(([value]) =>
      Buffer.from(value, 'latin1'),
    );
    for (const [value] of text.matchAll(/(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])/gi))
      candidates.push(Buffer.from(value, 'hex'));
    for (const [value] of text.matchAll(/(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{43}(?![A-Za-z0-9+/_-])/g))
      candidates.push(Buffer.from(value, 'base64'));
    const end = /[^\n -~]/.test(text.replaceAll('\0', ' ')) ? Math.min(bytes.length, 1024) : 0;
    for (let at = 0; at + 32 <= end; at += 1) candidates.push(bytes.subarray(at, at + 32));
    tried += candidates.length;
    if (candidates.some((key) => createHmac('sha256', key).update(input).digest('base64url') === signature))
      found.push(file);
  }
  return { in: found, tried };
}
