/** Records of runs of other machines: what a server takes, and how `execute --report-to` and `report` bring them. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { startAnswering } from '../../helpers/answering.ts';
import { classic, createHome } from '../../helpers/cli.ts';
import type { Home } from '../../helpers/cli.ts';
import { orphan } from '../../helpers/json-calls.ts';
import { asObject } from '../../helpers/schemas.ts';
import { startServer } from '../../helpers/server.ts';

const server = await startServer({ env: { ADMIN_CLAIM: 'roles=admin' } });
const AUTH = { RUNBOOK_JWT_SECRET: server.secret };
const TOKEN = { ...AUTH, RUNBOOK_TOKEN: await server.token() };

/** Nobody listens there. */
const NOWHERE = 'http://127.0.0.1:9';

function task(home: Home, script = 'echo hello'): readonly string[] {
  home.write('Task.md', classic('Task', script));
  return ['execute', './Task.md', '--history', 'ledger'];
}

const outboxOf = (home: Home, folder = 'outbox'): readonly string[] => {
  const place = path.join(home.stateDir, folder);
  return existsSync(place) ? readdirSync(place).filter((name) => name.endsWith('.json')) : [];
};

/** The ledger of the server, by the tool itself. */
async function central(home: Home, args: readonly string[]): Promise<string> {
  const { stdout, stderr, exitCode } = await home.run([...args, '--state-dir', server.stateDir]);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr });
  return stdout;
}

/** The record of the last run, as it is sent. */
async function recordOf(home: Home): Promise<Record<string, unknown>> {
  const { run } = await home.json(['history', 'last']);
  const { seq: _seq, prev: _prev, hash: _hash, ...record } = asObject(run);
  return record;
}

describe('a run that is reported', () => {
  it('is recorded here as ever, and there as attested', async () => {
    const home = createHome();
    const { exitCode, stdout, stderr } = await home.run(
      [...task(home, 'echo hello; exit 3'), '--report-to', server.url],
      {
        env: TOKEN,
      },
    );
    expect([exitCode, stdout]).toEqual([3, 'hello\n']);
    expect(stderr).toContain(`reported to ${server.url}: this run`);
    expect(outboxOf(home)).toEqual([]);

    const record = await recordOf(home);
    const runId = String(record['runId']);
    const told = JSON.parse(await central(home, ['history', runId, '--json'])) as Record<string, unknown>;
    const { seq: _seq, prev: _prev, hash: _hash, attested, ...there } = asObject(told['run']);
    expect(there).toEqual(record);
    const attestation = { by: 'anna', issuer: 'dev-idp', at: expect.any(String), host: '127.0.0.1' };
    expect(attested).toEqual(attestation);
    expect(told).toMatchObject({ outputProblem: null, output: { stdout: '', intact: null }, entryPending: false });

    const text = await central(home, ['history', runId]);
    expect(text).toMatch(/attested +by anna of dev-idp at \S+ from 127\.0\.0\.1: it took place elsewhere/);
    expect(text).toContain(`it is kept where it ran: \`runbook history ${runId}\` on`);
    expect(text).not.toContain('removed');
    expect(await central(home, ['history', runId, '--format', 'markdown'])).toContain('| attested |');
    expect(await central(home, ['history', '--format', 'markdown'])).toContain('attested by anna');
    const [head = '', row = ''] = (await central(home, ['history', '--format', 'csv'])).split('\r\n');
    expect(head.split(',').slice(-4).join()).toBe('attested_by,attested_issuer,attested_at,attested_host');
    expect(row).toMatch(/,anna,dev-idp,[^,]+,127\.0\.0\.1$/);
    expect(await central(home, ['history', runId, '--document'])).toContain('echo hello; exit 3');
    expect(await central(home, ['audit', 'verify', '--outputs'])).toContain('holds');
  });

  it('that was refused, or whose runner was killed, is told as well', async () => {
    const home = createHome();
    home.write('Closed.md', classic('Closed', 'true', { claims: 'roles: nobody' }));
    const env = { ...TOKEN, RUNBOOK_REPORT_TO: `${server.url}/` };
    expect((await home.run(['execute', './Closed.md'], { env })).exitCode).toBe(77);
    const refusal = String((await recordOf(home))['runId']);
    expect(await central(home, ['history', refusal])).toContain('forbidden');

    await orphan({ ...home, run: async (args) => await home.run(args, { env }) });
    expect(outboxOf(home)).toHaveLength(1);
    const report = await home.run(['report'], { env });
    expect(report).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('is reported to') });
    const record = await recordOf(home);
    expect(record['state']).toBe('interrupted');
    const text = await central(home, ['history', String(record['runId'])]);
    expect(text).toContain('attested');
    expect(text).not.toContain('go on');
  });
});

