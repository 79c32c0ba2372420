/** The last bytes of an output in memory of a fixed size, with the step and stream that each piece belongs to. */
import type { OutputChunk } from '../../core/ports.ts';
import type { OutputStream } from '../../core/run.ts';

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
  /** Byte `n` of all that was pushed lies at `n % capacity`. Made when first needed. */
  #ring: Buffer | null = null;
  #pushed = 0;
  #held = 0;
  #pieces: Piece[] = [];
  /** Pieces before this one are gone; they are cut off now and then, not one by one. */
  #first = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Bytes held. */
  get bytes(): number {
    return this.#held;
  }

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

  /** What is held, oldest first, in chunks small enough to be copied. */
  *chunks(): Generator<OutputChunk> {
    let from = this.#pushed - this.#held;
    for (const { step, stream, length } of this.#pieces.slice(this.#first)) {
      for (const end = from + length; from < end; from = Math.min(from + MAX_CHUNK_BYTES, end)) {
        yield { step, stream, bytes: this.#copyOut(from, Math.min(MAX_CHUNK_BYTES, end - from)) };
      }
    }
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
    this.#ring ??= Buffer.alloc(this.#capacity);
    const at = this.#pushed % this.#capacity;
    const fits = chunk.copy(this.#ring, at);
    chunk.copy(this.#ring, 0, fits);
    this.#pushed += chunk.length;
    this.#held += chunk.length;
  }

  #copyOut(from: number, length: number): Buffer {
    const out = Buffer.alloc(length);
    const at = from % this.#capacity;
    const fits = this.#ring?.copy(out, 0, at, Math.min(at + length, this.#capacity)) ?? 0;
    this.#ring?.copy(out, fits, 0, length - fits);
    return out;
  }
}
