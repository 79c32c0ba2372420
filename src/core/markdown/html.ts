/** Start and end conditions of the seven kinds of HTML blocks (CommonMark 0.31, section 4.6). */

import { isWhite, skipWhite } from './line.ts';

/** Number of the start condition in the specification; 2 is a comment. */
export type HtmlKind = 1 | 2 | 3 | 4 | 5 | 6 | 7;

export const COMMENT = 2;

const RAW_TAGS = new Set(['pre', 'script', 'style', 'textarea']);

const ENDS: Readonly<Record<HtmlKind, string | RegExp | null>> = {
  1: /<\/(?:pre|script|style|textarea)>/i,
  2: '-->',
  3: '?>',
  4: '>',
  5: ']]>',
  6: null,
  7: null,
};

const BLOCK_TAGS = new Set(
  (
    'address article aside base basefont blockquote body caption center col colgroup dd details dialog dir div dl dt ' +
    'fieldset figcaption figure footer form frame frameset h1 h2 h3 h4 h5 h6 head header hr html iframe legend li ' +
    'link main menu menuitem nav noframes ol optgroup option p param search section summary table tbody td tfoot th ' +
    'thead title tr track ul'
  ).split(' '),
);

const GREATER = 62;
const SLASH = 47;
const EQUALS = 61;
const DOUBLE_QUOTE = 34;
const SINGLE_QUOTE = 39;

/** Which kind of HTML block the `<` at `at` opens; null for none. */
export function htmlKind(text: string, at: number): HtmlKind | null {
  if (text.startsWith('<!--', at)) return 2;
  if (text.startsWith('<?', at)) return 3;
  if (text.startsWith('<![CDATA[', at)) return 5;
  if (text.startsWith('<!', at)) return isLetter(text.charCodeAt(at + 2)) ? 4 : null;

  const closing = text.charCodeAt(at + 1) === SLASH;
  const nameStart = closing ? at + 2 : at + 1;
  const nameEnd = skipTagName(text, nameStart);
  if (nameEnd === nameStart) return null;
  const name = text.slice(nameStart, nameEnd).toLowerCase();
  if (RAW_TAGS.has(name)) return !closing && endsTagName(text, nameEnd) ? 1 : null;
  if (BLOCK_TAGS.has(name) && (endsTagName(text, nameEnd) || text.startsWith('/>', nameEnd))) return 6;

  const tagEnd = closing ? skipGreater(text, skipWhite(text, nameEnd)) : skipOpenTag(text, nameEnd);
  return tagEnd !== null && skipWhite(text, tagEnd) === text.length ? 7 : null;
}

/** Whether the line (from `at` on) ends an HTML block. Kinds 6 and 7 end at a blank line, which no longer belongs to it. */
export function endsHtml(kind: HtmlKind, text: string, at: number): boolean {
  const end = ENDS[kind];
  if (end === null) return skipWhite(text, at) === text.length;
  return typeof end === 'string' ? text.includes(end, at) : end.test(text.slice(at));
}

/** The text of the comment that `block` starts with, trimmed. `<!-->` and `<!--->` are whole comments. */
export function commentText(block: string): string {
  const end = block.indexOf('-->', 2);
  return block.slice(4, end === -1 ? block.length : Math.max(end, 4)).trim();
}

/** Whether a block is one comment that is closed, and nothing else. */
export function isWholeComment(block: string): boolean {
  const end = block.indexOf('-->', 2);
  return end !== -1 && block.slice(end + 3).trim() === '';
}

function endsTagName(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return at === text.length || isWhite(code) || code === GREATER;
}

function skipGreater(text: string, at: number): number | null {
  return text.charCodeAt(at) === GREATER ? at + 1 : null;
}

/** Attributes and `>` of an open tag whose name ends at `at`. */
function skipOpenTag(text: string, at: number): number | null {
  let index = at;
  for (;;) {
    const start = skipWhite(text, index);
    const nameEnd = skipAttributeName(text, start);
    if (nameEnd === start) return skipGreater(text, text.charCodeAt(start) === SLASH ? start + 1 : start);
    if (start === index) return null;
    index = nameEnd;
    const equals = skipWhite(text, nameEnd);
    if (text.charCodeAt(equals) === EQUALS) {
      const valueEnd = skipAttributeValue(text, skipWhite(text, equals + 1));
      if (valueEnd === null) return null;
      index = valueEnd;
    }
  }
}

function skipAttributeValue(text: string, at: number): number | null {
  const quote = text.charCodeAt(at);
  if (quote === DOUBLE_QUOTE || quote === SINGLE_QUOTE) {
    const end = text.indexOf(quote === DOUBLE_QUOTE ? '"' : "'", at + 1);
    return end === -1 ? null : end + 1;
  }
  let index = at;
  while (index < text.length && !isWhite(text.charCodeAt(index)) && !'"\'=<>`'.includes(text.charAt(index))) index += 1;
  return index === at ? null : index;
}

function skipTagName(text: string, at: number): number {
  if (!isLetter(text.charCodeAt(at))) return at;
  let index = at + 1;
  while (isLetter(text.charCodeAt(index)) || isDigit(text.charCodeAt(index)) || text.charAt(index) === '-') index += 1;
  return index;
}

function skipAttributeName(text: string, at: number): number {
  if (!isLetter(text.charCodeAt(at)) && !'_:'.includes(text.charAt(at) || ' ')) return at;
  let index = at + 1;
  while (
    isLetter(text.charCodeAt(index)) ||
    isDigit(text.charCodeAt(index)) ||
    '_.:-'.includes(text.charAt(index) || ' ')
  ) {
    index += 1;
  }
  return index;
}

function isLetter(code: number): boolean {
  return (code >= 65 && code <= 90) || (code >= 97 && code <= 122);
}

export function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}
