/**
 * Passes over what no pattern can begin in, without reading all of it: the last three bytes of a window as long as the
 * shortest pattern must stand together in the beginning of some pattern, or none begins in that window (Wu and Manber, 1994).
 */
import { CARRIAGE_RETURN, LINE_FEED } from './alphabet.ts';
import type { Alphabet } from './alphabet.ts';

/** Bytes that are looked at together. */
const BLOCK = 3;
/** A shorter window lets go so little at once that reading all of it is as fast. */
const SHORTEST_WINDOW = 8;
/** A longer one only makes more blocks known. */
const LONGEST_WINDOW = 64;
const MIN_BITS = 16;
const MAX_BITS = 22;

export class Filter {
  /** Bytes of a window. */
  readonly window: number;
  private readonly known: Uint8Array;
  private readonly shift: number;

  private constructor(window: number, blocks: ReadonlySet<number>) {
    this.window = window;
    // One in 64 or fewer is taken for another.
    const bits = Math.min(MAX_BITS, Math.max(MIN_BITS, Math.ceil(Math.log2(blocks.size * 64))));
    this.shift = 32 - bits;
    this.known = new Uint8Array(2 ** bits);
    for (const block of blocks) this.known[slot(block, this.shift)] = 1;
  }

  /** Null where some pattern is shorter than `least`, which is at least 3. */
  static of(
    groups: readonly (readonly [patterns: readonly Uint8Array[], alphabet: Alphabet])[],
    least = SHORTEST_WINDOW,
  ): Filter | null {
    const lengths = groups.flatMap(([patterns]) => patterns.map(({ length }) => length));
    const shortest = lengths.reduce((smallest, length) => Math.min(smallest, length), LONGEST_WINDOW);
    if (shortest < Math.max(BLOCK, least)) return null;
    const blocks = new Set<number>();
    for (const [patterns, alphabet] of groups) {
      const spellings = spellingsOf(alphabet);
      for (const pattern of patterns) addBlocks(blocks, pattern.subarray(0, shortest), spellings);
    }
    return new Filter(shortest, blocks);
  }

  /**
   * @param from index of the window to begin with; only the last bytes of it have to be there, so it may be below 0
   * @returns index of the first window in which a pattern may begin, or which is not there as a whole
   */
  pass(bytes: Uint8Array, from: number): number {
    const { known, shift, window } = this;
    const step = window - BLOCK + 1;
    let at = from + window - BLOCK;
    if (at < 0) return from;
    for (; at + BLOCK <= bytes.length; at += step) {
      const a = bytes[at] ?? 0;
      const b = bytes[at + 1] ?? 0;
      const c = bytes[at + 2] ?? 0;
      if (known[slot(a | (b << 8) | (c << 16), shift)] === 1 || isBreak(a) || isBreak(b) || isBreak(c)) break;
    }
    return at - window + BLOCK;
  }
}

function slot(block: number, shift: number): number {
  return Math.imul(block, 0x9e_37_79_b1) >>> shift;
}

/** Line ends may stand within a pattern of a wrapped form. */
function isBreak(byte: number): boolean {
  return byte === LINE_FEED || byte === CARRIAGE_RETURN;
}

/** For a byte of a pattern all that it may be in the stream. */
function spellingsOf({ folded }: Alphabet): readonly (readonly number[])[] {
  const spellings = Array.from({ length: 256 }, (_, byte) => [byte]);
  for (const [byte, as] of folded) spellings[as]?.push(byte);
  return spellings;
}

function addBlocks(blocks: Set<number>, beginning: Uint8Array, spellings: readonly (readonly number[])[]): void {
  for (let at = 0; at + BLOCK <= beginning.length; at += 1) {
    for (const a of spellings[beginning[at] ?? 0] ?? [])
      for (const b of spellings[beginning[at + 1] ?? 0] ?? [])
        for (const c of spellings[beginning[at + 2] ?? 0] ?? []) blocks.add(a | (b << 8) | (c << 16));
  }
}
