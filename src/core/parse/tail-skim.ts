/**
 * A first look at what stands behind `# History`, where runs leave megabytes: whether anything there may bear on the
 * document. It reads bytes as they come, leaps over fences, and keeps nothing. What it does not understand at once is
 * for `tail.ts`, which knows; so it may be wrong in one direction only (ADR 56).
 */
import { MAX_DEPTH } from '../markdown/scanner.ts';
import { linesLikeClaims, mayHaveOtherLineEnds, TARGET } from './claims-lines.ts';

const [TAB, LF, VT, FF, CR, SPACE] = [0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x20];
const [HASH, AMPERSAND, COLON, LESS, EQUALS, BACKTICK, TILDE] = [0x23, 0x26, 0x3a, 0x3c, 0x3d, 0x60, 0x7e];
/** What quotes, list items and their numbers begin with. */
const MARKERS = new Uint8Array(256);
for (const character of '>*+-.)0123456789 \t') MARKERS[character.charCodeAt(0)] = 1;
/** So few of these cannot be nested deeper than is read: a tab goes on with two list items, anything else with one. */
const MAX_MARKERS = MAX_DEPTH / 2;
const COMMENT = Buffer.from('<!--');
const COMMENT_END = Buffer.from('-->');
/** How the line of an entry begins that a machine reads: `runbook` has four letters that the heading has not. */
const MACHINE_LINE = Buffer.from('<!-- runbook:v1 ');

/** 1 for a letter of the heading of the claims, 2 for any other letter. */
const LETTERS = new Uint8Array(128);
for (let code = 0x61; code <= 0x7a; code += 1) {
  const kind = TARGET.includes(String.fromCharCode(code)) ? 1 : 2;
  LETTERS[code] = kind;
  LETTERS[code - 0x20] = kind;
}
/** With so many letters that the heading has not, a text is more than two edits away from it. */
const FOREIGN_ENOUGH = 3;
/** Lines that are looked at together. */
const BATCH = 4096;

/** `take` all of it in order, then ask `isClean`. */
export class TailSkim {
  #isClean = true;
  /** The marker of the top-level fence that is open. */
  #fence: Buffer | null = null;
  /** The next line is the first one of a fence: what a reader may take for the second line of a heading. */
  #isBehindTag = false;
  /** Lines outside of fences that must be looked at as text; an empty one stands for any number of others. */
  #lines: string[] = [''];
  /** Whether all that is looked at is ASCII without line ends of other readers. */
  #isPlain = false;

  /** @param bytes whole lines with their ends (the last one of a document need not have one), behind the heading */
  take(bytes: Buffer): void {
    this.#isPlain = !mayHaveOtherLineEnds(bytes);
    for (let at = 0; at < bytes.length && this.#isClean;)
      at = this.#fence === null ? this.#takeLine(bytes, at) : this.#takeFence(bytes, at, this.#fence);
  }

  /** True: nothing of it is a section, reads like the heading of the claims, or is nested too deep. False: not known. */
  get isClean(): boolean {
    this.#lookAtLines();
    return this.#isClean;
  }

  /** @returns where the next line begins */
  #takeLine(bytes: Buffer, start: number): number {
    const first = bytes[start];
    if (first === LF) {
      this.#pass();
      return start + 1;
    }
    const newline = bytes.indexOf(LF, start);
    const end = newline === -1 ? bytes.length : newline;
    const stop = newline !== -1 && bytes[newline - 1] === CR ? newline - 1 : end;
    if (stop === start) this.#pass();
    else if (first === BACKTICK || first === TILDE) this.#openFence(bytes, start, stop, first);
    else if (isUnclear(bytes, start, stop)) this.#isClean = false;
    else if (this.#isHarmless(bytes, start, stop)) this.#pass();
    else this.#keep(bytes, start, stop);
    return end + 1;
  }

  #openFence(bytes: Buffer, start: number, stop: number, code: number): void {
    let behind = start + 1;
    while (behind < stop && bytes[behind] === code) behind += 1;
    const tag = bytes.subarray(behind, stop);
    if (behind - start >= 3 && !(code === BACKTICK && tag.includes(BACKTICK))) {
      this.#fence = marker(code, behind - start);
      this.#isBehindTag = tag.length > 0;
    }
    if (tag.length > 0) this.#keep(bytes, start, stop);
    else this.#pass();
  }

