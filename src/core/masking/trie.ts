/**
 * The tree of all patterns. Nodes of the upper levels have a row of 256 children each; below, nearly every node has one
 * child, which is then the node after it.
 */

/** A pattern ends at this node. */
export const END = 1;
/** A pattern ends here, or at a node that this one falls back to. */
export const ACCEPTS = 2;
/** The next node is a child of this one. */
const CHAIN = 4;
/** There are more children. */
const FORKS = 8;

/** How many rows, of 1 KB each, there may be before the next level gets its own: random base64 seldom goes down further. */
const ROOM_BY_LEVEL = [4096, 4096, 4096, 1024, 1024, 1024];

/** A child of a node besides the node after it. */
interface Fork {
  readonly child: number;
  readonly next: Fork | undefined;
}

export class Trie {
  /** Nodes; the root is 0. */
  size = 1;
  /** `rows[node << 8 | byte]`: the child; 0 where there is none, since the root is nobody's child. */
  rows = new Int32Array(0);
  /** The byte that leads to a node. */
  labels: Uint8Array;
  flags: Uint8Array;
  /** Of nodes with a row: a child, and of each of these the next one; 0 where there is none. Empty once they are linked. */
  firstChild: number[] = [0];
  sibling: number[] = [0];
  private readonly forks = new Map<number, Fork>();

  /** Patterns have at least one byte. */
  constructor(patterns: readonly Uint8Array[]) {
    const bound = patterns.reduce((sum, pattern) => sum + pattern.length, 1);
    this.labels = new Uint8Array(bound);
    this.flags = new Uint8Array(bound);
    const tops = new Int32Array(patterns.length);
    const levels = this.growRows(patterns, tops);
    for (const [index, pattern] of patterns.entries()) this.growChain(tops[index] ?? 0, levels, pattern);
    this.labels = this.labels.slice(0, this.size);
    this.flags = this.flags.slice(0, this.size);
  }

  /** Nodes below this have a row. */
  get rowCount(): number {
    return this.rows.length >> 8;
  }

  /** Of a node without a row; 0 where there is none. */
  child(node: number, byte: number): number {
    const flags = this.flags[node] ?? 0;
    if ((flags & CHAIN) !== 0 && this.labels[node + 1] === byte) return node + 1;
    if ((flags & FORKS) === 0) return 0;
    let fork = this.forks.get(node);
    while (fork !== undefined && this.labels[fork.child] !== byte) fork = fork.next;
    return fork?.child ?? 0;
  }

  /** Puts every child of a node without a row into `children`, from `at` on. @returns the index behind the last */
  childrenOf(node: number, children: Int32Array, at: number): number {
    let end = at;
    const flags = this.flags[node] ?? 0;
    if ((flags & CHAIN) !== 0) {
      children[end] = node + 1;
      end += 1;
    }
    if ((flags & FORKS) === 0) return end;
    for (let fork = this.forks.get(node); fork !== undefined; fork = fork.next) {
      children[end] = fork.child;
      end += 1;
    }
    return end;
  }

  /** Level by level, so that nodes with a row have the smallest numbers. @returns how many bytes of each are in */
  private growRows(patterns: readonly Uint8Array[], tops: Int32Array): number {
    let level = 0;
    for (; this.size <= (ROOM_BY_LEVEL[level] ?? 0); level += 1) {
      const rows = new Int32Array(this.size << 8);
      rows.set(this.rows);
      this.rows = rows;
      for (const [index, pattern] of patterns.entries()) {
        if (pattern.length <= level) continue;
        const byte = pattern[level] ?? 0;
        const top = tops[index] ?? 0;
        const at = (top << 8) | byte;
        if (rows[at] === 0) {
          const node = this.create(byte);
          rows[at] = node;
          this.sibling.push(this.firstChild[top] ?? 0);
          this.firstChild.push(0);
          this.firstChild[top] = node;
        }
        tops[index] = rows[at] ?? 0;
      }
    }
    return level;
  }

  private growChain(top: number, from: number, pattern: Uint8Array): void {
    let node = top;
    let at = from;
    for (; at < pattern.length; at += 1) {
      const child = this.child(node, pattern[at] ?? 0);
      if (child === 0) break;
      node = child;
    }
    if (at < pattern.length) {
      // From here on every node is new, and the child of the one before it.
      node = this.append(node, pattern[at] ?? 0);
      const rest = pattern.subarray(at + 1);
      this.labels.set(rest, this.size);
      this.flags.fill(CHAIN, node, node + rest.length);
      this.size += rest.length;
      node += rest.length;
    }
    this.flags[node] = (this.flags[node] ?? 0) | END;
  }

  private append(node: number, byte: number): number {
    const child = this.create(byte);
    if (child === node + 1) {
      this.flags[node] = (this.flags[node] ?? 0) | CHAIN;
    } else {
      this.flags[node] = (this.flags[node] ?? 0) | FORKS;
      this.forks.set(node, { child, next: this.forks.get(node) });
    }
    return child;
  }

  private create(byte: number): number {
    const node = this.size;
    this.size += 1;
    this.labels[node] = byte;
    return node;
  }
}
