import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { BIN, classic, cleanEnvironment } from '../../helpers/cli.ts';
import { readEvents } from '../../helpers/event-stream.ts';
import { times } from '../../helpers/property.ts';
import { startServer } from '../../helpers/server.ts';
import type { ServerOptions, TestServer } from '../../helpers/server.ts';

/** Says so when it runs; ends when there is the file `go` in the folder of the server; leaves a grandchild that ignores TERM. */
const waiting = (folder: string): string => `
echo begun
touch ${folder}/began-$RUNBOOK_RUN_ID
until test -e ${folder}/go; do sleep 0.05; done
echo finished`;
const STUBBORN = `trap '' TERM
(trap '' TERM; while :; do sleep 0.1; done) &
echo begun
while :; do sleep 0.1; done`;

async function serverWith(env: ServerOptions['env'] = {}): Promise<TestServer> {
  const server = await startServer({ env: { RUNBOOK_STOP_GRACE: '1s', ...env } });
  server.write('Wait.md', classic('Wait', waiting(server.folder)));
  server.write('Stubborn.md', classic('Stubborn', STUBBORN));
  return server;
}

interface Started {
  readonly runId: string;
  /** All of the stream, once it has ended. */
  readonly text: Promise<string>;
}

/** Resolves when the script has said that it runs. */
async function begin(server: TestServer, name: string): Promise<Started> {
  const response = await server.open('POST', `/api/runbooks/${name}/execute`);
  expect(response.statusCode).toBe(200);
  const runId = String(response.headers['x-run-id']);
  let all = '';
  let hasBegun = (): void => {};
  const begun = new Promise<void>((resolve) => {
    hasBegun = resolve;
  });
  const text = (async (): Promise<string> => {
    try {
      for await (const chunk of response) {
        all += String(chunk);
        if (all.includes('begun')) hasBegun();
      }
    } catch {
      // The server is gone: what came until then counts.
    }
    hasBegun();
    return all;
  })();
  await begun;
  return { runId, text };
}

function doneOf(text: string): Record<string, unknown> | null {
  const done = readEvents(text).find(({ event }) => event === 'done');
  return done === undefined ? null : (JSON.parse(done.data) as Record<string, unknown>);
}

interface ListedRun {
  readonly runId: string;
  readonly state: string;
  readonly result: { readonly outcome: string; readonly reason: string | null } | null;
}

/** As the command line of the same machine sees them. */
async function runsOf(server: TestServer): Promise<readonly ListedRun[]> {
  const { stdout } = await execa(process.execPath, ['--', BIN, 'history', '--limit', '100', '--json'], {
    cwd: server.folder,
    env: cleanEnvironment(server.folder),
    extendEnv: false,
  });
  return (JSON.parse(stdout) as { runs: ListedRun[] }).runs;
}

/** Processes that have the run in their environment. */
function survivorsOf(runIds: readonly string[]): readonly string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const environment = readFileSync(`/proc/${pid}/environ`, 'latin1');
        return runIds.some((runId) => environment.includes(`RUNBOOK_RUN_ID=${runId}`));
      } catch {
        return false;
      }
    });
}

async function until(what: string, isSo: () => Promise<boolean> | boolean): Promise<void> {
  for (let looks = 0; looks < 1500; looks += 1) {
    if (await isSo()) return;
    await delay(20);
  }
  throw new Error(`it did not come to it: ${what}`);
}

async function draining(server: TestServer): Promise<void> {
  await until('readyz says 503', async () => (await server.get('/readyz', { token: null })).status === 503);
}

