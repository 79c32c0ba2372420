/** One stream on its way through the masker: what has been found in it, and what is held back. */
import { SLOW } from './automaton.ts';
import type { Automaton } from './automaton.ts';
import type { Filter } from './filter.ts';
import { Scanner } from './scanner.ts';
import { unite } from './spans.ts';
import type { Span } from './spans.ts';
import { Window } from './window.ts';

export interface Automata {
  readonly plain: Automaton;
  readonly base64: Automaton;
  readonly hex: Automaton;
  /** Made when it is first asked for; null where there is none. */
  readonly filter: () => Filter | null;
}

export interface MaskStream {
  /** What of everything written so far can be let go: never a byte that may still belong to a secret. May share memory with `chunk`. */
  write(chunk: Uint8Array): Buffer;
  /** The rest; the stream is empty again and may be used anew. */
  end(): Buffer;
}

const MASK = '***';
/** Before so much has come, it is read sooner than the filter is made. */
const FILTERED_FROM_BYTES = 256 * 1024;
/** A smaller piece says nothing of those that follow. */
const TELLING_BYTES = 4096;
/** Of pieces in which little could be passed over, so many are read without trying. */
const UNFILTERED = 15;

export class AutomataStream implements MaskStream {
  private readonly current: () => Automata | null;
  private readonly filteredFrom: number;
  private automata: Automata | null = null;
  private scanners: readonly Scanner[] = [];
  /** Bytes read. */
  private position = 0;
  /** What is before this has been let go, masked or not. */
  private safe = 0;
  /** What is before this is let go or behind a mask: at `safe`, or further on where a secret reaches over it. */
  private done = 0;
  /** Whether the last that was let go is a mask, which then stands for a secret that follows at once as well. */
  private masked = false;
  /** Secrets, united, that are not behind a mask yet. */
  private found: Span[] = [];
  /** What brought the scanners where they are; it is read again when a secret is added. */
  private window = new Window();
  /** Pieces that are read before the filter is tried again. */
  private unfiltered = 0;

  /** `current` gives the automata of all secrets known by now; null without any. */
  constructor(current: () => Automata | null, filteredFrom = FILTERED_FROM_BYTES) {
    this.filteredFrom = filteredFrom;
    this.current = current;
  }

  write(chunk: Uint8Array): Buffer {
    this.follow();
    if (this.automata === null) return viewOf(chunk);
    this.scan(chunk, this.position);
    this.position += chunk.length;
    const safe = Math.min(...this.scanners.map((scanner) => scanner.safeUpTo(this.position)));
    const released = this.release(safe, chunk);
    this.keep(chunk);
    return released;
  }

  end(): Buffer {
    this.follow();
    const rest = this.release(this.position, new Uint8Array(0));
    this.window = new Window();
    this.scanners = this.scanners.map(({ automaton }) => new Scanner(automaton));
    this.position = 0;
    this.safe = 0;
    this.done = 0;
    this.masked = false;
    return rest;
  }

  /** Takes over secrets that were added since; they may already have begun in what is held back. */
  private follow(): void {
    const automata = this.current();
    if (automata === this.automata || automata === null) return;
    this.automata = automata;
    this.scanners = [automata.plain, automata.base64, automata.hex].map((automaton) => new Scanner(automaton));
    const known = this.found;
    this.found = [];
    const { window } = this;
    this.scan(window.slice(window.start, window.end), window.start);
    const all = [...known, ...this.found].sort((a, b) => a.end - b.end);
    this.found = [];
    for (const span of all) this.mark(span.start, span.end);
  }

  private scan(bytes: Uint8Array, position: number): void {
    const filter = position < this.filteredFrom ? null : (this.automata?.filter() ?? null);
    if (filter === null || this.unfiltered > 0) {
      if (this.unfiltered > 0) this.unfiltered -= 1;
      this.read(bytes, 0, bytes.length, position);
    } else if (this.scanFiltered(bytes, position, filter) < bytes.length / 4 && bytes.length >= TELLING_BYTES) {
      this.unfiltered = UNFILTERED;
    }
  }

