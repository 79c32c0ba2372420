/** More runs than a server carries out at once: who waits, who is refused, and what becomes of those that wait. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { BIN, classic, cleanEnvironment } from '../../helpers/cli.ts';
import { readEvents } from '../../helpers/event-stream.ts';
import { hold, holding } from '../../helpers/held-run.ts';
import { times } from '../../helpers/property.ts';
import { startServer } from '../../helpers/server.ts';
import type { TestServer } from '../../helpers/server.ts';

const WAITING = 3;
const server = await startServer({
  env: { MAX_CONCURRENT_RUNS: '1', MAX_QUEUED_RUNS: String(WAITING), ADMIN_CLAIM: 'roles=admin' },
  runbooks: { 'Echo.md': classic('Echo', 'echo hi', { claims: 'roles: sre' }) },
});
server.write('Hold.md', holding('Hold', server.folder));
const once = (document: string): string =>
  document.replace('# Script', '# Limits\n```yaml\nconcurrency: 1\n```\n\n# Script');

interface Run {
  readonly runId: string;
  /** All of the answer, once it has ended. */
  readonly text: Promise<string>;
  /** … so far. */
  readonly soFar: () => string;
}

/** Resolves with the head of the answer: where there is a queue, at the latest when it knows its place. */
async function ask(of: TestServer, name: string, token?: string): Promise<Run> {
  const response: IncomingMessage = await of.open(
    'POST',
    `/api/runbooks/${name}.md/execute`,
    token === undefined ? {} : { token },
  );
  expect(response.statusCode).toBe(200);
  let all = '';
  const text = (async (): Promise<string> => {
    try {
      for await (const chunk of response) all += String(chunk);
    } catch {
      // The server is gone: what came until then counts.
    }
    return all;
  })();
  return { runId: String(response.headers['x-run-id']), text, soFar: () => all };
}

function doneOf(text: string): Readonly<Record<string, unknown>> {
  const done = readEvents(text).find(({ event }) => event === 'done');
  return JSON.parse(done?.data ?? '{}') as Readonly<Record<string, unknown>>;
}

function placesIn(text: string): readonly string[] {
  return text.split('\n').filter((line) => line.startsWith(': place'));
}

async function runbook(of: TestServer, ...args: readonly string[]): Promise<Record<string, unknown>> {
  const { stdout } = await execa(process.execPath, ['--', BIN, ...args, '--json'], {
    cwd: of.folder,
    env: cleanEnvironment(of.folder),
    extendEnv: false,
    reject: false,
  });
  return JSON.parse(stdout) as Record<string, unknown>;
}

interface ListedRun {
  readonly runId: string;
  readonly state: string;
  readonly result: { readonly outcome: string; readonly reason: string | null } | null;
}

async function runsOf(of: TestServer): Promise<ReadonlyMap<string, ListedRun>> {
  const { runs } = await runbook(of, 'history', '--limit', '1000');
  return new Map((runs as readonly ListedRun[]).map((run) => [run.runId, run]));
}

async function until(what: string, isSo: () => Promise<boolean> | boolean): Promise<void> {
  for (let looks = 0; looks < 1500; looks += 1) {
    if (await isSo()) return;
    await delay(20);
  }
  throw new Error(`it did not come to it: ${what}`);
}

async function metric(of: TestServer, name: string): Promise<number> {
  const { text } = await of.get('/metrics', { token: null });
  return Number(
    text
      .split('\n')
      .find((line) => line.startsWith(`${name} `))
      ?.slice(name.length),
  );
}