describe('a server that is to end', () => {
  it('takes no more runs, says so at once, and lets those that run come to their end: 0 lost of 20', async () => {
    const server = await serverWith({ MAX_CONCURRENT_RUNS: '100' });
    const started = await Promise.all(
      Array.from({ length: times(20, 60) }, async () => await begin(server, 'Wait.md')),
    );
    server.kill('SIGTERM');
    await draining(server);
    const ready = (await server.get('/readyz', { token: null })).json();
    expect(ready['ready']).toBe(false);
    expect((ready['checks'] as unknown[])[0]).toEqual({
      name: 'accepting',
      ok: false,
      detail: 'the server is about to end',
    });
    expect((await server.get('/healthz', { token: null })).status).toBe(200);
    const refused = await server.post('/api/runbooks/Wait.md/execute');
    expect([refused.status, refused.headers['retry-after'], refused.json()['code']]).toEqual([503, '5', 'busy']);
    expect((await server.get('/api/runbooks')).status).toBe(200);

    writeFileSync(path.join(server.folder, 'go'), '');
    const texts = await Promise.all(started.map(async ({ text }) => await text));
    expect((await server.ended).exitCode).toBe(0);
    expect(texts.map((text) => doneOf(text)?.['return_code'])).toEqual(started.map(() => 0));
    expect(texts.filter((text) => !text.includes('data: finished')).length).toBe(0);
    const runs = await runsOf(server);
    expect(runs.map(({ runId }) => runId).toSorted()).toEqual(started.map(({ runId }) => runId).toSorted());
    expect(new Set(runs.map(({ result }) => result?.outcome))).toEqual(new Set(['succeeded']));
    expect(survivorsOf(started.map(({ runId }) => runId))).toEqual([]);
  });

  it('ends its runs at the second signal: TERM, KILL, recorded, and told to who listens', async () => {
    const server = await serverWith();
    const [one, two] = [await begin(server, 'Stubborn.md'), await begin(server, 'Wait.md')];
    server.kill('SIGTERM');
    await draining(server);
    server.kill('SIGTERM');
    const ends = [doneOf(await one.text), doneOf(await two.text)];
    expect((await server.ended).exitCode).toBe(143);
    for (const end of ends) {
      expect(end).toMatchObject({ success: false, return_code: 143 });
      expect(String(end?.['errors'])).toContain('The server was ended, and did not wait for its runs.');
    }
    for (const { result, state } of await runsOf(server)) {
      expect([state, result?.outcome]).toEqual(['finished', 'canceled']);
      expect(result?.reason).toBe('The server was ended, and did not wait for its runs.');
    }
    expect(survivorsOf([one.runId, two.runId])).toEqual([]);
  });

  it('ends them itself after DRAIN_TIMEOUT_SECONDS, and at once at the third signal', async () => {
    const late = await serverWith({ DRAIN_TIMEOUT_SECONDS: '1' });
    const run = await begin(late, 'Wait.md');
    late.kill('SIGINT');
    expect(doneOf(await run.text)).toMatchObject({ return_code: 130 });
    expect((await late.ended).exitCode).toBe(130);
    expect((await runsOf(late))[0]?.result?.reason).toContain('DRAIN_TIMEOUT_SECONDS');

    const hasty = await serverWith({ RUNBOOK_STOP_GRACE: '1h' });
    const stubborn = await begin(hasty, 'Stubborn.md');
    hasty.kill('SIGTERM');
    await draining(hasty);
    hasty.kill('SIGTERM');
    // Another one: two of the same might arrive as one.
    hasty.kill('SIGINT');
    expect((await hasty.ended).exitCode).toBe(143);
    await until('nothing is left', () => survivorsOf([stubborn.runId]).length === 0);
  });

  it('is not held by connections that are open, and ends with 0 where nothing runs', async () => {
    const server = await serverWith();
    const { connect } = await import('node:net');
    const idle = connect(server.port, '127.0.0.1');
    const half = connect(server.port, '127.0.0.1');
    for (const socket of [idle, half]) socket.on('error', () => {});
    idle.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n');
    half.write('POST /api/runbooks/Wait.md/execute HTTP/1.1\r\nHost: x\r\n');
    await new Promise((resolve) => idle.once('data', resolve));
    expect((await server.stop()).exitCode).toBe(0);
    for (const socket of [idle, half]) socket.destroy();
  });
});

describe('a server that is about to be gone', () => {
  it('hears whatever signals still come, ends as it says it does, and its record is whole', async () => {
    for (let round = 0; round < times(3, 30); round += 1) {
      const server = await serverWith();
      writeFileSync(path.join(server.folder, 'go'), '');
      expect((await server.execute('Wait.md')).done()).toMatchObject({ success: true });
      const { connect } = await import('node:net');
      // Holds up the closing for a moment.
      const half = connect(server.port, '127.0.0.1').on('error', () => {});
      half.write('POST /api/runbooks/Wait.md/execute HTTP/1.1\r\nHost: x\r\n');
      server.kill('SIGTERM');
      await draining(server).catch(() => {});
      const signals = setInterval(() => server.kill(round % 2 === 0 ? 'SIGTERM' : 'SIGINT'), 2);
      const { exitCode, stdout } = await server.ended;
      clearInterval(signals);
      half.destroy();
      expect([exitCode, stdout.includes('"msg":"Ended"')]).toEqual([0, true]);
      expect((await runsOf(server)).map(({ result }) => result?.outcome)).toEqual(['succeeded']);
    }
  });
});

describe('a server that is killed', () => {
  it('leaves no process, and the next one says of its runs that they were interrupted', async () => {
    const server = await serverWith();
    const started = [await begin(server, 'Stubborn.md'), await begin(server, 'Wait.md')];
    const ids = started.map(({ runId }) => runId);
    expect(survivorsOf(ids).length).toBeGreaterThan(2);
    server.kill('SIGKILL');
    await Promise.all(started.map(async ({ text }) => await text));
    await server.ended;
    await until('nothing is left', () => survivorsOf(ids).length === 0);

    const next = await startServer({ env: { RUNBOOK_STATE_DIR: server.stateDir, RUNBOOKS_DIR: server.runbooksDir } });
    await until('both are recorded', async () => {
      const runs = await runsOf(server);
      return runs.length === 2 && runs.every(({ state }) => state === 'interrupted');
    });
    await until('the log says so', () => ids.every((id) => next.log().some(({ msg }) => String(msg).includes(id))));
    expect(existsSync(path.join(server.folder, 'go'))).toBe(false);
  });
});