  /** @returns how many bytes were not read */
  private scanFiltered(bytes: Uint8Array, position: number, filter: Filter): number {
    const { scanners } = this;
    let passed = 0;
    let index = 0;
    while (index < bytes.length) {
      // What has begun may not be a secret after all.
      const begun = Math.min(...scanners.map((scanner) => scanner.contextStart(position + index)));
      const next = Math.min(filter.pass(bytes, begun - position), bytes.length);
      if (next > index) {
        for (const scanner of scanners) scanner.state = 0;
        passed += next - index;
        index = next;
      }
      const until = Math.min(index + filter.window, bytes.length);
      this.read(bytes, index, until, position);
      index = until;
    }
    return passed;
  }

  private read(bytes: Uint8Array, from: number, until: number, position: number): void {
    const { scanners } = this;
    for (let index = this.skip(bytes, from, until); index < until; index = this.skip(bytes, index + 1, until)) {
      const byte = bytes[index] ?? 0;
      for (const scanner of scanners) {
        const start = scanner.step(byte, position + index);
        if (start !== -1) this.mark(start, position + index + 1);
      }
    }
  }

  /** Nearly all bytes lead from one row to another and end nothing. @returns index of the first that needs a closer look */
  private skip(bytes: Uint8Array, from: number, until: number): number {
    const [plain, base64, hex] = this.scanners;
    if (plain === undefined || base64 === undefined || hex === undefined) return until;
    const { rows: plainRows, dense: plainDense } = plain.automaton;
    const { rows: base64Rows, dense: base64Dense } = base64.automaton;
    const { rows: hexRows, dense: hexDense } = hex.automaton;
    let { state: atPlain } = plain;
    let { state: atBase64 } = base64;
    let { state: atHex } = hex;
    if (atPlain >= plainDense || atBase64 >= base64Dense || atHex >= hexDense) return from;
    let index = from;
    for (; index < until; index += 1) {
      const byte = bytes[index] ?? 0;
      const nextPlain = plainRows[(atPlain << 8) | byte] ?? 0;
      const nextBase64 = base64Rows[(atBase64 << 8) | byte] ?? 0;
      const nextHex = hexRows[(atHex << 8) | byte] ?? 0;
      if (((nextPlain | nextBase64 | nextHex) & SLOW) !== 0) break;
      atPlain = nextPlain;
      atBase64 = nextBase64;
      atHex = nextHex;
    }
    plain.state = atPlain;
    base64.state = atBase64;
    hex.state = atHex;
    return index;
  }

  private mark(start: number, end: number): void {
    // What has been let go cannot be called back; only a secret that is new can lie there.
    if (end <= this.safe) return;
    unite(this.found, { start, end });
    const first = this.found[0];
    // It continues what already stands behind a mask.
    if (first !== undefined && this.masked && first.start <= this.done) {
      this.done = Math.max(this.done, first.end);
      this.found.shift();
    }
  }

  /** Lets go what is before `safe`; a secret that reaches over it is masked now, however long it still gets. */
  private release(safe: number, chunk: Uint8Array): Buffer {
    const pieces: Buffer[] = [];
    for (let first = this.found[0]; first !== undefined && first.start < safe; first = this.found[0]) {
      this.copy(pieces, first.start, chunk);
      pieces.push(Buffer.from(MASK));
      this.done = first.end;
      this.masked = true;
      this.found.shift();
    }
    this.copy(pieces, safe, chunk);
    this.safe = Math.max(this.safe, safe);
    const [only] = pieces;
    return only !== undefined && pieces.length === 1 ? only : Buffer.concat(pieces);
  }

  /** What is from `done` up to `to`, out of the window and of the chunk behind it. */
  private copy(pieces: Buffer[], to: number, chunk: Uint8Array): void {
    if (to <= this.done) return;
    const border = this.window.end;
    if (this.done < border) pieces.push(this.window.slice(this.done, Math.min(to, border)));
    if (to > border) pieces.push(viewOf(chunk).subarray(Math.max(this.done, border) - border, to - border));
    this.done = to;
    this.masked = false;
  }

  private keep(chunk: Uint8Array): void {
    const { window, position } = this;
    const context = Math.min(...this.scanners.map((scanner) => scanner.contextStart(position)));
    if (context < window.end) {
      window.append(chunk);
      window.dropBefore(context);
    } else {
      const border = window.end;
      window.restart(context);
      window.append(chunk.subarray(context - border));
    }
  }
}

function viewOf(chunk: Uint8Array): Buffer {
  return Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
}