  /** Up to the end of the fence. Inside of it anything may stand. */
  #takeFence(bytes: Buffer, start: number, fence: Buffer): number {
    if (this.#isBehindTag) {
      const newline = bytes.indexOf(LF, start);
      this.#keep(bytes, start, newline === -1 ? bytes.length : newline);
      this.#pass();
      this.#isBehindTag = false;
    }
    const [code] = fence;
    for (let found = bytes.indexOf(fence, start); found !== -1;) {
      let behind = found + fence.length;
      while (bytes[behind] === code) behind += 1;
      const end = skipBlanks(bytes, behind);
      if ((end >= bytes.length || bytes[end] === LF) && isFirstOfLine(bytes, found, start)) {
        this.#fence = null;
        this.#pass();
        return end + 1;
      }
      found = bytes.indexOf(fence, behind);
    }
    return bytes.length;
  }

  /**
   * Whether a line can be no part of what reads like the heading of the claims, alone or with a neighbour: its first
   * letters have three that the heading has not, and what stands before its colon as well, or nothing else. (What begins or
   * ends with a letter that the heading has not is no nearer to it than without.)
   */
  #isHarmless(bytes: Buffer, start: number, stop: number): boolean {
    if (bytes[start] === LESS) {
      return startsWith(bytes, start, stop, MACHINE_LINE) && (this.#isPlain || isPlain(bytes, start, stop));
    }
    let letters = 0;
    let foreign = 0;
    let hasColon = false;
    for (let at = start; at < stop; at += 1) {
      const code = bytes[at] ?? 0;
      if (code >= 0x80 || code === AMPERSAND || code === LESS || (code < SPACE && code !== TAB)) return false;
      const kind = LETTERS[code];
      if (kind !== 0) {
        letters += 1;
        if (letters > TARGET.length) return false;
        if (kind === 2) foreign += 1;
        if (foreign === FOREIGN_ENOUGH) return this.#isPlain || isPlain(bytes, at, stop);
      } else if (code === COLON && !hasColon) {
        hasColon = true;
        if (letters !== foreign) return false;
      }
    }
    return letters === 0;
  }

  #keep(bytes: Buffer, start: number, stop: number): void {
    this.#lines.push(bytes.toString('utf8', start, stop));
    if (this.#lines.length >= BATCH) this.#lookAtLines();
  }

  /** A line that may be left out: no other one is read together with it. */
  #pass(): void {
    if (this.#lines.at(-1) !== '') this.#lines.push('');
  }

  #lookAtLines(): void {
    if (linesLikeClaims(this.#lines).length > 0) this.#isClean = false;
    this.#lines = this.#lines.slice(-1);
  }
}

/**
 * Whether a line may be another section, or may open what goes on in the next line: indented text, HTML, deep nesting. All
 * other lines leave nothing open in which a fence at the beginning of a line would be no fence of the top level.
 */
function isUnclear(bytes: Buffer, start: number, stop: number): boolean {
  const first = bytes[start];
  switch (first) {
    case TAB:
    case CR:
    case SPACE:
      return skipBlanks(bytes, start) < stop;
    case HASH: {
      const next = start + 1;
      return next === stop || isBlank(bytes[next]);
    }
    case EQUALS: {
      let at = start;
      while (at < stop && bytes[at] === EQUALS) at += 1;
      return skipBlanks(bytes, at) >= stop;
    }
    case LESS:
      return !startsWith(bytes, start, stop, COMMENT) || !hasCommentEnd(bytes, start, stop);
    default: {
      let at = start;
      while (at < stop && MARKERS[bytes[at] ?? 0] === 1) at += 1;
      return at - start > MAX_MARKERS;
    }
  }
}

function hasCommentEnd(bytes: Buffer, start: number, stop: number): boolean {
  return (
    startsWith(bytes, stop - COMMENT_END.length, stop, COMMENT_END) || bytes.subarray(start, stop).includes(COMMENT_END)
  );
}

const markers = new Map<string, Buffer>();

function marker(code: number, length: number): Buffer {
  const key = `${code} ${length}`;
  const found = markers.get(key) ?? Buffer.alloc(length, code);
  if (length < 16) markers.set(key, found);
  return found;
}

/** At most three blanks stand before it. A tab is as wide as four. */
function isFirstOfLine(bytes: Buffer, at: number, from: number): boolean {
  let start = at;
  while (start > from && at - start <= 3 && (bytes[start - 1] === SPACE || bytes[start - 1] === CR)) start -= 1;
  return at - start <= 3 && (start === from || bytes[start - 1] === LF);
}

function startsWith(bytes: Buffer, start: number, stop: number, text: Buffer): boolean {
  if (stop - start < text.length) return false;
  for (let index = 0; index < text.length; index += 1) if (bytes[start + index] !== text[index]) return false;
  return true;
}

/** A CR that ends no line is read as a blank. */
function isBlank(code: number | undefined): boolean {
  return code === SPACE || code === TAB || code === CR;
}

function skipBlanks(bytes: Buffer, at: number): number {
  let index = at;
  while (isBlank(bytes[index])) index += 1;
  return index;
}

function isPlain(bytes: Buffer, start: number, stop: number): boolean {
  for (let at = start; at < stop; at += 1) {
    const code = bytes[at] ?? 0;
    if (code >= 0x80 || code === VT || code === FF) return false;
  }
  return true;
}
