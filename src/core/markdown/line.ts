/** One line of markdown and how much of it the containers around it have consumed. */

const TAB = 9;
const SPACE = 32;

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
 * A cursor that measures what is left of the indentation in columns, with tab stops every 4, as CommonMark does: a
 * container may consume half a tab.
 */
export class Line {
  readonly text: string;
  /** Index of the first character that is neither consumed nor white space. */
  next = 0;
  /** Columns of white space before `next` that are not consumed. */
  indent = 0;
  /** Columns consumed. */
  #column = 0;

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

  /** Consumes the indentation and `length` characters of a marker, which holds no tab. */
  skipMarker(length: number): void {
    this.next += length;
    this.#column += this.indent + length;
    this.#measure();
  }

  /** Consumes `count` columns of the indentation, or all where there are fewer. */
  skipColumns(count: number): void {
    const consumed = Math.min(count, this.indent);
    this.#column += consumed;
    this.indent -= consumed;
  }

  #measure(): void {
    let column = this.#column;
    for (; isWhite(this.code); this.next += 1) column += this.code === TAB ? 4 - (column % 4) : 1;
    this.indent = column - this.#column;
  }
}
