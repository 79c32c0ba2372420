/** Ending runs, answering their questions, and the brake: who may, what it does, and that each change is one record. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { openSqliteLedger } from '../../../src/adapters/ledger/sqlite.ts';
import type { StoredOperation } from '../../../src/core/ports.ts';
import type { StoredRun } from '../../../src/core/run.ts';
import { createHome } from '../../helpers/cli.ts';
import { violations } from '../../helpers/schemas.ts';
import { startServer } from '../../helpers/server.ts';
import type { Answer } from '../../helpers/server.ts';

const step = (name: string, keys: string, script: string): string =>
  `## ${name}\n\`\`\`yaml\n${keys}\n\`\`\`\n\`\`\`bash\n${script}\n\`\`\`\n\n`;
const HEAD = (title: string, claims: string): string =>
  `# ${title}\n\nAsks.\n\n# Environment Requirements\n\`\`\`yaml\nHOST:\n  description: which\n  default: db-3\n\`\`\`\n\n# Required Claims\n\`\`\`yaml\n${claims}\n\`\`\`\n\n# Steps\n\n`;
const CLAIMS = 'roles: sre\nreaders:\n  roles: auditor';
const ASKS =
  HEAD('Asks', CLAIMS) +
  step('One', 'confirm: Really on $HOST?', 'echo one') +
  step('Two', 'confirm_typing: HOST', 'echo two') +
  `## Three\n\`\`\`yaml\nmanual: Look at it.\n\`\`\`\n`;
const HOLDS = `${HEAD('Holds', CLAIMS)}## Hold\n\`\`\`bash\necho begun; exec sleep 60\n\`\`\`\n`;

const server = await startServer({
  env: { ADMIN_CLAIM: 'roles=admin', CONFIRM_TIMEOUT_SECONDS: '20' },
  runbooks: { 'Asks.md': ASKS, 'Holds.md': HOLDS },
});
const ledger = openSqliteLedger(path.join(server.stateDir, 'ledger.sqlite'));
afterAll(() => {
  ledger.close();
});

const TOKENS = {
  anna: await server.token(),
  colleague: await server.token({ sub: 'cleo' }),
  reader: await server.token({ sub: 'rita', roles: ['auditor'] }),
  stranger: await server.token({ sub: 'sven', roles: ['other'] }),
  admin: await server.token({ sub: 'ada', roles: ['admin'] }),
};

async function start(name: string, query = ''): Promise<string> {
  const { headers, text } = await server.post(`/api/runbooks/${name}.md/execute${query}`, {
    headers: { prefer: 'respond-async' },
  });
  const id = headers['x-run-id'];
  if (typeof id !== 'string') throw new Error(text);
  return id;
}
const post = async (what: string, body: unknown, token = TOKENS.anna): Promise<Answer> =>
  await server.post(`/api/runs/${what}`, { body, token });
const answer = async (id: string, n: number, said = 'yes', more: object = {}, token = TOKENS.anna): Promise<Answer> =>
  await post(`${id}/confirm`, { step: n, answer: said, ...more }, token);
/** Until the step asks. */
async function answered(id: string, n: number, more: object = {}, token = TOKENS.anna): Promise<Answer> {
  return await vi.waitFor(
    async () => {
      const got = await answer(id, n, 'yes', more, token);
      if (got.status === 409) throw new Error(got.text);
      return got;
    },
    { timeout: 20_000, interval: 50 },
  );
}
const ended = async (id: string): Promise<StoredRun> =>
  await vi.waitFor(
    async () => {
      const run = await ledger.get(id);
      if (run === null || run.result === null) throw new Error(`${id} has not ended`);
      return run;
    },
    { timeout: 30_000 },
  );
const operationsOf = async (id: string): Promise<readonly StoredOperation[]> =>
  (await ledger.operations(1000)).filter(({ run }) => run === id);
const begun = async (id: string): Promise<void> => {
  await vi.waitUntil(async () => (await ledger.get(id))?.state === 'started', { timeout: 20_000 });
};

