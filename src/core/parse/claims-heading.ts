/**
 * Nobody gets in by a typo: a document without a claims section is open to whoever the face lets in, so nothing in it
 * may read like the heading of one, wherever it stands.
 */
import type { Fence, Heading } from '../markdown/blocks.ts';
import type { SplitDocument } from './history.ts';
import { type Problems, quote } from './problems.ts';
import { isNear } from '../spelling.ts';
import { isLikeClaims, linesLikeClaims, mayHaveOtherLineEnds, TARGET } from './claims-lines.ts';
import { joinedLettersOf, readingsOf, wordsOf } from './lookalikes.ts';
import type { Tail } from './tail.ts';

/** Call only for a document without `# Required Claims`. */
export function checkClaimsHeading(document: SplitDocument, tail: Tail, problems: Problems): void {
  for (const index of linesLikeClaims(document.lines, mayHaveOtherLineEnds(document.headBytes)))
    report(index + 1, document.lines[index] ?? '', problems);
  for (const block of document.blocks) {
    if (block.type === 'heading' && isHeadingOfClaims(block)) report(block.line, block.text, problems);
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

/** Looser than for lines: `# Claims`, `## Required claims (production)`. */
function isHeadingOfClaims({ text, level }: Heading): boolean {
  if (readingsOf(text).some((letters) => letters === 'claims' || letters.includes(TARGET))) return true;
  const joined = joinedLettersOf(text);
  if (joined.includes(TARGET) || isLikeClaims(joined)) return true;
  return wordsOf(text).some((words) => speaksOfClaims(words, level));
}

/** `Required [Claims](policy.md)`, `Claims required`; as a section also `Required roles` and what is nearly one of these. */
function speaksOfClaims(words: readonly string[], level: number): boolean {
  if (words.some((word) => word.includes(TARGET))) return true;
  const edits = level === 1 ? 1 : 0;
  if (!words.some((word) => isNear(word, 'required', 1))) return false;
  if (words.some((word) => isNear(word, 'claims', edits))) return true;
  return level === 1 && words.length <= 3 && words.some((word) => ROLES.has(word));
}
const ROLES = new Set(['role', 'roles', 'permission', 'permissions']);

function report(line: number, text: string, problems: Problems): void {
  problems.add(
    'claims-misspelt',
    { line, column: 1 },
    `${quote(text.trim())} reads like \`# Required Claims\`, but the document has no such section, so it protects nothing.`,
    'Write `# Required Claims` at the beginning of a line before `# History`, with a yaml block; or reword the line.',
  );
}
