/** What a line that is indented by at most 3 columns can be: CommonMark 0.31, sections 4.1 to 4.5 and 5.2. */

import { isDigit } from './html.ts';
import type { Line } from './line.ts';
import { isWhite, skipRun, skipWhite } from './line.ts';

const LEVELS = [1, 2, 3, 4, 5, 6] as const;
export type Level = (typeof LEVELS)[number];

export const BACKTICK = 96;
const HASH = 35;
const EQUALS = 61;
const DASH = 45;

/** `## Text ##`. */
export function atxHeading(line: Line): { level: Level; text: string } | null {
  const end = skipRun(line.text, line.next, HASH);
  const level = LEVELS[end - line.next - 1];
  if (level === undefined || (end < line.text.length && !isWhite(line.text.charCodeAt(end)))) return null;
  return { level, text: withoutClosingHashes(trimWhite(line.text.slice(end))) };
}

/** The closing `#`s count only where white space, or nothing, stands before them. */
function withoutClosingHashes(text: string): string {
  let end = text.length;
  while (end > 0 && text.charCodeAt(end - 1) === HASH) end -= 1;
  return end === 0 || isWhite(text.charCodeAt(end - 1)) ? trimWhite(text.slice(0, end)) : text;
}

/** `text` without spaces and tabs around it; `trim` would also take other white space, which CommonMark keeps. */
export function trimWhite(text: string): string {
  const start = skipWhite(text, 0);
  let end = text.length;
  while (end > start && isWhite(text.charCodeAt(end - 1))) end -= 1;
  return text.slice(start, end);
}

export interface FenceMarker {
  readonly code: number;
  readonly length: number;
  readonly info: string;
}

/** Three or more backticks or tildes; no backtick in the info string of a backtick fence. */
export function openingFence(line: Line): FenceMarker | null {
  const code = line.code;
  const end = skipRun(line.text, line.next, code);
  const length = end - line.next;
  if (length < 3 || (code === BACKTICK && line.text.includes('`', end))) return null;
  return { code, length, info: trimWhite(line.text.slice(end)) };
}

export function closesFence(line: Line, fence: FenceMarker): boolean {
  if (line.indent > 3) return false;
  const end = skipRun(line.text, line.next, fence.code);
  return end - line.next >= fence.length && skipWhite(line.text, end) === line.text.length;
}

/** Level of the setext underline; null where the line is none. */
export function setextLevel(line: Line): 1 | 2 | null {
  const end = skipRun(line.text, line.next, line.code);
  if (skipWhite(line.text, end) < line.text.length) return null;
  return line.code === EQUALS ? 1 : line.code === DASH ? 2 : null;
}

/** Three or more of the same `*`, `-` or `_`, and nothing else but white space. */
export function isThematicBreak(line: Line): boolean {
  const code = line.code;
  let count = 0;
  for (let index = line.next; index < line.text.length; index += 1) {
    const found = line.text.charCodeAt(index);
    if (found === code) count += 1;
    else if (!isWhite(found)) return false;
  }
  return count >= 3;
}

/**
 * Length of the list marker at the line's first character; 0 where there is none. Only an item that is not empty and,
 * if numbered, has number 1 can interrupt a paragraph.
 */
export function listMarkerLength(line: Line, interrupts: boolean): number {
  const { text, next } = line;
  let end = next + 1;
  if (isDigit(line.code)) {
    while (isDigit(text.charCodeAt(end))) end += 1;
    if (end - next > 9 || (text.charAt(end) !== '.' && text.charAt(end) !== ')')) return 0;
    if (interrupts && Number(text.slice(next, end)) !== 1) return 0;
    end += 1;
  } else if (!'-+*'.includes(text.charAt(next))) {
    return 0;
  }
  if (end < text.length && !isWhite(text.charCodeAt(end))) return 0;
  return interrupts && skipWhite(text, end) === text.length ? 0 : end - next;
}
