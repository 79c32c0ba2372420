/** `Idempotency-Key`: however often the same is asked for, one run comes of it, also across a crash of the server. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { openSqliteLedger } from '../../../src/adapters/ledger/sqlite.ts';
import type { StoredRun } from '../../../src/core/run.ts';
import { classic } from '../../helpers/cli.ts';
import { times } from '../../helpers/property.ts';
import { startServer } from '../../helpers/server.ts';
import type { Answer, RequestOptions, TestServer } from '../../helpers/server.ts';

/** Each leaves a line beside the folder of its server, whose home is not that of the script. */
function withRunbooks(of: TestServer): TestServer {
  const once = `echo "$WHAT" >> "${of.folder}/done"; echo said; echo wrong >&2; exit 4`;
  of.write('Once.md', classic('Once', once, { env: 'WHAT: what\nEXTRA:\n  description: more\n  default: none' }));
  const wait = `for _ in $(seq 300); do [ -e "${of.folder}/go" ] && break; sleep 0.05; done`;
  of.write('Long.md', classic('Long', `echo begun; echo $$ >> "${of.folder}/long"; ${wait}; echo over`));
  return of;
}
const server = withRunbooks(await startServer());

async function recorded(of: TestServer): Promise<readonly StoredRun[]> {
  const ledger = openSqliteLedger(path.join(of.stateDir, 'ledger.sqlite'));
  try {
    return await ledger.list({ limit: 1000 });
  } finally {
    ledger.close();
  }
}

const done = (what: string, of = server): number => {
  const file = path.join(of.folder, 'done');
  return existsSync(file)
    ? readFileSync(file, 'utf8')
        .split('\n')
        .filter((line) => line === what).length
    : 0;
};
const once = async (key: string, what: string, more: RequestOptions = {}, query = ''): Promise<Answer> =>
  await server.post(`/api/runbooks/Once.md/execute${query}`, {
    body: { env_vars: { WHAT: what } },
    ...more,
    headers: { 'idempotency-key': key, ...more.headers },
  });
const doneOf = (text: string): unknown => {
  const line = text.split('\n').findLast((one) => one.startsWith('data: {'));
  return JSON.parse(line?.slice('data: '.length) ?? '');
};
const FORMS = [{}, { accept: 'application/json' }, { prefer: 'respond-async' }];

describe('the same request', () => {
  it('of many at once, in every form: one run, and all hear of it', async () => {
    const count = times(60, 200);
    const answers = await Promise.all(
      Array.from({ length: count }, (_, n) => once('at-once', 'many', { headers: FORMS[n % 3] ?? {} })),
    );
    const ids = new Set(answers.map(({ headers }) => headers['x-run-id']));
    process.stdout.write(`${count} at once: ${ids.size} run, executed ${done('many')} time\n`);
    expect([ids.size, done('many')]).toEqual([1, 1]);
    for (const [n, { status, text, json }] of answers.entries()) {
      expect(status).toBe(n % 3 === 2 ? 202 : 200);
      if (n % 3 === 0) expect(doneOf(text)).toMatchObject({ return_code: 4, stdout: 'said\n', stderr: 'wrong\n' });
      if (n % 3 === 1) expect(json()).toMatchObject({ stdout: 'said\n', run: { result: { exitCode: 4 } } });
    }
  });

  it('is answered as the first one was when the run has ended, and with other members in another order', async () => {
    const first = await once('again', 'again');
    const second = await once('again', 'again');
    expect(doneOf(second.text)).toEqual(doneOf(first.text));
    expect(second.headers['x-run-id']).toBe(first.headers['x-run-id']);
    const two = { body: { env_vars: { WHAT: 'two', EXTRA: '1' } } };
    const owt = { body: { env_vars: { EXTRA: '1', WHAT: 'two' } } };
    const [a, b] = [await once('order', '', two), await once('order', '', owt)];
    expect([b.headers['x-run-id'], b.status]).toEqual([a.headers['x-run-id'], 200]);
    expect([done('again'), done('two')]).toEqual([1, 1]);
  });

  it('while the run goes on hears what comes, and the end', async () => {
    const options = { headers: { 'idempotency-key': 'long' } };
    const first = server.execute('Long.md', options);
    await vi.waitUntil(() => existsSync(path.join(server.folder, 'long')), { timeout: 30_000 });
    const second = server.execute('Long.md', options);
    writeFileSync(path.join(server.folder, 'go'), '');
    const [one, two] = await Promise.all([first, second]);
    expect(two.headers['x-run-id']).toBe(one.headers['x-run-id']);
    expect(two.output('stdout')).toBe(one.output('stdout'));
    expect(two.done()).toEqual(one.done());
  });
});

