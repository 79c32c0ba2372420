/** What is kept of a run's output on its way to stdout: decoded and written piece by piece, never all of it in memory. */
import { StringDecoder } from 'node:string_decoder';
import type { KeptOutput, OutputChunk, RunOutput } from '../core/ports.ts';
import type { OutputStream } from '../core/run.ts';
import { keepYoungSmall } from './memory.ts';
import type { Terminal } from './terminal.ts';

const PIECE_BYTES = 2048;
/** Small pieces are put together to about this many characters before they are written. */
const BATCH_CHARACTERS = 32_768;

/** A text in pieces, each of them well-formed by itself; `pieces` begins anew with every call. */
export class LongText {
  readonly pieces: () => AsyncIterable<string>;

  constructor(pieces: () => AsyncIterable<string>) {
    this.pieces = pieces;
  }
}

/** Both streams of what is kept, as texts of a JSON document. What is no UTF-8 is U+FFFD. */
export function keptTexts(output: RunOutput, runId: string): Readonly<Record<OutputStream, LongText>> {
  const text = (stream: OutputStream): LongText => new LongText(() => textOf(output.read(runId), stream));
  return { stdout: text('stdout'), stderr: text('stderr') };
}

async function* textOf(kept: AsyncIterable<KeptOutput>, stream: OutputStream): AsyncGenerator<string> {
  const decoder = new ChunkDecoder();
  for await (const item of kept) if (item.kind === 'chunk' && item.stream === stream) yield* decoder.decode(item);
  yield decoder.end();
}

/** Chunks as text, in pieces that stay small also where each byte becomes six characters of JSON. */
export class ChunkDecoder {
  // A character may lie in two chunks of its stream.
  readonly #decoders = { stdout: new StringDecoder('utf8'), stderr: new StringDecoder('utf8') };

  *decode({ stream, bytes }: Pick<OutputChunk, 'stream' | 'bytes'>): Generator<string> {
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
      yield this.#decoders[stream].write(bytes.subarray(at, at + PIECE_BYTES));
    }
  }

  /** What never became a character. */
  end(): string {
    return this.#decoders.stdout.end() + this.#decoders.stderr.end();
  }
}

/** Prints a text of any length; nothing of it waits in memory. */
export async function printLong(terminal: Terminal, texts: AsyncIterable<string>): Promise<void> {
  for await (const batch of batched(texts)) await terminal.print(batch);
}

/** The same text in fewer pieces. */
export async function* batched(texts: AsyncIterable<string>): AsyncGenerator<string> {
  keepYoungSmall();
  let batch = '';
  for await (const text of texts) {
    batch += text;
    if (batch.length < BATCH_CHARACTERS) continue;
    yield batch;
    batch = '';
  }
  if (batch !== '') yield batch;
}

/** As the inside of a JSON string. */
export async function* escaped(texts: AsyncIterable<string>): AsyncGenerator<string> {
  for await (const text of texts) yield JSON.stringify(text).slice(1, -1);
}
