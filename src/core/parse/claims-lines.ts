/** Lines that read like the heading of `# Required Claims`, wherever they stand. */
import { isAscii } from 'node:buffer';
import { isNear } from '../spelling.ts';
import { lettersOf, readingsOf } from './lookalikes.ts';

/** The heading's letters. */
export const TARGET = 'requiredclaims';
const MAX_EDITS = 2;
/** Line ends of other readers than CommonMark. */
const OTHER_LINE_ENDS = /[\v\f\u0085\u2028\u2029]/;

/** Whether some of the text may be a line to other readers than CommonMark. Fast, and never wrong in the negative. */
export function mayHaveOtherLineEnds(bytes: Uint8Array): boolean {
  return !isAscii(bytes) || bytes.includes(0x0b) || bytes.includes(0x0c);
}

/**
 * Indexes of lines that read like the heading, alone or together with the next line (a heading of two lines).
 * @param hasOtherEnds false where it is known that none of them has any
 */
export function linesLikeClaims(lines: readonly string[], hasOtherEnds = true): readonly number[] {
  const found: number[] = [];
  let previous = 0;
  for (const [index, line] of lines.entries()) {
    const count = hasOtherEnds && OTHER_LINE_ENDS.test(line) ? Number.NaN : countLetters(line);
    let next = count > MAX_LETTERS ? 0 : count;
    const letters = next !== 0 && mayBe(count) ? readings(line).filter((reading) => reading !== '') : null;
    const isLike = letters?.some(isLikeClaims) === true || isMarkedClaims(line);
    if (isLike) found.push(index);
    if (isLike || letters?.length === 0) {
      next = 0;
    } else if (previous !== 0 && next !== 0 && mayBe(previous + next) && isPair(lines[index - 1] ?? '', line)) {
      found.push(index - 1);
    }
    previous = next;
  }
  return found;
}

/** `#`, also behind markers of quotes and lists. */
const MARKED = /^[\s>*+\-\d.)]*#/;

/** `#Required Claims (production)`: a heading that goes on, or would be one. */
function isMarkedClaims(line: string): boolean {
  return line.includes('#') && MARKED.test(line) && lettersOf(line.slice(0, 200)).startsWith(TARGET);
}

/** What a line may be read as: all of it, each line of another reader, and what stands before a colon. */
function readings(line: string): readonly string[] {
  return line.split(OTHER_LINE_ENDS).flatMap((part) => {
    const colon = part.indexOf(':');
    return colon === -1 ? readingsOf(part) : readingsOf(part).concat(readingsOf(part.slice(0, colon)));
  });
}

function isPair(first: string, second: string): boolean {
  const ends = readings(second).filter((letters) => letters !== '');
  return readings(first).some((start) => start !== '' && ends.some((end) => isLikeClaims(start + end)));
}

export function isLikeClaims(letters: string): boolean {
  return isNear(letters, TARGET, MAX_EDITS);
}

const MAX_LETTERS = TARGET.length + MAX_EDITS;
const MIN_LETTERS = TARGET.length - MAX_EDITS;

/** Cheap, and never wrong in the negative. Most lines end here, of a history nearly all. */
function mayBe(count: number): boolean {
  return !(count < MIN_LETTERS || count > MAX_LETTERS);
}

/**
 * Letters of a line, at most one more than the name can have; NaN for a line that takes a closer look: beyond ASCII,
 * with entities or tags, or with a colon where the name may have ended.
 */
function countLetters(line: string): number {
  let letters = 0;
  for (let index = 0; index < line.length && letters <= MAX_LETTERS; index += 1) {
    const code = line.charCodeAt(index);
    if (code > 0x7f || code === 0x26 || code === 0x3c) return Number.NaN;
    if (code === 0x3a && mayBe(letters)) return Number.NaN;
    const lower = code | 0x20;
    if (lower >= 0x61 && lower <= 0x7a) letters += 1;
  }
  return letters;
}