describe('questions', () => {
  it('wait for whoever may execute the runbook; who answered what is recorded once each, and shown', async () => {
    const id = await start('Asks', '?confirm=ask');
    const first = await answered(id, 1, {}, TOKENS.colleague);
    expect([first.status, first.json()]).toEqual([200, { run_id: id, step: 1, answer: 'yes' }]);
    expect((await answered(id, 2, { typed: ' db-3\n' })).status).toBe(200);
    expect((await answered(id, 3, {}, TOKENS.admin)).status).toBe(200);
    const { result } = await ended(id);
    expect(result?.outcome).toBe('succeeded');
    expect(result?.steps.map(({ confirmedBy }) => confirmedBy)).toEqual(['answer', 'typing', 'answer']);
    const operations = await operationsOf(id);
    expect(operations.map(({ who, answer: said }) => [who.subject, who.issuer, said])).toEqual([
      ['ada', 'dev-idp', { step: 3, answer: 'yes' }],
      ['anna', 'dev-idp', { step: 2, answer: 'yes' }],
      ['cleo', 'dev-idp', { step: 1, answer: 'yes' }],
    ]);

    const home = createHome();
    const shown = async (...args: string[]) => await home.run([...args, '--state-dir', server.stateDir]);
    expect((await shown('history', id)).stdout).toContain('yes to step 1 at');
    const history: unknown = JSON.parse((await shown('history', id, '--json')).stdout);
    expect(violations('history', history)).toEqual([]);
    expect(history).toMatchObject({ answers: [{ who: { subject: 'cleo' }, step: 1, answer: 'yes' }, {}, {}] });
    expect(violations('audit', JSON.parse((await shown('audit', 'list', '--json')).stdout))).toEqual([]);
    expect((await shown('audit', 'list')).stdout).toContain('cleo of dev-idp');
    expect((await shown('audit', 'verify')).exitCode).toBe(0);
  });

  it('are events of a stream that is read, and a no ends the run', async () => {
    expect((await server.execute('Asks.md')).done()).toMatchObject({ success: false });
    const reading = server.post('/api/runbooks/Asks.md/execute?confirm=ask');
    const id = await vi.waitFor(async () => {
      const [run] = await ledger.list({ state: 'started', limit: 1 });
      if (run === undefined) throw new Error('nothing runs');
      return run.runId;
    });
    const question = { step: 1, name: 'One', kind: 'confirm', text: 'Really on db-3?' };
    await vi.waitFor(async () => {
      expect((await server.get(`/api/runs/${id}`)).json()).toMatchObject({ under_way: { question } });
    });
    expect((await answer(id, 1, 'no')).status).toBe(200);
    const { text } = await reading;
    expect(text).toContain(
      `event: question\ndata: {"run_id":"${id}","step":1,"name":"One","kind":"confirm","text":"Really on db-3?"}\n\n`,
    );
    expect((await ended(id)).result).toMatchObject({ outcome: 'canceled', reason: '“One” was not confirmed.' });
    expect((await operationsOf(id)).map(({ answer: said }) => said)).toEqual([{ step: 1, answer: 'no' }]);
  });

  it('of several who answer at once one counts, and leaves the one record', async () => {
    const id = await start('Asks', '?confirm=ask');
    await begun(id);
    const callers = [TOKENS.anna, TOKENS.colleague, TOKENS.admin];
    const race = async () =>
      await Promise.all(Array.from({ length: 9 }, (_, n) => answer(id, 1, n % 2 ? 'no' : 'yes', {}, callers[n % 3])));
    const statuses = await vi.waitFor(async () => {
      const got = (await race()).map(({ status }) => status);
      if (!got.includes(200)) throw new Error('not asked yet');
      return got;
    });
    expect(statuses.toSorted((a, b) => a - b)).toEqual([200, ...Array.from({ length: 8 }, () => 409)]);
    expect(await operationsOf(id)).toHaveLength(1);
    await post(`${id}/cancel`, undefined);
    await ended(id);
  });

  it('take nothing but what they ask for', async () => {
    const id = await start('Asks', '?confirm=ask');
    await begun(id);
    await vi.waitFor(async () => {
      expect((await answer(id, 2)).status).toBe(409);
      expect((await answer(id, 1, 'yes', { typed: 'db-3' })).status).toBe(409);
    });
    expect((await answered(id, 1)).status).toBe(200);
    expect((await answered(id, 2, { typed: 'db-4' })).status).toBe(400);
    // The answer before, once more, is no answer to this question.
    for (const [n, typed] of [
      [1, undefined],
      [2, undefined],
      [1, 'db-3'],
    ] as const)
      expect((await answer(id, n, 'yes', typed === undefined ? {} : { typed })).status).toBe(409);
    expect((await answer(id, 2, 'yes', { typed: '' })).status).toBe(400);
    expect((await answer(id, 2, 'yes', { typed: 'DB-3' })).json()['detail']).toContain('third time');
    expect((await ended(id)).result).toMatchObject({ outcome: 'canceled' });
    expect((await operationsOf(id)).map(({ answer: said }) => said)).toEqual([
      { step: 2, answer: 'no' },
      { step: 1, answer: 'yes' },
    ]);
  });

  it('of a run that is being canceled are not answered any more', async () => {
    const id = await start('Asks', '?confirm=ask');
    await begun(id);
    expect((await post(`${id}/cancel`, { reason: 'the wrong host' })).status).toBe(202);
    expect((await answer(id, 1)).status).toBe(409);
    expect((await ended(id)).result).toMatchObject({
      outcome: 'canceled',
      reason: 'Canceled by anna: the wrong host.',
    });
    expect((await operationsOf(id)).map(({ operation }) => operation)).toEqual(['cancel']);
    expect((await answer(id, 1)).status).toBe(409);
  });

  it('that nobody answers in time are a no', async () => {
    const hasty = await startServer({ runbooks: { 'Asks.md': ASKS }, env: { CONFIRM_TIMEOUT_SECONDS: '1' } });
    const { json } = await hasty.post('/api/runbooks/Asks.md/execute?confirm=ask', {
      headers: { accept: 'application/json' },
    });
    expect(json()['run']).toMatchObject({ result: { outcome: 'canceled', reason: '“One” was not confirmed.' } });
  });
});

