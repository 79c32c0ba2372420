/** One line of markdown and how much of it the containers around it have consumed. */

export const TAB = 9;
export const SPACE = 32;

/** From 4 columns of indentation on, a line opens nothing but indented code. */
export const CODE_INDENT = 4;

export function isWhite(code: number): boolean {
  return code === SPACE || code === TAB;
}

/** Index of the first character from `at` on that is neither space nor tab. */
export function skipWhite(text: string, at: number): number {
  let index = at;
  while (isWhite(text.charCodeAt(index))) index += 1;
  return index;
}

/** Index of the first character from `at` on that is not `code`. */
export function skipRun(text: string, at: number, code: number): number {
  let index = at;
  while (text.charCodeAt(index) === code) index += 1;
  return index;
}

/**
 * A cursor counted in characters and in columns, because CommonMark measures indentation in columns with tab stops
 * every 4: a container may consume half a tab, and then `pos` still points at the tab while `column` is inside it.
 */
export class Line {
  readonly text: string;
  /** Index of the first character not consumed. */
  pos = 0;
  column = 0;
  /** Index of the first character from `pos` on that is not white space. */
  next = 0;
  /** Columns of white space between `pos` and `next`. */
  indent = 0;

  constructor(text: string) {
    this.text = text;
    this.#measure();
  }

  get blank(): boolean {
    return this.next >= this.text.length;
  }

  /** Character code at `next`, NaN at the end. */
  get code(): number {
    return this.text.charCodeAt(this.next);
  }

  /** What is left, without its indentation. */
  get rest(): string {
    return this.text.slice(this.next);
  }

  skipIndent(): void {
    this.column += this.indent;
    this.pos = this.next;
    this.indent = 0;
  }

  /** Consumes the indentation and `length` characters of a marker, which holds no tab. */
  skipMarker(length: number): void {
    this.skipIndent();
    this.pos += length;
    this.column += length;
    this.#measure();
  }

  /** Consumes `count` columns of white space; there must be as many (`indent`). */
  skipColumns(count: number): void {
    const target = this.column + count;
    while (this.column < target) {
      const stop = this.text.charCodeAt(this.pos) === TAB ? nextStop(this.column) : this.column + 1;
      if (stop <= target) this.pos += 1;
      this.column = Math.min(stop, target);
    }
    this.indent -= count;
  }

  #measure(): void {
    let column = this.column;
    let index = this.pos;
    for (; isWhite(this.text.charCodeAt(index)); index += 1) {
      column = this.text.charCodeAt(index) === TAB ? nextStop(column) : column + 1;
    }
    this.next = index;
    this.indent = column - this.column;
  }
}

function nextStop(column: number): number {
  return column + 4 - (column % 4);
}
