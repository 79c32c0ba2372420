/** Events of runs over HTTP: live, resumed, after the end, of other processes; readers who leave, lag, or read nothing. */
import { readdirSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { once } from 'node:events';
import { createParser } from 'eventsource-parser';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { BIN, classic, cleanEnvironment } from '../../helpers/cli.ts';
import { eventually } from '../../helpers/background.ts';
import { readEvents } from '../../helpers/event-stream.ts';
import type { StreamEvent } from '../../helpers/event-stream.ts';
import { startServer } from '../../helpers/server.ts';
import type { TestServer } from '../../helpers/server.ts';
import { times } from '../../helpers/property.ts';

const MIB = 1024 ** 2;
/** Bytes that a run writes while a reader reads nothing. */
const FLOOD = times(20, 260) * MIB;

const server = await startServer({
  env: { MAX_STREAMS_PER_SUBJECT: '600', MAX_OUTPUT_SIZE_BYTES: String(4 * MIB) },
  runbooks: {
    'Lines.md': classic('Lines', 'for n in $(seq 200); do echo "line $n"; sleep 0.01; done; printf "\\xff\\xfeé"'),
    'Long.md': classic('Long', 'echo begun; sleep 300'),
    'Flood.md': classic(
      'Flood',
      `dd if=/dev/zero bs=64k count=${FLOOD / 65_536} status=none | tr "\\0" x; echo; echo end`,
    ),
    'Secret.md': classic('Secret', 'echo hush', { claims: 'roles: chief' }),
  },
});

interface Stream {
  readonly message: IncomingMessage;
  /** All that has come. */
  text(): string;
  events(): readonly StreamEvent[];
  /** Resolves when the answer has ended. */
  readonly ended: Promise<unknown>;
}

async function listen(address: string, lastEventId?: string, token?: string): Promise<Stream> {
  const headers = lastEventId === undefined ? {} : { 'last-event-id': lastEventId };
  const message = await server.open('GET', address, { headers, ...(token === undefined ? {} : { token }) });
  const chunks: Buffer[] = [];
  message.on('data', (chunk: Buffer) => chunks.push(chunk));
  message.on('error', () => {});
  const text = (): string => Buffer.concat(chunks).toString();
  return { message, text, events: () => readEvents(text()), ended: once(message, 'close') };
}

/** Begins a run and leaves it. @returns its id */
async function begin(name: string, from: TestServer = server): Promise<string> {
  const message = await from.open('POST', `/api/runbooks/${name}/execute`);
  expect(message.statusCode).toBe(200);
  message.destroy();
  return String(message.headers['x-run-id']);
}

async function cancel(runId: string): Promise<void> {
  await execa(process.execPath, ['--', BIN, 'cancel', runId], {
    cwd: server.folder,
    env: { ...cleanEnvironment(server.folder), RUNBOOK_STATE_DIR: server.stateDir },
    extendEnv: false,
  });
}

function outputOf(events: readonly StreamEvent[]): Buffer {
  return Buffer.concat(
    events
      .filter(({ event }) => event === 'stdout' || event === 'stderr')
      .map(({ data }) => JSON.parse(data) as { text?: string; base64?: string })
      .map(({ text, base64 }) => (base64 === undefined ? Buffer.from(text ?? '') : Buffer.from(base64, 'base64'))),
  );
}
const namesOf = (events: readonly StreamEvent[]): readonly string[] =>
  events.map(({ event }) => event).filter((name) => !['stdout', 'stderr', 'notice', 'gap'].includes(name));
const EXPECTED = Buffer.concat([
  Buffer.from(Array.from({ length: 200 }, (_, n) => `line ${n + 1}\n`).join('')),
  Buffer.from([0xff, 0xfe]),
  Buffer.from('é'),
]);

describe('a run that goes on', () => {
  it('is told to its end; who breaks off again and again and resumes misses nothing and hears nothing twice', async () => {
    const runId = await begin('Lines.md');
    const whole = await listen(`/api/runs/${runId}/events`);
    const parts: StreamEvent[] = [];
    let id: string | undefined;
    let breaks = 0;
    for (let isOver = false; !isOver; breaks += 1) {
      const part = await listen(`/api/runs/${runId}/events`, id);
      await Promise.race([part.ended, new Promise((resolve) => setTimeout(resolve, 60))]);
      part.message.destroy();
      const events = part.events();
      parts.push(...events);
      id = events.at(-1)?.id ?? id;
      isOver = events.at(-1)?.event === 'finished';
    }
    await whole.ended;
    for (const events of [whole.events(), parts]) {
      expect(outputOf(events)).toEqual(EXPECTED);
      expect(namesOf(events)).toEqual(['queued', 'started', 'step', 'step', 'finished']);
    }
    expect(breaks).toBeGreaterThan(5);
    expect(whole.message.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'x-accel-buffering': 'no',
      'cache-control': 'no-cache',
    });
    const known: { readonly id?: string | undefined; readonly event?: string | undefined }[] = [];
    const parser = createParser({ onEvent: ({ id: one, event }) => known.push({ id: one, event }) });
    parser.feed(whole.text());
    expect(known).toEqual(whole.events().map(({ id: one, event }) => ({ id: one, event })));

    // After the end, and from any place in it.
    const again = await server.get(`/api/runs/${runId}/events`);
    expect(outputOf(readEvents(again.text))).toEqual(EXPECTED);
    const middle = whole.events()[100]!;
    const rest = await server.get(`/api/runs/${runId}/events`, { headers: { 'last-event-id': middle.id } });
    expect(outputOf(readEvents(rest.text))).toEqual(outputOf(whole.events().slice(101)));
    const last = { headers: { 'last-event-id': whole.events().at(-1)!.id } };
    expect((await server.get(`/api/runs/${runId}/events`, last)).status).toBe(204);
    const answer = JSON.parse(whole.events().at(-1)!.data) as object;
    expect(answer).toMatchObject({ run: { runId, state: 'finished', result: { outcome: 'succeeded' } } });
    expect((await server.get(`/api/runs/${runId}`)).json()).toMatchObject(answer);
  });

  it(`goes on however ${times(150, 500)} readers leave it, and nothing of them stays`, async () => {
    const runId = await begin('Long.md');
    const descriptors = (): number => readdirSync(`/proc/${server.pid}/fd`).length;
    const token = await server.token();
    await server.get('/healthz');
    const before = descriptors();
    const open = async (leave: 'destroy' | 'reset' | 'end'): Promise<void> => {
      const socket = connect({ host: '127.0.0.1', port: server.port });
      socket.on('error', () => {});
      socket.write(
        `GET /api/runs/${runId}/events HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: Bearer ${token}\r\n\r\n`,
      );
      let text = '';
      for await (const chunk of socket) {
        text += String(chunk);
        if (text.includes('begun')) break;
      }
      expect(text).toContain('event: started');
      if (leave === 'reset') socket.resetAndDestroy();
      else if (leave === 'end') socket.end();
      else socket.destroy();
      socket.destroySoon();
    };
    const ways = ['destroy', 'reset', 'end'] as const;
    for (let n = 0; n < times(150, 500); n += 30)
      await Promise.all(Array.from({ length: 30 }, async (_, at) => await open(ways[(n + at) % 3]!)));
    await eventually(
      async () => descriptors() <= before + 2,
      () => `${descriptors()} descriptors, ${before} before`,
    );
    expect((await server.get('/metrics', { token: null })).text).toContain('\nrunbook_sse_connections 0\n');
    expect((await server.get(`/api/runs/${runId}`)).json()).toMatchObject({ run: { state: 'started' } });
    await cancel(runId);
  });

  it('does not wait for a reader who reads nothing: that one is let go, and resumes', async () => {
    const token = await server.token();
    const runId = await begin('Flood.md');
    const stuck = connect({ host: '127.0.0.1', port: server.port });
    stuck.pause();
    stuck.write(
      `GET /api/runs/${runId}/events HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: Bearer ${token}\r\n\r\n`,
    );
    const reader = await listen(`/api/runs/${runId}/events`);
    await reader.ended;
    const { run } = (await server.get(`/api/runs/${runId}`)).json() as { run: { result: { output: object } } };
    expect(run.result.output).toMatchObject({ bytes: FLOOD + 5 });
    const isWhole = reader.events().at(-1)?.event === 'finished';
    expect(isWhole || reader.events().at(-1)?.event === 'lagged').toBe(true);
    const chunks: Buffer[] = [];
    stuck.on('data', (chunk: Buffer) => chunks.push(chunk));
    stuck.resume();
    await once(stuck, 'close');
    const text = Buffer.concat(chunks).toString();
    expect(text).toMatch(/event: (?:lagged|finished)\n/);
    expect(text.length).toBeLessThan(8 * MIB);
    const id = [...text.matchAll(/^id: (\S+)$/gm)].at(-1)![1]!;
    const rest = readEvents((await server.get(`/api/runs/${runId}/events`, { headers: { 'last-event-id': id } })).text);
    const dropped = rest
      .filter(({ event }) => event === 'gap')
      .reduce((sum, { data }) => sum + (JSON.parse(data) as { dropped: number }).dropped, 0);
    expect(Number(id.split('.')[0]) + dropped + outputOf(rest).length).toBe(FLOOD + 5);
    expect(outputOf(rest).subarray(-4).toString()).toBe('end\n');
  });

  it('of another process under the same ledger is told as well', async () => {
    const cli = execa(process.execPath, ['--', BIN, 'execute', 'Lines', '--token', '-', '--history', 'ledger', '-q'], {
      cwd: server.folder,
      env: {
        ...cleanEnvironment(server.folder),
        RUNBOOK_STATE_DIR: server.stateDir,
        RUNBOOK_RUNBOOKS_DIR: server.runbooksDir,
        JWT_SECRET: server.secret,
      },
      extendEnv: false,
      input: await server.token(),
    });
    let runId = '';
    await eventually(
      async () => {
        const { runs } = (await server.get('/api/runs?runbook=Lines&limit=1')).json() as {
          runs: { runId: string; source: string }[];
        };
        runId = runs[0]!.runId;
        return runs[0]!.source === 'cli';
      },
      () => 'the run of the command line is not listed',
    );
    const stream = await listen(`/api/runs/${runId}/events`);
    await Promise.all([stream.ended, cli]);
    expect(outputOf(stream.events())).toEqual(EXPECTED);
    expect(namesOf(stream.events())).toEqual(['queued', 'started', 'step', 'step', 'finished']);
  });
});

