/** The last bytes of an output in a ring of a fixed size, with the step and stream that each piece belongs to. */
import type { OutputChunk } from '../../core/ports.ts';
import type { OutputStream } from '../../core/run.ts';
import type { Ring } from './ring.ts';

/**
 * Pieces that are remembered at most, or a script that writes single bytes to both streams in turn would cost a
 * hundred times its output in memory. The oldest go first, and are counted as dropped like any other.
 */
const MAX_PIECES = 65_536;
const MAX_CHUNK_BYTES = 65_536;

interface Piece {
  readonly step: number;
  readonly stream: OutputStream;
  length: number;
}

export class Tail {
  readonly #capacity: number;
  /** Byte `n` of all that was pushed lies at `n % capacity`. */
  readonly #ring: Ring;
  #pushed = 0;
  #held = 0;
  #pieces: Piece[] = [];
  /** Pieces before this one are gone; they are cut off now and then, not one by one. */
  #first = 0;

  constructor(ring: Ring) {
    this.#capacity = ring.capacity;
    this.#ring = ring;
  }

  /** Bytes held. */
  get bytes(): number {
    return this.#held;
  }

  /** @throws Error of the system, for a ring in a file; the tail is then of no use any more */
  push(step: number, stream: OutputStream, chunk: Buffer): void {
    const kept = chunk.subarray(Math.max(0, chunk.length - this.#capacity));
    if (kept.length === 0) return;
    this.#evict(this.#held + kept.length - this.#capacity);
    const last = this.#first < this.#pieces.length ? this.#pieces.at(-1) : undefined;
    if (last?.step === step && last.stream === stream) last.length += kept.length;
    else this.#pieces.push({ step, stream, length: kept.length });
    this.#copyIn(kept);
    if (this.#pieces.length - this.#first > MAX_PIECES) this.#evict(this.#pieces[this.#first]?.length ?? 0);
  }

  /** What is held, oldest first. All of it passes through one buffer: a chunk holds until the next is asked for. */
  *chunks(): Generator<OutputChunk> {
    const buffer = Buffer.alloc(Math.min(MAX_CHUNK_BYTES, this.#held));
    let from = this.#pushed - this.#held;
    for (const { step, stream, length } of this.#pieces.slice(this.#first)) {
      for (const end = from + length; from < end; from = Math.min(from + MAX_CHUNK_BYTES, end)) {
        const bytes = buffer.subarray(0, end - from);
        this.#copyOut(from, bytes);
        yield { step, stream, bytes };
      }
    }
  }

  close(): void {
    this.#ring.close();
  }

  #evict(count: number): void {
    let left = Math.max(0, count);
    this.#held -= left;
    for (let piece = this.#pieces[this.#first]; left > 0 && piece !== undefined; piece = this.#pieces[this.#first]) {
      const cut = Math.min(left, piece.length);
      piece.length -= cut;
      left -= cut;
      if (piece.length === 0) this.#first += 1;
    }
    if (this.#first > MAX_PIECES) {
      this.#pieces = this.#pieces.slice(this.#first);
      this.#first = 0;
    }
  }

  #copyIn(chunk: Buffer): void {
    const at = this.#pushed % this.#capacity;
    const fits = this.#capacity - at;
    this.#ring.write(at, chunk.subarray(0, fits));
    if (chunk.length > fits) this.#ring.write(0, chunk.subarray(fits));
    this.#pushed += chunk.length;
    this.#held += chunk.length;
  }

  #copyOut(from: number, out: Buffer): void {
    const at = from % this.#capacity;
    const fits = this.#capacity - at;
    this.#ring.read(at, out.subarray(0, fits));
    if (out.length > fits) this.#ring.read(0, out.subarray(fits));
  }
}
