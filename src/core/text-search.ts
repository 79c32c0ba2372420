/** Finding a text in output that comes piece by piece, whatever its case, in memory that does not grow with it. */

/**
 * Text without its case. Each character becomes the same wherever it stands, so whatever is part of a text is also part
 * of it afterwards; no character gets shorter. Lower case alone would not do: a sigma at the end of a word differs, and
 * `ß` would not be found by `SS`.
 */
export function foldCase(text: string): string {
  return text.toLowerCase().toUpperCase().toLowerCase().replaceAll('\u03c2', '\u03c3');
}

/** What is shown of a line that holds the text: so much before it, and so much from its beginning on. */
const BEFORE = 60;
const BEHIND = 140;
/** Pieces are put together to about this many characters before they are looked through. */
const BATCH_CHARACTERS = 16_384;

export class LineSearch {
  readonly #folded: string;
  readonly #lookahead: number;
  readonly #most: number;
  /** The end of what has come; a match that begins at `#from` or behind has not been looked for. */
  #window = '';
  #from = 0;
  /** The line at `#from` has been found already. */
  #isTold = false;
  readonly #lines: string[] = [];

  /** @param most lines that are wanted: nothing is looked for behind them */
  constructor(text: string, most: number) {
    this.#folded = foldCase(text);
    this.#lookahead = Math.max(this.#folded.length, BEHIND);
    this.#most = most;
  }

  /** Lines that hold the text, each once: long ones cut around its first place, with `…`. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  /** @param text well-formed by itself */
  push(text: string): void {
    this.#window += text;
    if (this.#window.length > BATCH_CHARACTERS + BEFORE + this.#lookahead) {
      this.#look(this.#window.length - this.#lookahead);
    }
  }

  /** What follows does not belong to what was there: bytes are missing in between, or it is the end. */
  end(): void {
    this.#look(this.#window.length);
    this.#window = '';
    this.#from = 0;
    this.#isTold = false;
  }

  /** @param to beginning of what is left for the next time */
  #look(to: number): void {
    const window = this.#window;
    const folded = foldCase(window);
    // No character gets shorter, so the same length means the same places.
    const isSame = folded.length === window.length;
    let from = this.#from;
    while (from < to && this.#lines.length < this.#most) {
      if (this.#isTold) {
        const end = lineEnd(window, from);
        if (end >= to) break;
        from = end + 1;
        this.#isTold = false;
      }
      const found = folded.indexOf(this.#folded, isSame ? from : foldCase(window.slice(0, from)).length);
      if (found < 0) break;
      const at = isSame ? found : placeOf(window, found);
      if (at >= to) break;
      this.#lines.push(excerpt(window, at));
      from = at;
      this.#isTold = true;
    }
    const start = Math.max(0, to - BEFORE - 1);
    this.#window = window.slice(start);
    this.#from = to - start;
  }
}

/** Where the character is whose folded form is at `index`. */
function placeOf(window: string, index: number): number {
  let [at, folded] = [0, 0];
  for (const character of window) {
    folded += foldCase(character).length;
    if (folded > index) return at;
    at += character.length;
  }
  return at;
}

/** Index of the character that ends the line; the length of the text where none does. */
function lineEnd(text: string, from: number): number {
  const found = text.slice(from).search(/[\r\n]/);
  return found < 0 ? text.length : from + found;
}

function excerpt(window: string, at: number): string {
  const before = window.slice(Math.max(0, at - BEFORE - 1), at);
  const start = at - before.length + before.search(/[^\r\n]*$/);
  const isCutBefore = at - start > BEFORE;
  const first = isCutBefore ? at - BEFORE : start;
  const end = lineEnd(window.slice(0, at + BEHIND + 1), at);
  const isCutBehind = end - at > BEHIND;
  const text = window
    .slice(first, isCutBehind ? at + BEHIND : end)
    .toWellFormed()
    .trim();
  return `${isCutBefore ? '…' : ''}${text}${isCutBehind ? '…' : ''}`;
}