describe('cancel', () => {
  it('ends a run of the server, and a second one is told that it has ended', async () => {
    const id = await start('Holds');
    await begun(id);
    const { status, json } = await post(`${id}/cancel`, { reason: 'enough' }, TOKENS.colleague);
    expect([status, json()]).toEqual([202, { run_id: id, state: 'started' }]);
    expect((await ended(id)).result).toMatchObject({ outcome: 'canceled', reason: 'Canceled by cleo: enough.' });
    expect((await post(`${id}/cancel`, undefined)).status).toBe(409);
    expect(await operationsOf(id)).toMatchObject([
      { operation: 'cancel', who: { subject: 'cleo', issuer: 'dev-idp' } },
    ]);
  });

  it('ends a run of the command line under the same ledger', async () => {
    const home = createHome();
    const run = home.run(
      ['execute', path.join(server.runbooksDir, 'Holds.md'), '--state-dir', server.stateDir, '--history', 'ledger'],
      { env: { RUNBOOK_TOKEN: TOKENS.anna, JWT_SECRET: server.secret } },
    );
    const id = await vi.waitFor(
      async () => {
        const [found] = await ledger.list({ state: 'started', limit: 1 });
        if (found?.source !== 'cli') throw new Error('it has not begun');
        return found.runId;
      },
      { timeout: 30_000 },
    );
    expect((await post(`${id}/cancel`, undefined, TOKENS.admin)).status).toBe(202);
    expect((await run).exitCode).toBe(143);
    expect((await ended(id)).result?.reason).toBe('Canceled by ada.');
  });

  it.each([
    ['anna', 202],
    ['colleague', 202],
    ['admin', 202],
    ['reader', 403],
    ['stranger', 404],
  ] as const)('by %s: %i, as with a confirmation', async (who, status) => {
    const id = await start('Holds');
    await begun(id);
    const token = TOKENS[who];
    const confirmation = await answer(id, 1, 'yes', {}, token);
    expect(confirmation.status).toBe(status === 202 ? 409 : status);
    const { status: got, text } = await post(`${id}/cancel`, undefined, token);
    expect(got).toBe(status);
    if (status === 404) {
      const nothing = await post(`01KB2Z4Q8W9X7V6T5S4R3Q2P1N/cancel`, undefined, token);
      expect(text).toBe(nothing.text);
    }
    if (status !== 202) await post(`${id}/cancel`, undefined);
    await ended(id);
    expect(await operationsOf(id)).toHaveLength(1);
  });

  it('of what is no run: 404; by the token of a run: 403', async () => {
    const [operation] = await ledger.operations(1);
    for (const id of [operation?.operationId ?? '', '0', 'x'.repeat(64)])
      expect([id, (await post(`${id}/cancel`, undefined)).status]).toEqual([id, 404]);
    for (const id of ['%00', '..%2f..', 'x'.repeat(65)])
      expect([id, (await post(`${id}/cancel`, undefined)).status]).toEqual([id, 400]);
    const mine = path.join(server.folder, 'token');
    server.write(
      'Own.md',
      HOLDS.replaceAll('Holds', 'Own').replace('echo begun', `printf %s "$RUNBOOK_API_TOKEN" > ${mine}`),
    );
    const id = await start('Own');
    const token = await vi.waitFor(() => {
      const text = readFileSync(mine, 'utf8');
      if (text === '') throw new Error('not written yet');
      return text;
    });
    expect((await post(`${id}/cancel`, undefined, token)).status).toBe(403);
    expect((await answer(id, 1, 'yes', {}, token)).status).toBe(403);
    await post(`${id}/cancel`, undefined);
    await ended(id);
  });

  it('and answers with bodies that are none are refused, and leave nothing', async () => {
    const id = await start('Holds');
    await begun(id);
    for (const body of [[], 1, 'x', '{', { reason: 1 }, { reason: '' }, { reason: 'x'.repeat(501) }, { other: 1 }])
      expect(
        (
          await server.post(`/api/runs/${id}/cancel`, {
            body: typeof body === 'string' ? body : body,
            headers: { 'content-type': 'application/json' },
          })
        ).status,
      ).toBe(400);
    const answers = [undefined, null, [], {}, { step: 1 }, { step: 0, answer: 'yes' }, { step: '1', answer: 'yes' }];
    for (const body of [
      ...answers,
      { step: 1, answer: 'maybe' },
      { step: 1.5, answer: 'yes' },
      { step: 1, answer: 'yes', typed: 1 },
      { step: 1, answer: 'yes', by: 'bob' },
    ])
      expect((await post(`${id}/confirm`, body)).status).toBe(400);
    expect(await operationsOf(id)).toEqual([]);
    await post(`${id}/cancel`, undefined);
    await ended(id);
  });
});

