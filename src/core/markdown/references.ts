/**
 * Link reference definitions (CommonMark 0.31, section 4.7). They are not paragraph text, so a setext underline below
 * nothing but definitions makes no heading, and a heading's text starts after them.
 */

import { isWhite, skipWhite } from './line.ts';

/** Longest link label, in characters. */
const MAX_LABEL = 999;

/** How many of a paragraph's first lines (their indentation removed) are link reference definitions. */
export function countDefinitionLines(lines: readonly string[]): number {
  if (!lines[0]?.startsWith('[')) return 0;
  const text = `${lines.join('\n')}\n`;
  let at = 0;
  let count = 0;
  while (text.charAt(at) === '[') {
    const end = skipDefinition(text, at);
    if (end === null) break;
    for (let index = at; index < end; index += 1) if (text.charAt(index) === '\n') count += 1;
    at = end;
  }
  return count;
}

/** Start of the line after the definition at `at`, or null where there is none. */
function skipDefinition(text: string, at: number): number | null {
  const colon = skipLabel(text, at);
  if (colon === null || text.charAt(colon) !== ':') return null;
  const destination = skipGap(text, colon + 1);
  const destinationEnd = skipDestination(text, destination);
  if (destinationEnd === null) return null;
  const title = skipGap(text, destinationEnd);
  const titleEnd = title === destinationEnd ? null : skipTitle(text, title);
  // What looks like a title on the next line but has more text behind it is the paragraph after the definition.
  return (titleEnd === null ? null : skipLineEnd(text, titleEnd)) ?? skipLineEnd(text, destinationEnd);
}

/** White space with at most one line ending in it. */
function skipGap(text: string, at: number): number {
  const end = skipWhite(text, at);
  return text.charAt(end) === '\n' ? skipWhite(text, end + 1) : end;
}

function skipLineEnd(text: string, at: number): number | null {
  const end = skipWhite(text, at);
  return text.charAt(end) === '\n' ? end + 1 : null;
}

function skipLabel(text: string, at: number): number | null {
  let visible = false;
  let characters = 0;
  for (let index = at + 1; index < text.length; index += 1) {
    const character = text.charAt(index);
    if (character === ']') return visible && characters <= MAX_LABEL ? index + 1 : null;
    if (character === '[' || characters > MAX_LABEL) return null;
    visible ||= character !== '\n' && !isWhite(text.charCodeAt(index));
    characters += 1;
    if (character === '\\' && index + 1 < text.length) {
      index += 1;
      characters += 1;
    }
  }
  return null;
}

function skipDestination(text: string, at: number): number | null {
  if (text.charAt(at) === '<') return skipBracketed(text, at);
  let depth = 0;
  let index = at;
  for (; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    const character = text.charAt(index);
    if (code <= 32 || code === 127 || (character === ')' && depth === 0)) break;
    if (character === '(') depth += 1;
    else if (character === ')') depth -= 1;
    else if (character === '\\' && isPunctuation(text.charCodeAt(index + 1))) index += 1;
  }
  return index === at || depth > 0 ? null : index;
}

/** A destination in `<…>`: no line ending and no other `<` unless escaped. */
function skipBracketed(text: string, at: number): number | null {
  for (let index = at + 1; index < text.length; index += 1) {
    const character = text.charAt(index);
    if (character === '>') return index + 1;
    if (character === '<' || character === '\n') return null;
    if (character === '\\' && text.charAt(index + 1) !== '\n') index += 1;
  }
  return null;
}

function skipTitle(text: string, at: number): number | null {
  const open = text.charAt(at);
  if (open !== '"' && open !== "'" && open !== '(') return null;
  const close = open === '(' ? ')' : open;
  for (let index = at + 1; index < text.length; index += 1) {
    const character = text.charAt(index);
    if (character === close) return index + 1;
    if (character === open) return null;
    if (character === '\\') index += 1;
  }
  return null;
}

/** ASCII punctuation, the characters that a backslash escapes. */
function isPunctuation(code: number): boolean {
  return (
    (code >= 33 && code <= 47) ||
    (code >= 58 && code <= 64) ||
    (code >= 91 && code <= 96) ||
    (code >= 123 && code <= 126)
  );
}
