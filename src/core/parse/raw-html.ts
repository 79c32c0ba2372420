/**
 * Raw HTML can hide a heading or a fence from whoever reads the rendered page (`<details>`, `<div hidden>`, a comment that
 * is left open), and what is left open at the end of a document swallows what is appended to it. So there is none.
 */
import type { SplitDocument } from './history.ts';
import type { Problems } from './problems.ts';

/** The elements of HTML, old ones too. `<other words>` have no meaning of their own on a page and are left alone. */
const ELEMENTS = new Set(
  (
    'a abbr acronym address applet area article aside audio b base basefont bdi bdo bgsound big blink blockquote body br ' +
    'button canvas caption center cite code col colgroup data datalist dd del details dfn dialog dir div dl dt em embed ' +
    'fieldset figcaption figure font footer form frame frameset h1 h2 h3 h4 h5 h6 head header hgroup hr html i iframe ' +
    'image img input ins isindex kbd keygen label legend li link listing main map mark marquee math menu menuitem meta ' +
    'meter multicol nav nextid nobr noembed noframes noscript object ol optgroup option output p param picture plaintext ' +
    'pre progress q rb rbc rp rt rtc ruby s samp script search section select slot small source spacer span strike strong ' +
    'style sub summary sup svg table tbody td template textarea tfoot th thead time title tr track tt u ul var video wbr xmp'
  ).split(' '),
);
/** Change how a few words look, and nothing else, as long as they carry no attributes. */
const PLAIN = /^<\/?(?:b|br|code|del|em|i|ins|kbd|mark|q|s|samp|small|strong|sub|sup|u|var|wbr)\s*\/?>/i;
const TAG_NAME = /^<\/?([a-z][a-z0-9]*)(?=[\s/>]|$)/i;
/** HTML ends a comment here, CommonMark does not. */
const OTHER_COMMENT_END = '--!>';
/** In more lines than that without a blank one nothing counts as code: each could be where the paragraph begins. */
const MAX_CONTEXT = 20;

/** `isQuoted` tells whether a line belongs to a top-level fence or comment. */
export function checkRawHtml(document: SplitDocument, isQuoted: (line: number) => boolean, problems: Problems): void {
  const { blocks, lines } = document;
  const found = new Set<number>();
  for (const block of blocks) {
    if (block.type === 'html') found.add(block.line);
    else if (
      block.type === 'comment' &&
      lines
        .slice(block.line - 1, block.endLine)
        .join('\n')
        .includes(OTHER_COMMENT_END)
    ) {
      found.add(block.line);
    }
  }
  let first = 0;
  for (const [index, line] of lines.entries()) {
    if (line.trim() === '' || isQuoted(index + 1)) first = index + 1;
    else if (line.includes('<') && hasElement(lines, first, index)) found.add(index + 1);
  }
  for (const line of [...found].sort((a, b) => a - b)) {
    problems.add(
      'raw-html',
      { line, column: (lines[line - 1] ?? '').indexOf('<') + 1 },
      'There is raw HTML here, which can hide from a reader what would run.',
      'Write it as markdown; put a word like `<name>` into backticks; close a comment with `-->` at the end of its line.',
    );
  }
}

/**
 * Whether a line may hold a tag. Where its paragraph begins decides what is code in it, so each line from `first` on is
 * tried as its beginning: a tag has to be code in all of these readings.
 */
function hasElement(lines: readonly string[], first: number, index: number): boolean {
  const line = lines[index] ?? '';
  if (line.includes(OTHER_COMMENT_END)) return true;
  if (!namesElement(line)) return false;
  if (!isClosed(lines, index)) return false;
  if (index - first > MAX_CONTEXT) return true;
  for (let start = first; start <= index; start += 1) {
    const text = withoutCode(lines.slice(start, index + 1).join('\n'));
    if (namesElement(text.slice(text.lastIndexOf('\n') + 1))) return true;
  }
  return false;
}

/** Whether there is a `>` in the rest of the paragraph: what is never closed is no tag. */
function isClosed(lines: readonly string[], index: number): boolean {
  for (let at = index; at <= index + MAX_CONTEXT; at += 1) {
    const line = lines[at] ?? '';
    if (line.includes('>')) return true;
    if (line.trim() === '') return false;
  }
  return true;
}

function namesElement(line: string): boolean {
  for (let at = line.indexOf('<'); at !== -1; at = line.indexOf('<', at + 1)) {
    const tag = line.slice(at);
    const name = TAG_NAME.exec(tag)?.[1]?.toLowerCase();
    if (name !== undefined && ELEMENTS.has(name) && !PLAIN.test(tag)) return true;
  }
  return false;
}

/** Code spans (CommonMark 0.31, section 6.1) and escaped characters as blanks; line breaks stay. */
function withoutCode(text: string): string {
  let result = '';
  for (let at = 0; at < text.length;) {
    const end = text[at] === '\\' ? at + 2 : text[at] === '`' ? endOfCode(text, at) : null;
    if (end === null) {
      result += text[at] ?? '';
      at += 1;
    } else {
      result += text.slice(at, end).replaceAll(/[^\n]/g, ' ');
      at = end;
    }
  }
  return result;
}

/** Behind the code span that begins at `at`; behind the run of backticks where none does. */
function endOfCode(text: string, at: number): number {
  const behind = skipBackticks(text, at);
  const length = behind - at;
  for (let next = text.indexOf('`', behind); next !== -1;) {
    const end = skipBackticks(text, next);
    if (end - next === length) return end;
    next = text.indexOf('`', end);
  }
  return behind;
}

function skipBackticks(text: string, at: number): number {
  let end = at;
  while (text[end] === '`') end += 1;
  return end;
}
