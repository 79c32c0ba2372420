/** Lines of a history, which may be far larger than the memory that reading it should take. */

/** Longer ones are cut: no line of an entry has as many characters. */
const MAX_LINE = 64 * 1024;

/** CommonMark's line endings. What stands behind the last one is a line as well, also where it is empty. */
export function linesOf(text: string): string[] {
  return text.replaceAll(/\r\n?/g, '\n').split('\n');
}

/** The same lines of UTF-8 that comes in pieces; of one that is too long, what tells whether a fence or comment begins or ends. */
export function* linesOfChunks(chunks: Iterable<Uint8Array>): Generator<string> {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  let rest = '';
  for (const chunk of chunks) {
    rest += decoder.decode(chunk, { stream: true });
    // Perhaps the first half of a line ending.
    const end = rest.endsWith('\r') ? rest.length - 1 : rest.length;
    const lines = linesOf(rest.slice(0, end));
    rest = shortened(lines.pop() ?? '') + rest.slice(end);
    yield* lines;
  }
  yield* linesOf(rest + decoder.decode());
}

function shortened(line: string): string {
  if (line.length <= MAX_LINE) return line;
  const begin = line.slice(0, MAX_LINE / 2);
  // The end may go on: `--` with `>`.
  const marks = (line.includes('`', begin.length) ? '`' : '') + (line.includes('-->', begin.length) ? '-->' : '');
  return `${begin}…${marks}${line.slice(-2)}`;
}

/** Lines that can be looked at before they are taken. */
export class Lookahead {
  private readonly lines: Iterator<string>;
  private seen: string[] = [];
  /** How many of `seen` have been taken. */
  private taken = 0;

  constructor(lines: Iterable<string>) {
    this.lines = lines[Symbol.iterator]();
  }

  /** Null: there is no further one. */
  next(): string | null {
    const line = this.peek(0);
    this.skip(1);
    return line;
  }

  /** The line behind `count` others. */
  peek(count: number): string | null {
    while (this.seen.length <= this.taken + count) {
      const next = this.lines.next();
      if (next.done === true) return null;
      this.seen.push(next.value);
    }
    return this.seen[this.taken + count] ?? null;
  }

  /** Those have been looked at. */
  skip(count: number): void {
    this.taken += count;
    // Not at each line, or many of them would be moved many times.
    if (this.taken < this.seen.length / 2) return;
    this.seen = this.seen.slice(this.taken);
    this.taken = 0;
  }
}