describe('a run that other runs go before', () => {
  it('waits in the order of arrival, is told each of its places in comments, and begins; beyond the bound there is 503', async () => {
    const held = await hold(server, 'Hold');
    const runs: Run[] = [];
    for (let n = 0; n < WAITING; n += 1) runs.push(await ask(server, 'Echo'));
    const before = (await runsOf(server)).size;
    const refused = await server.post('/api/runbooks/Echo.md/execute');
    expect([refused.status, refused.headers['retry-after'], refused.json()['code']]).toEqual([503, '5', 'busy']);
    expect(refused.json()['detail']).toBe(`All places for runs are taken, and ${WAITING} wait.`);
    expect((await runsOf(server)).size).toBe(before);
    expect(await metric(server, 'runbook_runs_queued')).toBe(WAITING);
    const { runs: listed } = await runbook(server, 'ps');
    expect((listed as readonly ListedRun[]).map(({ state }) => state).toSorted()).toEqual([
      ...Array.from({ length: WAITING }, () => 'queued'),
      'started',
    ]);
    await held.end();
    const texts = await Promise.all(runs.map(async ({ text }) => await text));
    expect(texts.map(placesIn)).toEqual([
      [': place 1 in the queue'],
      [': place 2 in the queue', ': place 1 in the queue'],
      [': place 3 in the queue', ': place 2 in the queue', ': place 1 in the queue'],
    ]);
    // A client of Stage0 notices nothing of it.
    expect(texts.map((text) => readEvents(text).map(({ event }) => event))).toEqual(
      texts.map(() => ['stdout', 'done']),
    );
    expect(await metric(server, 'runbook_run_wait_seconds_count')).toBe(WAITING + 1);
  });

  it('can be canceled: recorded as that, and told to its caller', async () => {
    const held = await hold(server, 'Hold');
    const [first, second] = [await ask(server, 'Echo'), await ask(server, 'Echo')];
    await runbook(server, 'cancel', first.runId, '--reason', 'not needed');
    const done = doneOf(await first.text);
    expect(done).toMatchObject({ success: false, return_code: 143 });
    expect(String(done['errors'])).toContain('not needed');
    await until('the other one is next', () => second.soFar().includes(': place 1 '));
    await held.end();
    expect(doneOf(await second.text)).toMatchObject({ success: true });
    expect((await runsOf(server)).get(first.runId)).toMatchObject({
      state: 'finished',
      result: { outcome: 'canceled' },
    });
  });

  it('is refused while runs are paused', async () => {
    const held = await hold(server, 'Hold');
    await runbook(server, 'pause', 'release');
    const refused = await server.post('/api/runbooks/Echo.md/execute');
    await runbook(server, 'resume');
    expect([refused.status, String(refused.json()['detail'])]).toEqual([503, expect.stringContaining('release')]);
    await held.end();
  });
});

describe('`concurrency` of a document', () => {
  it('makes its runs wait and lets those of others pass; also while a command line holds it', async () => {
    const file = server.write(
      'Once.md',
      once(classic('Once', `until test -e ${server.folder}/go; do sleep 0.05; done`, { claims: 'roles: sre' })),
    );
    const token = await server.token();
    const local = execa(process.execPath, ['--', BIN, 'execute', '-q', file], {
      cwd: server.folder,
      env: { ...cleanEnvironment(server.folder), JWT_SECRET: server.secret, RUNBOOK_TOKEN: token },
      extendEnv: false,
      reject: false,
    });
    await until('the local one runs', async () => ((await runbook(server, 'ps'))['runs'] as unknown[]).length === 1);
    const waiting = await ask(server, 'Once');
    expect((await server.execute('Echo.md')).done()).toMatchObject({ success: true });
    expect(placesIn(waiting.soFar())).toEqual([': place 1 in the queue']);
    writeFileSync(path.join(server.folder, 'go'), '');
    expect((await local).exitCode).toBe(0);
    expect(doneOf(await waiting.text)).toMatchObject({ success: true });
  });
});

describe('a run that calls others', () => {
  it('never waits for a place that it holds itself, and has no more of them at once than the server', async () => {
    const held = await hold(server, 'Hold');
    server.write('Child.md', holding('Child', server.folder));
    const child = await hold(server, 'Child', { token: held.token });
    // One each: a family as deep as it likes, but no wider than the server.
    expect((await server.execute('Echo.md', { token: child.token })).done()).toMatchObject({ success: true });
    const wider = await server.post('/api/runbooks/Echo.md/execute', { token: held.token });
    expect([wider.status, wider.json()['detail']]).toEqual([
      503,
      'This run has as many runs of other runbooks at once as it may (1).',
    ]);
    await child.end();
    expect((await server.execute('Echo.md', { token: held.token })).done()).toMatchObject({ success: true });
    expect((await held.end()).done()).toMatchObject({ success: true });
  });

  it('hears at once that a runbook of `concurrency` 1 is busy, so two can never wait for each other', async () => {
    server.write('Only.md', once(holding('Only', server.folder)));
    const held = await hold(server, 'Only');
    server.write('Child.md', holding('Child', server.folder));
    const child = await hold(server, 'Child', { token: held.token });
    server.write('Child2.md', once(classic('Child2', 'echo hi', { claims: 'roles: sre' })));
    expect((await server.execute('Child2.md', { token: child.token })).done()).toMatchObject({ success: true });
    // Another family's run of the same document has to be under way: it comes from the command line.
    const file = path.join(server.runbooksDir, 'Child2.md');
    writeFileSync(file, once(classic('Child2', `until test -e ${server.folder}/go2; do sleep 0.05; done`)));
    const local = execa(process.execPath, ['--', BIN, 'execute', '-q', file], {
      cwd: server.folder,
      env: cleanEnvironment(server.folder),
      extendEnv: false,
      reject: false,
    });
    await until('the local one runs', async () => ((await runbook(server, 'ps'))['runs'] as unknown[]).length === 3);
    writeFileSync(file, once(classic('Child2', 'echo hi', { claims: 'roles: sre' })));
    const busy = await server.post('/api/runbooks/Child2.md/execute', { token: child.token });
    expect([busy.status, busy.json()['detail']]).toEqual([
      503,
      'This runbook is running already (1 of at most 1 at once).',
    ]);
    writeFileSync(path.join(server.folder, 'go2'), '');
    expect((await local).exitCode).toBe(0);
    await child.end();
    await held.end();
  });
});

