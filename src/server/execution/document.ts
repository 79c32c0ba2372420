/** One run as one JSON document: its record, and what is kept of its output, in pieces that stay small. */
import { Readable } from 'node:stream';
import type { ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { StringDecoder } from 'node:string_decoder';
import type { RunOutput } from '../../core/ports.ts';
import type { OutputStream } from '../../core/run.ts';
import type { ProblemDocument } from '../problem.ts';
import { patienceOf } from '../stage0/event-stream.ts';

/** A proxy takes a silent connection for a dead one, and so does the server itself; blanks before a document are no part of it. */
const KEEP_ALIVE_MS = 15_000;

export interface DocumentStream {
  readonly isOpen: boolean;
  /** With status 200. */
  open(): void;
  /** The document; then the answer ends. Resolves when it is read, or nobody reads it any more. */
  send(pieces: AsyncIterable<string>): Promise<void>;
}

/** @param headers that every answer has  @param hurry aborted when the server has to end */
export function createDocumentStream(
  raw: ServerResponse,
  headers: () => Readonly<Record<string, string>>,
  hurry: AbortSignal,
): DocumentStream {
  let keepAlive: NodeJS.Timeout | null = null;
  const stop = (): void => {
    clearInterval(keepAlive ?? undefined);
  };
  raw.on('close', stop);
  return {
    get isOpen() {
      return raw.headersSent;
    },
    open: () => {
      raw.writeHead(200, { ...headers(), 'content-type': 'application/json', 'x-accel-buffering': 'no' });
      raw.flushHeaders();
      keepAlive = setInterval(() => {
        if (!raw.destroyed && raw.writableLength === 0) raw.write('\n');
      }, KEEP_ALIVE_MS);
    },
    send: async (pieces) => {
      stop();
      if (raw.destroyed) return;
      const patience = patienceOf(hurry);
      try {
        await pipeline(Readable.from(pieces), raw, { signal: patience.signal });
      } catch {
        // Whoever reads a byte now and then would keep the server from ending; the run is in the record.
        raw.destroy();
      } finally {
        patience.release();
      }
    },
  };
}

/** @param problem where its end could not be recorded */
export async function* documentPieces(
  run: object,
  {
    runId,
    kept,
    dropped,
  }: { readonly runId: string; readonly kept: Pick<RunOutput, 'read'>; readonly dropped: number },
  problem: ProblemDocument | null = null,
): AsyncGenerator<string> {
  const head = JSON.stringify({ run, ...(problem === null ? {} : { problem }) });
  yield head.slice(0, -1);
  for (const stream of ['stdout', 'stderr'] as const) {
    yield `,"${stream}":"`;
    yield* keptText(kept, runId, stream);
    yield '"';
  }
  yield `,"dropped":${dropped}}\n`;
}

/** What is no UTF-8 is U+FFFD. */
async function* keptText(kept: Pick<RunOutput, 'read'>, runId: string, stream: OutputStream): AsyncGenerator<string> {
  // A character may lie in two chunks of its stream.
  const decoder = new StringDecoder('utf8');
  for await (const item of kept.read(runId))
    if (item.kind === 'chunk' && item.stream === stream) yield escaped(decoder.write(item.bytes));
  yield escaped(decoder.end());
}

function escaped(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}