describe('a server that is away', () => {
  it('costs one sentence; what waits has no token in it, and goes in order with the next run', async () => {
    const home = createHome();
    for (const script of ['exit 7', 'exit 8']) {
      const { exitCode, stderr } = await home.run([...task(home, script), '--report-to', NOWHERE], { env: TOKEN });
      expect(exitCode).toBe(Number(script.slice(-1)));
      expect(stderr.split('\n').filter((line) => line.includes('warning'))).toHaveLength(1);
      expect(stderr).toMatch(/http:\/\/127\.0\.0\.1:9 does not answer \(ECONNREFUSED\)\. .+ waits?; the next run/);
    }
    const waiting = outboxOf(home);
    expect(waiting).toHaveLength(2);
    for (const name of waiting) {
      const file = path.join(home.stateDir, 'outbox', name);
      expect(statSync(file).mode & 0o777).toBe(0o600);
      expect(readFileSync(file, 'utf8')).not.toContain(TOKEN.RUNBOOK_TOKEN.split('.')[1]);
    }
    // It comes back at the same address.
    const back = await startAnswering((response, _, body) => {
      const { record } = JSON.parse(body) as { record: { runId: string } };
      response.end(JSON.stringify({ run_id: record.runId }));
    });
    for (const name of waiting) {
      const file = path.join(home.stateDir, 'outbox', name);
      home.write(path.relative(home.folder, file), readFileSync(file, 'utf8').replaceAll(NOWHERE, back.url));
    }
    const { stderr } = await home.run([...task(home), '--report-to', back.url], { env: TOKEN });
    expect(stderr).toContain(`reported to ${back.url}: this run and 2 earlier runs`);
    const ids = back.asked.map(({ body }) => (JSON.parse(body) as { record: { runId: string } }).record.runId);
    expect(ids).toHaveLength(3);
    expect(ids).toEqual([...waiting.map((name) => name.slice(0, 26)), ids[2]]);
    expect(outboxOf(home)).toEqual([]);
  });

  it('that says no for good has the record kept aside; it is sent again when somebody wants it', async () => {
    const home = createHome();
    const refusing = await startAnswering((response) => {
      response.writeHead(403).end(JSON.stringify({ detail: 'Not \u001b[31myou.' }));
    });
    const env = { ...TOKEN, RUNBOOK_REPORT_TO: refusing.url };
    const { exitCode, stderr } = await home.run(task(home, 'exit 5'), { env });
    expect(exitCode).toBe(5);
    expect(stderr).toMatch(/does not take it \(403: Not .*you\): the record of run \S+ is kept/);
    expect(stderr).not.toContain('\u001b');
    expect([outboxOf(home).length, outboxOf(home, 'outbox/refused').length]).toEqual([0, 1]);
    const quiet = await home.run(['report'], { env });
    expect([quiet.exitCode, quiet.stdout, refusing.asked.length]).toEqual([
      0,
      expect.stringContaining('is refused'),
      1,
    ]);
    expect((await home.run(['report', '--refused'], { env })).exitCode).toBe(69);
    expect(refusing.asked).toHaveLength(2);
  });

  it('a token goes to no server but the one that is named', async () => {
    const home = createHome();
    const taking = await startAnswering((response) => response.end('{}'));
    await home.run([...task(home), '--report-to', NOWHERE], { env: TOKEN });
    const [name = ''] = outboxOf(home);
    const file = path.join(home.stateDir, 'outbox', name);
    home.write(path.relative(home.folder, file), readFileSync(file, 'utf8').replaceAll(NOWHERE, taking.url));
    for (const more of [[], ['--report-to', `${server.url}/elsewhere`]])
      await home.run(['report', ...more], { env: TOKEN });
    await home.run([...task(home), '--report-to', server.url], { env: TOKEN });
    expect(taking.asked).toEqual([]);
    const left = JSON.parse((await home.run(['report', '--json'], { env: TOKEN })).stdout) as Record<string, unknown>;
    expect(left['left']).toMatchObject([{ server: taking.url, reason: expect.stringContaining('no') }]);
  });
});

