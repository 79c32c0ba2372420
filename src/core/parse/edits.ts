/** From what a rule would write instead to an edit of this document; and what no edit may touch. */
import type { Edit, Problem } from '../runbook.ts';
import { isLikeYaml } from './block.ts';
import type { SplitDocument } from './history.ts';
import type { Position, Replacement } from './problems.ts';
import { isSectionHeading } from './sections.ts';

/** The same problems, with an `edit` where the text that is to be replaced stands where it should, and may be changed. */
export function withEdits(
  problems: readonly Problem[],
  replacementOf: (problem: Problem) => Replacement | undefined,
  document: SplitDocument,
): readonly Problem[] {
  // Places in a text that is not UTF-8 say nothing about its bytes.
  if (problems.some(({ rule }) => rule === 'not-utf8' || rule === 'document-too-large')) return problems;
  let isGuarded: ((line: number) => boolean) | null = null;
  return problems.map((problem) => {
    const replacement = replacementOf(problem);
    if (replacement === undefined) return problem;
    const edit = editOf(replacement.at ?? problem, replacement, document.lines);
    isGuarded ??= guardOf(document);
    if (edit === null || replacement.old === replacement.text) return problem;
    // A section that is added stands before or behind such a line, and changes nothing in it.
    if (replacement.old !== '' && (isGuarded(edit.line) || isGuarded(edit.endLine))) return problem;
    return { ...problem, edit };
  });
}

function editOf(at: Position, { old, text, anywhere = false }: Replacement, lines: readonly string[]): Edit | null {
  const parts = old.split('\n');
  const [head = ''] = parts;
  const line = lines[at.line - 1];
  if (line === undefined) return null;
  const start = line.indexOf(head, anywhere ? 0 : at.column - 1);
  if (start === -1) return null;
  const isThere = anywhere ? line.lastIndexOf(head) === start : /^[#\s`~"']*$/.test(line.slice(at.column - 1, start));
  if (!isThere) return null;
  const place = { line: at.line, column: start + 1, text };
  const last = parts.at(-1) ?? '';
  if (parts.length === 1) return { ...place, endLine: at.line, endColumn: start + head.length + 1 };
  const isSame = parts.every((part, index) => {
    const found = lines[at.line - 1 + index];
    if (found === undefined) return false;
    if (index === 0) return found.slice(start) === part;
    return index === parts.length - 1 ? found.startsWith(part) : found === part;
  });
  return isSame ? { ...place, endLine: at.line + parts.length - 1, endColumn: last.length + 1 } : null;
}

/** Whether a line belongs to the claims, or to a fence that is no data: such a line is for people. */
function guardOf({ blocks, lines }: SplitDocument): (line: number) => boolean {
  const guarded = new Set<number>();
  const guard = (first: number, last: number): void => {
    for (let line = first; line <= last; line += 1) guarded.add(line);
  };
  const headings = blocks.filter(isSectionHeading);
  for (const [index, heading] of headings.entries()) {
    if (heading.text === 'Required Claims') guard(heading.line, (headings[index + 1]?.line ?? lines.length + 1) - 1);
  }
  for (const block of blocks) {
    if (block.type !== 'fence') continue;
    // Also the line that opens it: its tag decides what runs it.
    if (block.info !== 'yaml' && (block.info === '' || !isLikeYaml(block.info))) guard(block.line, block.endLine);
  }
  return (line) => guarded.has(line);
}