describe('all runs', () => {
  it('are told as they come and go, those of others are not, and who resumes misses none', async () => {
    const all = await listen('/api/runs/events');
    const chief = await server.token({ sub: 'boss', roles: ['chief'] });
    const hidden = await server.execute('Secret.md', { token: chief });
    const seen = await server.execute('Lines.md');
    await eventually(
      async () => all.text().includes('"succeeded"'),
      () => all.text(),
    );
    all.message.destroy();
    const events = all.events().map(({ data }) => JSON.parse(data) as { run_id: string; state: string });
    expect(events.filter(({ run_id }) => run_id === seen.headers['x-run-id']).map(({ state }) => state)).toEqual([
      'queued',
      'started',
      'finished',
    ]);
    expect(all.text()).not.toContain(String(hidden.headers['x-run-id']));
    expect(hidden.status).toBe(200);
    const back = await listen('/api/runs/events', all.events()[0]!.id, chief);
    await eventually(
      async () => back.text().includes(all.events().at(-1)!.id),
      () => back.text(),
    );
    back.message.destroy();
    expect(back.events().map(({ id }) => id)).toEqual(
      all
        .events()
        .slice(1)
        .map(({ id }) => id),
    );
    const wrong = await server.get('/api/runs/events', { headers: { 'last-event-id': 'x' } });
    expect(wrong.status).toBe(400);
  });

  it.each(['x', '1.2', '-1.0.0', '1.1.1.1', `${'9'.repeat(40)}.1.1`])('an id like %j is refused', async (id) => {
    const { runs } = (await server.get('/api/runs?limit=1')).json() as { runs: { runId: string }[] };
    const answer = await server.get(`/api/runs/${runs[0]!.runId}/events`, { headers: { 'last-event-id': id } });
    expect(answer.status).toBe(400);
  });
});

it('one caller reads a bounded number of streams at once, and another is not touched by that', async () => {
  const few = await startServer({
    env: { MAX_STREAMS_PER_SUBJECT: '2' },
    runbooks: { 'Long.md': classic('Long', 'sleep 300') },
  });
  const runId = await begin('Long.md', few);
  const address = `/api/runs/${runId}/events`;
  const open = [await few.open('GET', address), await few.open('GET', '/api/runs/events')];
  expect((await few.get(address)).status).toBe(429);
  const other = await few.open('GET', address, { token: await few.token({ sub: 'berta' }) });
  expect(other.statusCode).toBe(200);
  open[0]!.destroy();
  await eventually(
    async () => {
      const again = await few.open('GET', address);
      again.destroy();
      return again.statusCode === 200;
    },
    () => 'a stream that was closed still counts',
  );
  for (const one of [...open, other]) one.destroy();
});