describe('many at once', () => {
  it(`loses none of 50 at once: each is carried out once, recorded, and told to its caller (c1)`, async () => {
    const many = await startServer({
      env: { MAX_CONCURRENT_RUNS: '4', MAX_QUEUED_RUNS: '1000' },
      runbooks: {
        'Echo.md': classic('Echo', 'echo "run $RUNBOOK_RUN_ID"', { claims: 'roles: sre' }),
        'Once.md': once(classic('Once', 'echo "run $RUNBOOK_RUN_ID"', { claims: 'roles: sre' })),
      },
    });
    const token = await many.token();
    const rounds = times(1, 20);
    const all: Run[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const batch = await Promise.all(
        Array.from({ length: 50 }, async (_, n) => await ask(many, n % 10 === 0 ? 'Once' : 'Echo', token)),
      );
      for (const run of batch) expect(await run.text).toContain(`data: run ${run.runId}\n`);
      all.push(...batch);
    }
    const runs = await runsOf(many);
    expect(new Set(all.map(({ runId }) => runId)).size).toBe(50 * rounds);
    if (rounds === 1) expect([...runs.keys()].toSorted()).toEqual(all.map(({ runId }) => runId).toSorted());
    expect(new Set([...runs.values()].map(({ result }) => result?.outcome))).toEqual(new Set(['succeeded']));
    expect(await metric(many, 'runbook_run_wait_seconds_count')).toBe(50 * rounds);

    // And of a server that is killed with a queue the next one says so of every run.
    many.write('Hold.md', holding('Hold', many.folder));
    const held = Promise.allSettled(Array.from({ length: 12 }, async () => await ask(many, 'Hold', token)));
    await until('all of them are there', async () => (await metric(many, 'runbook_runs_queued')) === 8);
    many.kill('SIGKILL');
    await many.ended;
    await held;
    await runbook(many, 'ps');
    const after = [...(await runsOf(many)).values()].slice(0, 12);
    expect(new Set(after.map(({ state }) => state))).toEqual(new Set(['interrupted']));
    const processes = readdirSync('/proc').filter((name) => {
      try {
        return /^\d+$/.test(name) && readFileSync(`/proc/${name}/environ`, 'latin1').includes(many.folder);
      } catch {
        return false;
      }
    });
    expect(processes).toEqual([]);
  });
});

describe('a server that is to end', () => {
  it('refuses those that wait, says so to their callers, and lets the others come to their end', async () => {
    const ending = await startServer({ env: { MAX_CONCURRENT_RUNS: '1' } });
    ending.write('Hold.md', holding('Hold', ending.folder));
    ending.write('Echo.md', classic('Echo', 'echo hi', { claims: 'roles: sre' }));
    const held = await hold(ending, 'Hold');
    const waiting = await ask(ending, 'Echo');
    ending.kill('SIGTERM');
    const done = doneOf(await waiting.text);
    expect(done).toMatchObject({ success: false, return_code: 1 });
    expect(String(done['errors'])).toContain('The server is about to end, and the run had not begun');
    expect((await held.end()).done()).toMatchObject({ success: true });
    expect((await ending.ended).exitCode).toBe(0);
    expect((await runsOf(ending)).get(waiting.runId)).toMatchObject({
      state: 'finished',
      result: { outcome: 'canceled' },
    });
  });
});