describe('what cannot be', () => {
  it('is refused before anything runs', async () => {
    const home = createHome();
    const call = task(home, 'touch ran');
    for (const address of ['http://runbooks.example.com', 'ftp://a', 'https://u:p@a', 'https://a/?b', 'nothing'])
      expect([address, (await home.run([...call, '--report-to', address])).exitCode]).toEqual([address, 78]);
    const none = await home.run([...call.slice(0, 2), '--history', 'none', '--report-to', server.url]);
    expect(none.exitCode).toBe(64);
    home.write('.runbook.yaml', `report_to: ${server.url}\n`);
    expect((await home.run(call)).exitCode).toBe(78);
    expect(existsSync(path.join(home.folder, 'ran'))).toBe(false);
  });
});

describe('POST /api/runs', () => {
  it('takes each record once, and nothing that is none', async () => {
    const home = createHome();
    await home.run(task(home), { env: TOKEN });
    const record = await recordOf(home);
    const result = asObject(record['result']);
    const post = async (body: unknown, token?: string) =>
      await server.post('/api/runs', { body, ...(token ? { token } : {}) });
    const first = await post({ record, document: null });
    expect([first.status, first.headers.location]).toEqual([201, `/api/runs/${String(record['runId'])}`]);
    expect(first.json()).toMatchObject({ run_id: record['runId'], attested: { by: 'anna', issuer: 'dev-idp' } });
    const again = await post({ record, document: null });
    expect([again.status, again.json()['attested']]).toEqual([200, first.json()['attested']]);
    expect((await post({ record: { ...record, incident: 'INC-1' }, document: null })).status).toBe(409);

    const fresh = {
      ...record,
      runId: '01KFNZ5V1QKR4T8ZJ6W3X9Y2AB',
      result: { ...result, runId: '01KFNZ5V1QKR4T8ZJ6W3X9Y2AB' },
    };
    const later = new Date(Date.now() + 3_600_000).toISOString();
    const attested = { by: 'eve', issuer: null, at: later, host: 'here' };
    const wrong: Readonly<Record<string, unknown>> = {
      'no body': undefined,
      'no record': { document: null },
      'no document': { record: fresh },
      'one member more': { record: fresh, document: null, force: true },
      'an unknown member': { record: { ...fresh, trusted: true }, document: null },
      'attested by itself': { record: { ...fresh, attested }, document: null },
      'its place in a chain': { record: { ...fresh, seq: 1 }, document: null },
      'no id': { record: { ...fresh, runId: '../../x' }, document: null },
      'under way': { record: { ...fresh, state: 'started', result: null }, document: null },
      'an end without a result': { record: { ...fresh, result: null }, document: null },
      'a result of another run': { record: { ...fresh, result }, document: null },
      'two ends': { record: { ...fresh, refusal: { code: 'forbidden', message: 'no' } }, document: null },
      'a time that is none': { record: { ...fresh, enqueuedAt: '2026-02-31T00:00:00.000Z' }, document: null },
      'a time to come': { record: { ...fresh, enqueuedAt: later }, document: null },
      'another document': { record: fresh, document: '# Another\n' },
      'a number as text': { record: { ...fresh, schemaVersion: '1' }, document: null },
      'an exit code beyond all': { record: { ...fresh, result: { ...fresh.result, exitCode: 1000 } }, document: null },
      'a record that is a list': { record: [fresh], document: null },
    };
    for (const [what, body] of Object.entries(wrong)) expect([what, (await post(body)).status]).toEqual([what, 400]);
    expect((await post({ record: fresh, document: 'x'.repeat(2 ** 20) })).status).toBe(413);
    const bob = await server.token({ sub: 'bob' });
    expect((await post({ record: fresh, document: null }, bob)).status).toBe(403);
    expect(await central(home, ['history', '--json', '--limit', '50'])).not.toContain(fresh.runId);
    // Whose it was nobody knows: whoever brings it vouches for it.
    const nobodys = { ...fresh, who: { ...asObject(fresh['who' as never]), subject: null, issuer: null, roles: [] } };
    expect((await post({ record: nobodys, document: null }, bob)).json()).toMatchObject({ attested: { by: 'bob' } });
    expect(JSON.parse(await central(home, ['audit', 'verify', '--json']))).toMatchObject({ holds: true });
  });
});
