/**
 * Nobody gets in by a typo: a document without a claims section is open to whoever the face lets in, so nothing in it
 * may read like the heading of one, wherever it stands.
 */
import type { Fence } from './blocks.ts';
import type { SplitDocument } from './history.ts';
import { type Problems, quote } from './problems.ts';
import { isNear, readingsOf } from './spelling.ts';
import type { Tail } from './tail.ts';

const TARGET = 'requiredclaims';
const MAX_EDITS = 2;
/** Line ends of other readers than CommonMark. */
const OTHER_LINE_ENDS = /[\v\f\u0085\u2028\u2029]/;

/** Call only for a document without `# Required Claims`. */
export function checkClaimsHeading(document: SplitDocument, tail: Tail, problems: Problems): void {
  for (const index of linesLikeClaims(document.lines)) report(index + 1, document.lines[index] ?? '', problems);
  for (const block of document.blocks) {
    if (block.type !== 'heading') continue;
    // Looser for headings: `# Claims`, `## Required claims (production)`.
    const isClaims = readingsOf(block.text).some((letters) => letters === 'claims' || letters.includes(TARGET));
    if (isClaims) report(block.line, block.text, problems);
  }
  const found = linesLikeClaims(tail.lines);
  if (found.length === 0) return;
  // Output of runs stands in fences and may say anything.
  const fences = tail.blocks().filter((block): block is Fence => block.type === 'fence');
  for (const index of found) {
    if (fences.some(({ line, endLine }) => index + 1 > line && index + 1 <= endLine)) continue;
    report(tail.firstLine + index, tail.lines[index] ?? '', problems);
  }
}

function report(line: number, text: string, problems: Problems): void {
  problems.add(
    'claims-misspelt',
    { line, column: 1 },
    `${quote(text.trim())} reads like \`# Required Claims\`, but the document has no such section, so it protects nothing.`,
    'Write `# Required Claims` at the beginning of a line before `# History`, with a yaml block; or reword the line.',
  );
}

/** Indexes of lines that read like the heading, alone or together with the next line (a heading of two lines). */
function linesLikeClaims(lines: readonly string[]): readonly number[] {
  const found: number[] = [];
  let previous: readonly string[] = [];
  for (const [index, line] of lines.entries()) {
    const readings = mayBeShort(line) ? line.split(OTHER_LINE_ENDS).flatMap(readingsOf) : [];
    if (readings.some(isLikeClaims)) found.push(index);
    else if (previous.some((first) => readings.some((second) => second !== '' && isLikeClaims(first + second)))) {
      found.push(index - 1);
    }
    previous = readings.filter((reading) => reading !== '' && !isLikeClaims(reading));
  }
  return found;
}

function isLikeClaims(letters: string): boolean {
  return isNear(letters, TARGET, MAX_EDITS);
}

/**
 * Cheap and never wrong in the negative: a line of ASCII without entities and tags that has more letters than the name
 * can have is not it. Most lines of a history end here.
 */
function mayBeShort(line: string): boolean {
  let letters = 0;
  for (let index = 0; index < line.length; index += 1) {
    const code = line.charCodeAt(index);
    if (code > 0x7f || code === 0x26 || code === 0x3c || code === 0x0b || code === 0x0c) return true;
    const lower = code | 0x20;
    if (lower >= 0x61 && lower <= 0x7a) {
      letters += 1;
      if (letters > TARGET.length + MAX_EDITS) return false;
    }
  }
  return letters > 0;
}