describe('a key', () => {
  it.each([
    ['another body', (key: string) => once(key, 'other')],
    ['another query', (key: string) => once(key, 'first', {}, '?timeout=1m')],
    ['another incident', (key: string) => once(key, 'first', { headers: { 'x-incident-id': 'INC-1' } })],
    ['another runbook', (key: string) => server.execute('Long.md', { headers: { 'idempotency-key': key } })],
  ])('with %s is refused, and nothing happens', async (what, ask) => {
    await once(what.replaceAll(' ', '-'), 'first');
    const before = (await recorded(server)).length;
    const { status, json } = await ask(what.replaceAll(' ', '-'));
    expect([status, json()['code']]).toEqual([409, 'conflict']);
    expect(await recorded(server)).toHaveLength(before);
  });

  it('is that of its subject and issuer; the plan takes none', async () => {
    const bob = await server.token({ sub: 'bob' });
    const [mine, his] = [await once('shared', 'mine'), await once('shared', 'his', { token: bob })];
    expect([mine.status, his.status]).toEqual([200, 200]);
    expect(his.headers['x-run-id']).not.toBe(mine.headers['x-run-id']);
    expect((await once('planned', 'planned', {}, '?dry_run=true')).json()).toMatchObject({ wouldRun: true });
    expect(doneOf((await once('planned', 'planned')).text)).toMatchObject({ return_code: 4 });
    expect(done('planned')).toBe(1);
  });

  it('of a request that was refused is free', async () => {
    const refused = await server.execute('Once.md', { headers: { 'idempotency-key': 'refused' } });
    expect(refused.done()).toMatchObject({ success: false });
    expect((await once('refused', 'then')).headers['x-run-id']).toBeDefined();
    expect(done('then')).toBe(1);
  });

  it('leaves no value of a variable in the ledger', async () => {
    await once('secret', 'value-that-nobody-keeps-4711');
    const file = path.join(server.stateDir, 'ledger.sqlite');
    const bytes = [file, `${file}-wal`].filter((one) => existsSync(one)).map((one) => readFileSync(one, 'latin1'));
    expect(bytes.join('')).toContain('request_keys');
    expect(bytes.join('')).not.toContain('value-that-nobody-keeps-4711');
  });
});

it('is kept across a kill -9: the run that was interrupted is told, and nothing runs again', async () => {
  const state = path.join(server.folder, 'shared-state');
  const started = async (): Promise<TestServer> =>
    withRunbooks(await startServer({ env: { RUNBOOK_STATE_DIR: state } }));
  const first = await started();
  const options = { headers: { 'idempotency-key': 'crash' } };
  const headers = { ...options.headers, prefer: 'respond-async' };
  const id = (await first.post('/api/runbooks/Long.md/execute', { headers })).headers['x-run-id'];
  await vi.waitUntil(() => existsSync(path.join(first.folder, 'long')), { timeout: 30_000 });
  first.kill('SIGKILL');
  await first.ended;

  const second = await started();
  const again = await second.execute('Long.md', { headers: options.headers });
  expect(again.headers['x-run-id']).toBe(id);
  expect(again.done()).toMatchObject({ success: false, errors: [expect.stringContaining('Interrupted')] });
  const document = await second.post('/api/runbooks/Long.md/execute', {
    headers: { ...options.headers, accept: 'application/json' },
  });
  expect(document.json()).toMatchObject({ run: { runId: id, state: 'interrupted' } });
  expect(existsSync(path.join(second.folder, 'long'))).toBe(false);
});
