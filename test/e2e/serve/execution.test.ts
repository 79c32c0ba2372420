/** What a caller can ask for with an execution, and the kinds of answers. */
import { existsSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { openSqliteLedger } from '../../../src/adapters/ledger/sqlite.ts';
import type { StoredRun } from '../../../src/core/run.ts';
import { classic } from '../../helpers/cli.ts';
import { asObject, violations } from '../../helpers/schemas.ts';
import { startServer } from '../../helpers/server.ts';

const ASK = `# Ask\n\nThree.\n\n# Steps\n\n## One\n\`\`\`bash\necho one\n\`\`\`\n\n## Two\n\n\`\`\`yaml\nconfirm: Really two?\n\`\`\`\n\`\`\`bash\necho two\n\`\`\`\n\n## Three\n\`\`\`bash\necho three\n\`\`\`\n`;

const server = await startServer({
  runbooks: {
    'Fails.md': classic('Fails', 'echo out; echo err >&2; exit 3'),
    'Closed.md': classic('Closed', 'echo no', { claims: 'roles: nobody' }),
    'Needs.md': classic('Needs', 'echo $WHO', { env: 'WHO: who' }),
    'Broken.md': '# Broken\n\n# Script\n',
    'Slow.md': classic('Slow', 'sleep 60'),
    'Ask.md': ASK,
  },
});
server.write('Marks.md', classic('Marks', `touch "${server.folder}/marked"`));
const at = (name: string, query = ''): string => `/api/runbooks/${name}.md/execute${query}`;
const JSON_ONLY = { accept: 'application/json' };
const AT_ONCE = { prefer: 'respond-async' };

async function recorded(): Promise<readonly StoredRun[]> {
  const ledger = openSqliteLedger(path.join(server.stateDir, 'ledger.sqlite'));
  try {
    return await ledger.list({ limit: 1000 });
  } finally {
    ledger.close();
  }
}
const run = async (id: unknown): Promise<StoredRun | undefined> => (await recorded()).find(({ runId }) => runId === id);
const ended = async (id: unknown): Promise<StoredRun> =>
  await vi.waitFor(
    async () => {
      const found = await run(id);
      if (found?.result == null) throw new Error(`${String(id)} has not ended`);
      return found;
    },
    { timeout: 30_000 },
  );

describe('Accept: application/json', () => {
  it('waits, and is answered with one document, whatever the run came to', async () => {
    const { status, headers, json } = await server.post(at('Fails'), { headers: JSON_ONLY });
    expect([status, headers['content-type']]).toEqual([200, 'application/json']);
    const { run: told, ...rest } = json();
    expect(rest).toEqual({ stdout: 'out\n', stderr: 'err\n', dropped: 0 });
    const id = asObject(told)['runId'];
    expect(headers['x-run-id']).toBe(id);
    expect(told).toMatchObject({ state: 'finished', result: { outcome: 'failed', exitCode: 3 } });
    expect(told).toEqual((await server.get(`/api/runs/${String(id)}`)).json()['run']);
  });

  it.each([
    ['application/json, text/plain, */*', 'text/event-stream; charset=utf-8'],
    ['application/json;q=0.5, text/event-stream;q=0.4', 'application/json'],
    ['application/json;q=0.4, text/*', 'text/event-stream; charset=utf-8'],
    ['application/*', 'application/json'],
    ['text/html', 'text/event-stream; charset=utf-8'],
  ])('%s: %s', async (accept, type) => {
    expect((await server.post(at('Fails'), { headers: { accept } })).headers['content-type']).toBe(type);
  });
});

describe('Prefer: respond-async', () => {
  it('is answered as soon as there is a run', async () => {
    const { status, headers, json } = await server.post(at('Slow', '?timeout=2s'), { headers: AT_ONCE });
    const id = headers['x-run-id'];
    expect([status, headers.location, headers['preference-applied']]).toEqual([
      202,
      `/api/runs/${String(id)}`,
      'respond-async',
    ]);
    expect(json()).toEqual({ run_id: id, state: 'queued' });
    expect((await run(id))?.result).toBeNull();
    expect((await ended(id)).result?.outcome).toBe('timed-out');
  });
});

describe.each([
  ['document', JSON_ONLY],
  ['address', AT_ONCE],
])('a refusal of whoever wants a %s', (_, headers) => {
  it.each([
    ['Closed', 403],
    ['Nowhere', 404],
    ['Needs', 422],
    ['Broken', 422],
    ['Ask', 422],
  ])('%s: %i', async (name, status) => {
    const answer = await server.post(at(name), { headers });
    expect([answer.status, answer.headers['content-type']]).toEqual([
      status,
      'application/problem+json; charset=utf-8',
    ]);
  });
});

describe('dry_run', () => {
  it('is answered with the plan; nothing is started or recorded', async () => {
    const before = (await recorded()).length;
    const { status, text, json } = await server.post(at('Marks', '?dry_run=true'));
    expect(status).toBe(200);
    expect(violations('plan', json())).toEqual([]);
    expect(json()).toMatchObject({ wouldRun: true, claims: { answer: 'not required' }, steps: [{ runs: 'yes' }] });
    expect(text).not.toContain(server.folder);
    expect(existsSync(path.join(server.folder, 'marked'))).toBe(false);
    expect(await recorded()).toHaveLength(before);
  });

  it('says to whoever may not execute it that they may not, and nothing else', async () => {
    const before = (await recorded()).length;
    const { status, json } = await server.post(at('Closed', '?dry_run=true'));
    expect(status).toBe(200);
    expect(violations('plan', json())).toEqual([]);
    expect(json()).toMatchObject({ wouldRun: false, exitCode: 77, claims: { answer: 'lacking' }, steps: [] });
    expect(await recorded()).toHaveLength(before);
  });

  it('foresees what the run would be refused for, also where somebody would be asked', async () => {
    const plan = async (name: string, query: string) => (await server.post(at(name, `?dry_run=true${query}`))).json();
    expect(await plan('Ask', '')).toMatchObject({ wouldRun: false, refusals: [{ code: 'requirements-unmet' }] });
    expect(await plan('Ask', '&confirm=ask')).toMatchObject({ wouldRun: true });
    expect(await plan('Needs', '&confirm=ask')).toMatchObject({ wouldRun: false, variables: [{ source: 'missing' }] });
    expect((await server.post(at('Nowhere', '?dry_run=true'))).status).toBe(404);
  });
});

describe('the query', () => {
  it('has the meanings of the command line', async () => {
    const headers = { ...JSON_ONLY, 'x-incident-id': 'INC-42 Zürich' };
    const first = (await server.post(at('Ask', '?confirm=yes&only=One'), { headers })).json();
    expect(first).toMatchObject({ stdout: 'one\n', run: { incident: 'INC-42 Zürich', steps: { only: 'One' } } });
    const { stdout, run: told } = (await server.post(at('Ask', '?from=2&confirm=yes'), { headers: JSON_ONLY })).json();
    expect(stdout).toBe('two\nthree\n');
    expect(told).toMatchObject({
      result: { steps: [{ outcome: 'skipped' }, { confirmedBy: 'yes' }, { outcome: 'succeeded' }] },
    });
  });

  it.each([
    ['?unknown=1', {}],
    ['?dry_run=true&dry_run=true', {}],
    ['?dry_run=1', {}],
    ['?from=One&from=Two', {}],
    ['?from=One&only=Two', {}],
    ['?only=', {}],
    ['?timeout=soon', {}],
    ['?confirm=maybe', {}],
    ['?__proto__=1', {}],
    ['', { 'x-incident-id': ' ' }],
    ['', { 'x-incident-id': 'i'.repeat(201) }],
    ['', { 'x-incident-id': ['INC-1', 'INC-2'] }],
    ['', { 'idempotency-key': '' }],
    ['', { 'idempotency-key': 'a key' }],
    ['', { 'idempotency-key': 'k'.repeat(129) }],
    ['', { 'idempotency-key': 'schlüssel' }],
    ['', { 'idempotency-key': ['a', 'b'] }],
  ])('%s %j is a mistake of the caller, and leaves nothing', async (query, headers) => {
    const before = (await recorded()).length;
    const { status, json } = await server.post(at('Marks', query), { headers });
    expect([status, json()['code']]).toEqual([400, 'usage']);
    expect(await recorded()).toHaveLength(before);
  });

  it('does not lift the limit of the server', async () => {
    const strict = (await server.post(at('Marks', '?dry_run=true&timeout=90h'))).json();
    expect(strict['limits']).toContainEqual(expect.objectContaining({ name: 'timeout', value: 600_000 }));
  });
});

describe('a caller who leaves', () => {
  it.each(['FIN', 'RST'] as const)('by %s: the run goes on to its end, and is recorded', async (how) => {
    const go = path.join(server.folder, `go-${how}`);
    const name = `Left${how}`;
    server.write(`${name}.md`, classic(name, `echo begun; until [ -e "${go}" ]; do sleep 0.05; done; echo over`));
    for (const accept of ['*/*', 'application/json']) {
      const socket = connect({ host: '127.0.0.1', port: server.port });
      socket.on('error', () => {});
      const head = `POST ${at(name)} HTTP/1.1\r\nHost: a\r\nAccept: ${accept}\r\nAuthorization: Bearer ${await server.token()}\r\n\r\n`;
      socket.write(head);
      const text = await new Promise<string>((resolve) => {
        socket.once('data', (chunk) => {
          resolve(chunk.toString());
        });
      });
      const id = /^x-run-id: (\w+)\r?$/im.exec(text)?.[1];
      if (how === 'FIN') socket.end();
      else socket.resetAndDestroy();
      writeFileSync(go, '');
      const { result } = await ended(id);
      expect([result?.outcome, result?.output.bytes]).toEqual(['succeeded', 'begun\nover\n'.length]);
      socket.destroy();
    }
  });
});
