/**
 * Aho-Corasick over bytes. State 0 is the root; a state stands for the longest beginning of a pattern that the bytes
 * read so far end with. The states next to the root have a row of 256 next states each; all others, which are nearly
 * all of a long secret, have a link to where to go on when the next byte does not fit.
 */
import { CARRIAGE_RETURN, LINE_FEED } from './alphabet.ts';
import type { Alphabet } from './alphabet.ts';
import { ACCEPTS, END, Trie } from './trie.ts';

/** In a row: the next state needs a closer look, because it has no row, ends a pattern, or is behind a line end. */
export const SLOW = 1 << 30;

export class Automaton {
  readonly alphabet: Alphabet;
  /** `rows[state << 8 | byte]`: the next state, maybe with `SLOW`. */
  readonly rows: Int32Array;
  /** States below this have a row. */
  readonly dense: number;
  private readonly trie: Trie;
  private readonly fails: Int32Array;
  private readonly depths: Int32Array;

  /** Takes 10 bytes of memory a byte of pattern, and at most 4 MB for the rows. */
  constructor(patterns: readonly Uint8Array[], alphabet: Alphabet) {
    this.alphabet = alphabet;
    this.trie = new Trie(patterns);
    this.rows = this.trie.rows;
    this.dense = this.trie.rowCount;
    this.fails = new Int32Array(this.trie.size);
    this.depths = new Int32Array(this.trie.size);
    this.linkChains(this.linkRows(), patterns.length);
    this.finishRows();
  }

  next(state: number, byte: number): number {
    const folded = this.alphabet.fold[byte] ?? 0;
    let at = state;
    while (at >= this.dense) {
      const child = this.trie.child(at, folded);
      if (child !== 0) return child;
      at = this.fails[at] ?? 0;
    }
    return (this.rows[(at << 8) | folded] ?? 0) & ~SLOW;
  }

  /** Bytes of the pattern that have been read. */
  depth(state: number): number {
    return this.depths[state] ?? 0;
  }

  /** Length of the longest pattern that ends here; 0 where none does. */
  longestEnd(state: number): number {
    const { flags } = this.trie;
    if (((flags[state] ?? 0) & ACCEPTS) === 0) return 0;
    let at = state;
    while (((flags[at] ?? 0) & END) === 0) at = this.fails[at] ?? 0;
    return this.depth(at);
  }

  /**
   * In the order of the numbers, so that the row to fall back to is complete: it is copied as a whole, and the children of
   * the state are put into it. This runs once, before anything of it is compiled, so nothing goes through all 256.
   * @returns the states right below the rows
   */
  private linkRows(): number[] {
    const { rows, dense, fails, depths } = this;
    const { firstChild, sibling, labels, flags } = this.trie;
    const below: number[] = [];
    for (let state = 0; state < dense; state += 1) {
      const row = state << 8;
      const fallback = (fails[state] ?? 0) << 8;
      if (state !== 0) rows.copyWithin(row, fallback, fallback + 256);
      for (let child = firstChild[state] ?? 0; child !== 0; child = sibling[child] ?? 0) {
        const at = row | (labels[child] ?? 0);
        this.settle(child, state === 0 ? 0 : (rows[at] ?? 0) & ~SLOW, (depths[state] ?? 0) + 1);
        if (child >= dense) below.push(child);
        const isPlain = child < dense && ((flags[child] ?? 0) & ACCEPTS) === 0;
        rows[at] = isPlain ? child : child | SLOW;
      }
    }
    this.trie.firstChild = [];
    this.trie.sibling = [];
    return below;
  }

  /** Level by level: a state falls back to one of a higher level. `widest` bounds the states of a level. */
  private linkChains(below: readonly number[], widest: number): void {
    const { trie, rows, dense, fails, depths } = this;
    let level = new Int32Array(widest);
    let children = new Int32Array(widest);
    level.set(below);
    let width = below.length;
    for (let depth = depths[below[0] ?? 0] ?? 0; width > 0; depth += 1) {
      let count = 0;
      for (let index = 0; index < width; index += 1) {
        const state = level[index] ?? 0;
        const fail = fails[state] ?? 0;
        const first = count;
        count = trie.childrenOf(state, children, count);
        for (let at = first; at < count; at += 1) {
          const child = children[at] ?? 0;
          const byte = trie.labels[child] ?? 0;
          this.settle(child, fail < dense ? (rows[(fail << 8) | byte] ?? 0) & ~SLOW : this.next(fail, byte), depth + 1);
        }
      }
      [level, children] = [children, level];
      width = count;
    }
  }

  private settle(state: number, fail: number, depth: number): void {
    const { flags } = this.trie;
    this.fails[state] = fail;
    this.depths[state] = depth;
    const own = flags[state] ?? 0;
    if ((own & END) !== 0 || ((flags[fail] ?? 0) & ACCEPTS) !== 0) flags[state] = own | ACCEPTS;
  }

  /** From here on the rows are read with bytes of the stream: folded ones are filled in, and line ends are marked. */
  private finishRows(): void {
    const { rows, alphabet } = this;
    for (let row = 0; row < rows.length; row += 256) {
      for (const [byte, folded] of alphabet.folded) rows[row | byte] = rows[row | folded] ?? 0;
      if (alphabet.wraps && row > 0) for (const end of [LINE_FEED, CARRIAGE_RETURN]) rows[row | end] = SLOW;
    }
  }
}
