/**
 * Server-Sent Events as Stage0 sends them: `stdout`, `stderr`, and one `done` at the end. A script waits for a reader who is
 * slow, but not for one who does not read at all: that one misses output, is told so by a comment, and finds it in `done`.
 */
import type { ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { OutputStream } from '../../core/run.ts';
import { PlainText } from './plain-text.ts';

const MAX_BEHIND_BYTES = 1024 ** 2;
/** So long the script waits for the first byte to be read. */
const PATIENCE_MS = 2000;
/** A line without its end is shown after this time. */
const PARTIAL_LINE_MS = 100;
const MAX_PARTIAL_LENGTH = 16 * 1024;
const KEEP_ALIVE_MS = 15_000;
/** The event `done` has what was kept of the output, at most twice the cap; so long it may be read. */
const DONE_MS = 120_000;
/** … when the server has to end. */
const HURRIED_MS = 5000;

export interface EventStream {
  /** Whether the answer has begun: after that there is no other status. */
  readonly isOpen: boolean;
  /** With status 200. */
  open(): void;
  /** A line that clients pass over. */
  comment(text: string): void;
  /** Output of the script. Resolves when there is room for more. */
  output(stream: OutputStream, chunk: Uint8Array): Promise<void>;
  /** A whole text. */
  text(stream: OutputStream, text: string): void;
  /** One that Stage0 has not: JSON in one line. */
  more(name: 'question', data: object): void;
  /** The last event, its data in pieces without line ends; then the answer ends. */
  done(pieces: AsyncIterable<string>): Promise<void>;
}

/** @param headers that every answer has  @param hurry aborted when the server has to end */
export function createEventStream(
  raw: ServerResponse,
  headers: () => Readonly<Record<string, string>>,
  hurry: AbortSignal,
): EventStream {
  const texts = { stdout: new PlainText(), stderr: new PlainText() };
  const partial = { stdout: '', stderr: '' };
  let timer: NodeJS.Timeout | null = null;
  let keepAlive: NodeJS.Timeout | null = null;
  let missed = false;
  let isStalled = false;

  const sayMissed = (): void => {
    if (missed) raw.write(': some output was left out here, since it was not read in time; `done` has it\n\n');
    missed = false;
  };
  const write = (text: string): void => {
    if (raw.destroyed || raw.writableEnded) return;
    if (raw.writableLength > MAX_BEHIND_BYTES) {
      missed = true;
      return;
    }
    sayMissed();
    isStalled = false;
    raw.write(text);
  };
  const event = (name: OutputStream, text: string): void => {
    if (text !== '')
      write(
        `event: ${name}\n${text
          .split(/\r\n?|\n/)
          .map((line) => `data: ${line}\n`)
          .join('')}\n`,
      );
  };
  const flush = (): void => {
    timer = null;
    for (const stream of ['stdout', 'stderr'] as const) {
      event(stream, partial[stream]);
      partial[stream] = '';
    }
  };
  /** Whole lines at once, as they come. */
  const show = (stream: OutputStream, text: string): void => {
    const all = partial[stream] + text;
    const end = all.length > MAX_PARTIAL_LENGTH ? all.length : all.lastIndexOf('\n') + 1;
    event(stream, all.slice(0, end));
    partial[stream] = all.slice(end);
    if (partial.stdout + partial.stderr !== '') timer ??= setTimeout(flush, PARTIAL_LINE_MS);
  };
  const stop = (): void => {
    clearInterval(keepAlive ?? undefined);
    clearTimeout(timer ?? undefined);
  };
  raw.on('close', stop);

  return {
    get isOpen() {
      return raw.headersSent;
    },
    open: () => {
      raw.writeHead(200, {
        ...headers(),
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-cache',
        'x-accel-buffering': 'no',
      });
      raw.flushHeaders();
      // A proxy takes a silent connection for a dead one.
      keepAlive = setInterval(() => {
        write(':\n\n');
      }, KEEP_ALIVE_MS);
    },
    comment: (text) => {
      write(`: ${text}\n\n`);
    },
    output: async (stream, chunk) => {
      show(stream, texts[stream].push(chunk));
      if (isStalled || raw.destroyed || raw.writableLength <= MAX_BEHIND_BYTES) return;
      isStalled = !(await hasRead(raw, AbortSignal.timeout(PATIENCE_MS)));
    },
    text: (stream, text) => {
      flush();
      event(stream, text);
    },
    more: (name, data) => {
      flush();
      write(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
    },
    done: async (pieces) => {
      stop();
      for (const stream of ['stdout', 'stderr'] as const) show(stream, texts[stream].end());
      flush();
      stop();
      if (raw.destroyed) return;
      sayMissed();
      raw.write('event: done\ndata: ');
      const patience = patienceOf(hurry);
      try {
        for await (const piece of pieces) {
          if (raw.destroyed) return;
          if (raw.write(piece) || (await hasRead(raw, patience.signal))) continue;
          // Whoever reads a byte now and then would keep the server from ending.
          raw.destroy();
          return;
        }
      } finally {
        patience.release();
      }
      raw.end('\n\n');
    },
  };
}

/** How long the last event may be read. `release` when that is over: the server outlives every run. */
export function patienceOf(hurry: AbortSignal): { readonly signal: AbortSignal; readonly release: () => void } {
  const end = new AbortController();
  const timers = [setTimeout(() => end.abort(), DONE_MS)];
  const soon = (): void => {
    timers.push(setTimeout(() => end.abort(), HURRIED_MS));
  };
  if (hurry.aborted) soon();
  else hurry.addEventListener('abort', soon);
  const release = (): void => {
    hurry.removeEventListener('abort', soon);
    for (const timer of timers) clearTimeout(timer);
  };
  return { signal: end.signal, release };
}

/** Resolves when all of it is read, or nobody is there any more: true; or with the signal: false. */
async function hasRead(raw: ServerResponse, patience: AbortSignal): Promise<boolean> {
  const done = new AbortController();
  const signal = AbortSignal.any([done.signal, patience]);
  try {
    await Promise.race([once(raw, 'drain', { signal }), once(raw, 'close', { signal })]);
    return true;
  } catch {
    return false;
  } finally {
    done.abort();
  }
}
