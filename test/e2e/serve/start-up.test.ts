/** What the real server says at its start, and when it does not start at all. Every rule of settings: test/unit/server/startup.test.ts */
import { existsSync, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { classic, createHome } from '../../helpers/cli.ts';
import { firstRecord } from '../../helpers/first-record.ts';
import { startServer } from '../../helpers/server.ts';

const STRONG = '6f1d2c9a4b8e7053fa61d2e8b94c07a5';
const TMPFS = 0x01_02_19_94;

/** Of the settings, what only a start shows. */
const REFUSED: readonly (readonly [Readonly<Record<string, string>>, number, string])[] = [
  [{}, 78, 'No key is set to verify tokens with'],
  [{ JWT_SECRET: STRONG.slice(1) }, 78, 'is shorter than 32 bytes'],
  // Of Stage0's documents.
  [{ JWT_SECRET: 'dev-secret-change-me' }, 78, 'is a well-known placeholder'],
  [{ JWT_SECRET: '-----BEGIN PUBLIC KEY-----', ENABLE_LOGIN: 'true' }, 78, 'holds a PEM key'],
  [{ JWT_SECRET: STRONG, RUNBOOK_CONTAINMENT: 'process-group', REQUIRE_CONTAINMENT: 'cgroup' }, 69, 'containment'],
];

it('the server does not start with what cannot be trusted, says why, and shows no secret', async () => {
  const home = createHome();
  const starts = REFUSED.map(async ([env]) => await home.run(['serve', '--host', '127.0.0.1', '--port', '0'], { env }));
  for (const [index, { exitCode, stderr }] of (await Promise.all(starts)).entries()) {
    const [env = {}, code, says = ''] = REFUSED[index] ?? [];
    expect([stderr, exitCode]).toEqual([expect.stringContaining(says), code]);
    expect(stderr).not.toContain(env['JWT_SECRET'] ?? STRONG);
  }
});

describe('the server starts', () => {
  it('with login and nothing else: Stage0’s quick start', async () => {
    const server = await startServer({
      env: { JWT_SECRET: undefined, EXECUTION_DIR: undefined, ENABLE_LOGIN: 'true', JWT_TTL_MINUTES: '5' },
      runbooks: { 'Where.md': classic('Where', 'pwd; echo "$RUNBOOK_EXEC_DIR_HOST"') },
    });
    expect(server.said()).toContain('JWT_SECRET is not set: one was made for this start');
    expect(server.said()).toContain('POST /dev-login gives a token with any roles to whoever asks');
    const warnings = () => server.log().flatMap(({ level, msg }) => (level === 'warn' ? [msg] : []));
    const made = expect.stringContaining('one was made for this start') as string;
    await vi.waitFor(() => expect(warnings()).toContainEqual(made), { timeout: 30_000 });
    const login = await server.post('/dev-login', { token: null, body: { subject: 'berta', roles: ['sre'] } });
    const { access_token: token } = login.json() as { access_token: string };
    const run = await server.execute('Where.md', { token });
    // Without MOUNT_DIR the host is this machine.
    const [here, host] = run.output('stdout').trimEnd().split('\n');
    expect(host).toBe(here);
    // The helper's secret is not the one that was made.
    expect((await server.get('/api/runbooks')).status).toBe(401);
  });

  it('with login and the guessable secret of Stage0’s Makefile, and says so; others may sign with it, too', async () => {
    const server = await startServer({ env: { JWT_SECRET: '1769177582', ENABLE_LOGIN: 'true' } });
    expect(server.said()).toContain('JWT_SECRET is shorter than 32 bytes');
    expect(server.said()).not.toContain('1769177582');
    const { access_token: token } = (await server.post('/dev-login', { token: null, body: {} })).json() as {
      access_token: string;
    };
    expect((await server.get('/api/runbooks', { token })).status).toBe(200);
  });

  it('without a place of its own for folders of Docker: MOUNT_DIR is told to scripts where it is set', async () => {
    const server = await startServer({
      env: { MOUNT_DIR: '/srv/mounted/' },
      runbooks: { 'Where.md': classic('Where', 'echo "$RUNBOOK_EXEC_DIR_HOST"') },
    });
    expect((await server.execute('Where.md')).output('stdout')).toMatch(
      /^\/srv\/mounted\/runbook-exec-[^/\n]+\/work\n$/,
    );
  });

  it.skipIf(!existsSync('/dev/shm') || statfsSync('/dev/shm').type !== TMPFS)(
    'with a ledger that does not outlive the machine, and says so',
    async () => {
      const shared = mkdtempSync('/dev/shm/runbook-state-');
      onTestFinished(() => {
        rmSync(shared, { recursive: true, force: true });
      });
      const server = await startServer({ env: { RUNBOOK_STATE_DIR: path.join(shared, 'not', 'yet') } });
      expect(server.said()).toContain('The ledger is on tmpfs, which does not outlive this machine or container');
      if (statfsSync(tmpdir()).type === TMPFS) return;
      const other = await startServer();
      expect(other.said()).not.toContain('The ledger is on');
    },
  );
});

describe('forwarded headers', () => {
  const AT = { 'x-forwarded-for': '198.51.100.7' };
  const addressOf = (answer: { json: () => Readonly<Record<string, unknown>> }): string =>
    (answer.json()['token'] as { remote_ip: string }).remote_ip;

  it('without TRUST_PROXY do not count, which is said once', async () => {
    const server = await startServer();
    for (const headers of [AT, AT, { forwarded: 'for=198.51.100.7' }, { 'x-real-ip': '198.51.100.7' }]) {
      expect(addressOf(await server.get('/api/config', { headers }))).toBe('127.0.0.1');
    }
    const said = () => server.log().filter(({ msg }) => String(msg).startsWith('Forwarded headers arrive'));
    await vi.waitFor(() => expect(said()).toHaveLength(1), { timeout: 30_000 });
  });

  it('count from a proxy that is trusted, as far as trust goes', async () => {
    const server = await startServer({ env: { TRUST_PROXY: '127.0.0.0/8, 10.0.0.0/8' } });
    for (const [header, address] of [
      ['198.51.100.7', '198.51.100.7'],
      // What the caller has written itself stands to the left of what the proxies have added.
      ['192.0.2.66, 198.51.100.7', '198.51.100.7'],
      ['192.0.2.66, 198.51.100.7, 10.1.2.3', '198.51.100.7'],
      ['127.0.0.1, 198.51.100.7, 10.1.2.3', '198.51.100.7'],
      ['2001:db8::7', '2001:db8::7'],
      // No address at all: the peer's own.
      ['unknown', '127.0.0.1'],
      ['<script>alert(1)</script>', '127.0.0.1'],
      ['', '127.0.0.1'],
    ] as const) {
      const answer = await server.get('/api/config', { headers: { 'x-forwarded-for': header } });
      expect([header, addressOf(answer)]).toEqual([header, address]);
    }
    expect(server.log().filter(({ msg }) => String(msg).startsWith('Forwarded headers arrive'))).toHaveLength(0);
    server.write('Hello.md', classic('Hello', 'echo hello'));
    const run = await server.execute('Hello.md', { headers: { 'x-forwarded-for': '192.0.2.66, 198.51.100.7' } });
    const record = firstRecord(server, String(run.headers['x-run-id']));
    expect(record).toMatchObject({ who: { address: '198.51.100.7' } });
  });

  it('from anybody else do not count', async () => {
    const server = await startServer({ env: { TRUST_PROXY: '10.0.0.0/8' } });
    for (const header of ['198.51.100.7', '10.0.0.1', '198.51.100.7, 10.0.0.1']) {
      const answer = await server.get('/api/config', { headers: { 'x-forwarded-for': header } });
      expect([header, addressOf(answer)]).toEqual([header, '127.0.0.1']);
    }
  });
});
