/** Secrets that go through the server, and every place in which one of them could come to light. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { LEAK, makeCanaries, needlesFor } from '../../helpers/canaries.ts';
import { classic } from '../../helpers/cli.ts';
import { startServer } from '../../helpers/server.ts';

const canaries = makeCanaries();
// Those that a request brings; the server's own secret and the tokens come besides.
const { JWT_SECRET: _server, TOLD: _told, ...GIVEN } = canaries;
const NAMES = Object.keys(GIVEN).join(' ');
const server = await startServer({
  env: { LOGGING_LEVEL: 'DEBUG', ADMIN_CLAIM: 'roles=admin' },
  prepare: (folder) => {
    writeFileSync(path.join(folder, 'leak.cjs'), LEAK);
  },
});
const leak = `"${process.execPath}" "${server.folder}/leak.cjs"`;
const kept = (name: string): string => path.join(server.folder, name);
/** Also what it has of the server itself, where it may look there. */
const everything = (name: string): string => `umask 077; printf %s "$RUNBOOK_API_TOKEN" > "${kept(name)}"
${leak} ${NAMES} RUNBOOK_API_TOKEN RUNBOOK_H_AUTH RUNBOOK_HEADERS
tr '\\0' '\\n' < /proc/${server.pid}/environ || true
env`;

it('no canary is seen of what callers give, of tokens and of the key, in anything that the server says or keeps', async () => {
  const token = await server.token({ sub: 'anna' });
  const call = `curl -sS -X POST -H "$RUNBOOK_H_AUTH" -H "$RUNBOOK_H_CTYPE" -d "$BODY_SECRET" "$RUNBOOK_URL/Ok.md/execute"`;
  const slow = classic('Slow', `${everything('t3')}; sleep 60`).replace(
    '# Script',
    '# Limits\n```yaml\ntimeout: 3s\n```\n\n# Script',
  );
  for (const [name, text] of Object.entries({
    Ok: classic('Ok', everything('t1')),
    Fails: classic('Fails', `${everything('t2')}; exit 3`),
    Slow: slow,
    Parent: classic(
      'Parent',
      `printf %s "$RUNBOOK_API_TOKEN" > "${kept('t4')}"; ${call}; curl -sS -H "$RUNBOOK_H_AUTH" "$RUNBOOK_URL/../config"`,
    ),
    Guarded: classic('Guarded', ':', { claims: 'roles: dba' }),
    Needs: classic('Needs', ':', { env: 'OTHER: is not given' }),
  }))
    server.write(`${name}.md`, text);
  const body = { env_vars: GIVEN };
  const json = { 'content-type': 'application/json' };
  const text = JSON.stringify(body);
  const [head = '', claims = '', signature = ''] = token.split('.');
  const forged = `${head}.${claims}.${signature.slice(0, -4)}AAAA`;

  const answers = [
    await server.execute('Ok.md', { token, body }),
    await server.execute('Fails.md', { token, body }),
    await server.execute('Slow.md', { token, body }),
    await server.execute('Parent.md', { token, body: { env_vars: { BODY_SECRET: text } } }),
    await server.execute('Guarded.md', { token, body }),
    await server.execute('Needs.md', { token, body }),
    await server.execute('None.md', { token, body }),
    // Mistakes around secrets.
    await server.execute('Ok.md', { token, body: { env_vars: { ...GIVEN, LD_PRELOAD: GIVEN.PLAIN_TOKEN } } }),
    await server.execute('Ok.md', { token, body: { env_vars: { PLAIN_TOKEN: `\u0001${GIVEN.PLAIN_TOKEN}` } } }),
    await server.execute('Ok.md', { token, body: { env_vars: { PLAIN_TOKEN: [GIVEN.PLAIN_TOKEN] } } }),
    await server.execute('Ok.md', { token, body: { env_vars: GIVEN.PLAIN_TOKEN } }),
    await server.execute('Ok.md', { token, body: text.slice(0, -2), headers: json }),
    await server.execute('Ok.md', { token, body: `${text}${text}`, headers: json }),
    await server.execute('Ok.md', { token, body: text, headers: { 'content-type': 'text/plain' } }),
    await server.patch('/api/runbooks/Needs.md/validate', { token, body }),
    await server.patch('/api/runbooks/Guarded.md/validate', { token, body }),
    // Tokens that do not hold, and one in another place.
    await server.get('/api/runbooks', { token: forged }),
    await server.get('/api/runbooks', { token: null, headers: { authorization: `Basic ${token}` } }),
    await server.get(`/api/runbooks?access_token=${token}`, { token: null }),
    await server.get(`/api/runbooks?token=${GIVEN.PLAIN_TOKEN}`, { token, headers: { cookie: `token=${token}` } }),
  ];
  expect(answers.slice(0, 4).map((answer) => answer.status)).toEqual([200, 200, 200, 200]);
  expect(answers.slice(0, 3).map((answer) => answer.text.includes('said PLAIN_TOKEN'))).toEqual([true, true, true]);
  expect(answers[3]?.text).toContain('said LONG_SECRET');
  for (const address of [
    '/api/runbooks?include=last',
    ...['Ok', 'Fails', 'Slow', 'Parent'].map((name) => `/api/runbooks/${name}.md`),
  ]) {
    answers.push(await server.get(address, { token }));
  }
  const admin = await server.token({ roles: ['admin'] });
  for (const address of ['/api/config', '/metrics', '/readyz', '/docs/openapi.yaml'])
    answers.push(await server.get(address, { token: admin }));

  const runTokens = Object.fromEntries(
    ['t1', 't2', 't3', 't4'].map((name) => [name, readFileSync(kept(name), 'utf8').split('.')[2] ?? '']),
  );
  const needles = needlesFor({ ...GIVEN, ...runTokens, CALLER: signature, JWT_SECRET: server.secret });
  // The search finds what is there.
  for (const name of [...Object.keys(GIVEN), 't1', 'CALLER', 'JWT_SECRET']) {
    const value = { ...GIVEN, ...runTokens, CALLER: signature, JWT_SECRET: server.secret }[name] ?? '';
    expect(needles.find(`-${value}-`)).toHaveLength(1);
  }

  const { stdout, stderr } = await server.stop();
  const sinks = new Map<string, Buffer | string>([
    ['stdout', stdout],
    ['stderr', stderr],
    ...answers.map(
      ({ text: said, headers, status }, n) =>
        [`answer ${n} (${status})`, `${JSON.stringify(headers)}\n${said}`] as const,
    ),
  ]);
  for (const folder of [server.stateDir, server.runbooksDir, server.scratch]) {
    if (!existsSync(folder)) continue;
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      const file = path.join(entry.parentPath, entry.name);
      if (entry.isFile()) sinks.set(path.relative(server.folder, file), readFileSync(file));
    }
  }
  const hits = [...sinks].flatMap(([sink, content]) => needles.find(content).map((hit) => `${sink}: ${hit}`));
  const bytes = [...sinks.values()].reduce((sum, { length }) => sum + length, 0);
  process.stdout.write(
    `searched ${sinks.size} sinks of ${Math.round(bytes / 1024)} KiB for ${Object.keys(GIVEN).length + 6} secrets\n`,
  );
  expect(hits).toEqual([]);
  expect(sinks.size).toBeGreaterThan(30);
});
