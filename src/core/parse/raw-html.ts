/**
 * Raw HTML can hide a heading or a fence from whoever reads the rendered page (`<details>`, `<div hidden>`, a comment that
 * is left open), and what is left open at the end of a document swallows what is appended to it. So there is none.
 */
import type { SplitDocument } from './history.ts';
import type { Problems } from './problems.ts';

/** Elements that can hide what follows them when they stand within a line; others of a line are ordinary words in `<>`. */
const ELEMENT =
  /<\/?(?:address|article|aside|audio|base|body|button|canvas|center|dd|details|dialog|dir|div|dl|dt|fieldset|figure|footer|form|frameset|h[1-6]|head|header|hr|html|iframe|legend|li|link|main|map|math|menu|meta|nav|noembed|noframes|noscript|object|ol|optgroup|option|p|plaintext|pre|script|section|select|span|style|summary|svg|table|tbody|td|template|textarea|tfoot|th|thead|title|tr|ul|video|xmp)(?=[\s/>]|$)/i;
const CODE_SPAN = /`+[^`]*`+/g;

/** `isQuoted` tells whether a line belongs to a top-level fence or comment. */
export function checkRawHtml(document: SplitDocument, isQuoted: (line: number) => boolean, problems: Problems): void {
  const found = new Set<number>();
  for (const block of document.blocks) if (block.type === 'html') found.add(block.line);
  for (const [index, line] of document.lines.entries()) {
    if (line.includes('<') && !isQuoted(index + 1) && ELEMENT.test(line.replace(CODE_SPAN, ''))) found.add(index + 1);
  }
  for (const line of [...found].sort((a, b) => a - b)) {
    problems.add(
      'raw-html',
      { line, column: (document.lines[line - 1] ?? '').indexOf('<') + 1 },
      'There is raw HTML here, which can hide from a reader what would run.',
      'Write it as markdown; put a word like `<name>` into backticks; close a comment with `-->` at the end of its line.',
    );
  }
}
