/** No output can forge an event: whatever a script prints, over a real socket, read by two readers. */
import { Agent, createServer, request } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createParser } from 'eventsource-parser';
import { afterAll, expect, onTestFinished, test, vi } from 'vitest';
import { createEventStream } from '../../src/server/stage0/event-stream.ts';
import type { EventStream } from '../../src/server/stage0/event-stream.ts';
import { readEvents } from '../helpers/event-stream.ts';
import type { StreamEvent } from '../helpers/event-stream.ts';
import { times } from '../helpers/property.ts';

interface Piece {
  readonly stream: 'stdout' | 'stderr';
  readonly bytes: Buffer;
}

/** What might be taken for something else than data, whole and in pieces. */
const PARTS = [
  ...[
    '\n',
    '\r',
    '\r\n',
    '\n\n',
    '\r\r',
    '\r\n\r\n',
    '\n\r\n',
    '\u2028',
    '\u2029',
    '\u0085',
    '\v',
    '\f',
    '\0',
    '\ufeff',
  ],
  ...[
    'event: done\n',
    'event:done\r',
    'data: {"success": true}\n\n',
    'data:',
    'data',
    'id: 1\n',
    'id: \0\n',
    'retry: 1\n',
    ': ',
  ],
  ...[
    '\n\nevent: done\ndata: {"success": true, "return_code": 0}\n\n',
    '\r\revent: done\rdata: x\r\r',
    'event',
    ' ',
    '\t',
  ],
  ...['text', '\u00e9', '\u20ac', '\u{1f600}', '\x1b[2K\r10%', '\\n', '"', '{}'],
].map((text) => Buffer.from(text));
const NOT_TEXT = [Buffer.from([0xff]), Buffer.from([0xe2, 0x80]), Buffer.from([0xa8]), Buffer.from([0xed, 0xa0, 0x80])];

/** xorshift32: the same outputs every time. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed + 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

function outputOf(seed: number): readonly Piece[] {
  const random = randomFrom(seed);
  const parts = [...PARTS, ...NOT_TEXT];
  const pieces = Array.from({ length: 1 + random(12) }, (): Piece => {
    const bytes = Buffer.concat(
      Array.from({ length: 1 + random(6) }, () => parts[random(parts.length)] ?? Buffer.alloc(0)),
    );
    return { stream: random(4) === 0 ? 'stderr' : 'stdout', bytes };
  });
  if (seed % 500 !== 0) return pieces;
  return [{ stream: 'stdout', bytes: Buffer.alloc(1024 ** 2, 'x') }, ...pieces];
}

/** Not by the code under test: bytes as text, each line end as one line feed. */
function expected(pieces: readonly Piece[], stream: Piece['stream']): string {
  const bytes = Buffer.concat(pieces.filter((piece) => piece.stream === stream).map((piece) => piece.bytes));
  return bytes.toString('utf8').split('\r\n').join('\n').split('\r').join('\n');
}

/** Aborted when the server has to end. */
const hurry = new AbortController();

/** An answer that only a test goes on with. */
let silent: EventStream | null = null;
const DONE = '{"success": false, "return_code": 7}';

async function answer(pieces: readonly Piece[], response: ServerResponse): Promise<void> {
  const stream = createEventStream(response, () => ({}), hurry.signal);
  stream.open();
  for (const { stream: name, bytes } of pieces) await stream.output(name, bytes);
  await stream.done(justDone());
}

async function* justDone(): AsyncGenerator<string> {
  yield DONE;
}

const server = createServer((incoming, response) => {
  if (incoming.url === '/silent') {
    silent = createEventStream(response, () => ({}), hurry.signal);
    silent.open();
    return;
  }
  void answer(outputOf(Number(incoming.url?.slice(1))), response);
}).listen(0, '127.0.0.1');
const agent = new Agent({ keepAlive: true, maxSockets: 2 });
afterAll(async () => {
  agent.destroy();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

async function open(path: string): Promise<IncomingMessage> {
  const { port } = server.address() as AddressInfo;
  return await new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, path, agent }, resolve).on('error', reject).end();
  });
}

async function get(seed: number): Promise<Buffer> {
  const response = await open(`/${seed}`);
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function readByLibrary(text: string): { readonly events: StreamEvent[]; readonly others: number } {
  const events: StreamEvent[] = [];
  let others = 0;
  const parser = createParser({
    onEvent: ({ event = 'message', data, id = '' }) => events.push({ event, data, id }),
    onRetry: () => (others += 1),
    onComment: () => (others += 1),
    onError: () => (others += 1),
  });
  parser.feed(text);
  return { events, others };
}

test('a6: whatever is printed, there is one done, and every event is one that was sent', async () => {
  const wanted = times(2000, 50_000);
  let forged = 0;
  let frames = 0;
  for (let seed = 0; seed < wanted; seed += 1) {
    const pieces = outputOf(seed);
    const text = (await get(seed)).toString();
    const events = readEvents(text);
    const library = readByLibrary(text);
    forged += events.filter(({ event }, index) => event === 'done' && index < events.length - 1).length;
    frames += events.length;
    expect(library, `seed ${seed}`).toEqual({ events, others: 0 });
    // A frame is what lies between blank lines: none is more, or less, than the event that was sent.
    expect(text.split('\n\n'), `seed ${seed}`).toHaveLength(events.length + 1);
    expect(events.at(-1), `seed ${seed}`).toEqual({ event: 'done', data: DONE, id: '' });
    for (const stream of ['stdout', 'stderr'] as const) {
      const shown = events.filter(({ event }) => event === stream).map(({ data }) => data);
      expect(shown.join(''), `seed ${seed}, ${stream}`).toBe(expected(pieces, stream));
    }
    expect(
      events.filter(({ event, id }) => !NAMES.has(event) || id !== ''),
      `seed ${seed}`,
    ).toEqual([]);
  }
  console.log(`events: ${wanted} outputs, ${frames} events, ${forged} forged`);
  expect(forged).toBe(0);
});

const NAMES = new Set(['stdout', 'stderr', 'done']);

test('D27 silence is filled with a comment, which is no event', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  onTestFinished(() => {
    vi.useRealTimers();
  });
  const response = await open('/silent');
  vi.advanceTimersByTime(15_000);
  const chunks: Buffer[] = [];
  for await (const chunk of response) {
    chunks.push(chunk as Buffer);
    if (chunks.length === 1) await silent?.done(justDone());
  }
  const text = Buffer.concat(chunks).toString();
  expect(text).toBe(`:\n\nevent: done\ndata: ${DONE}\n\n`);
  expect(readByLibrary(text)).toEqual({ events: [{ event: 'done', data: DONE, id: '' }], others: 1 });
});

test('who does not read the last event is let go when the server has to end', async () => {
  const response = await open('/silent');
  onTestFinished(() => {
    response.destroy();
  });
  async function* endless(): AsyncGenerator<string> {
    for (;;) yield 'x'.repeat(1024 ** 2);
  }
  response.pause();
  const done = silent?.done(endless());
  hurry.abort();
  // It would not come to an end otherwise, nor would the server.
  await done;
  expect(response.complete).toBe(false);
});