describe('the brake', () => {
  it('is for administrators, holds until it is let go, and each change is one record', async () => {
    const brake = async (what: string, token: string, body?: unknown) =>
      await server.post(`/api/admin/${what}`, { token, body });
    expect((await brake('pause', TOKENS.anna, { reason: 'no' })).status).toBe(403);
    expect((await brake('pause', TOKENS.admin, {})).status).toBe(400);
    expect((await brake('pause', TOKENS.admin, { reason: ' ' })).status).toBe(400);
    const before = (await ledger.operations(1000)).length;
    const paused = (await brake('pause', TOKENS.admin, { reason: 'the move' })).json();
    expect(paused).toMatchObject({ paused: { by: 'ada', reason: 'the move' } });
    const refused = await server.post('/api/runbooks/Holds.md/execute');
    expect([refused.status, refused.json()['detail']]).toEqual([503, expect.stringContaining('by ada: the move')]);
    expect(refused.headers['x-run-id']).toBeDefined();
    expect((await brake('resume', TOKENS.admin)).json()).toEqual({ paused: null });
    expect((await brake('resume', TOKENS.admin)).json()).toEqual({ paused: null });
    const [resume, pause, ...rest] = await ledger.operations(1000);
    expect([resume?.operation, pause?.operation, rest.length]).toEqual(['resume', 'pause', before]);
    expect([resume?.who.subject, pause?.who.subject]).toEqual(['ada', 'ada']);
  });
});
