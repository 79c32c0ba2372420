/** Encoding and characters that have no place in a document. */
import { isUtf8 } from 'node:buffer';
import type { SplitDocument } from './history.ts';
import type { Position, Problems } from './problems.ts';

/**
 * Bidi controls, zero-width and other invisible characters, variation selectors (but for those that choose how an emoji
 * looks), and the tag characters: text that reads otherwise than it runs.
 */
const HIDDEN =
  // oxlint-disable-next-line no-misleading-character-class -- single code points are looked for
  /[\u00AD\u034F\u061C\u115F\u1160\u17B4\u17B5\u180B-\u180E\u200B-\u200F\u202A-\u202E\u2060-\u206F\u2800\u3164\uFE00-\uFE0D\uFEFF\uFFA0\uFFF9-\uFFFB\u{1D173}-\u{1D17A}\u{E0000}-\u{E007F}\u{E0100}-\u{E01EF}]|(?<![\p{Extended_Pictographic}\d#*])[\uFE0E\uFE0F]/u;
// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const CONTROL = /[\u0000-\u0008\u000B-\u001F\u007F-\u009F]/;

/** Checks the bytes before the history; the tail is output and may hold anything. */
export function checkCharacters(document: SplitDocument, problems: Problems): void {
  if (!isUtf8(document.headBytes)) {
    problems.add(
      'not-utf8',
      { line: firstBadLine(document.headBytes), column: 1 },
      'The document is not UTF-8 text.',
      'Save it as UTF-8.',
    );
    return;
  }
  // Of a document without CR the lines are what was read.
  if (!document.headBytes.includes(0x0d) && !document.lines.some((line) => CONTROL.test(line))) return;
  const text = decodeStrictly(document.headBytes) ?? '';
  for (const [index, line] of text.replaceAll('\r\n', '\n').split('\n').entries()) {
    const found = CONTROL.exec(line);
    if (found === null) continue;
    problems.add(
      'control-character',
      { line: index + 1, column: found.index + 1 },
      `The line holds the control character ${codePoint(found[0])}.`,
      'Remove it; only tab and line breaks (LF or CRLF) are allowed.',
    );
    return;
  }
}

/** Reports the first hidden character of `text`, which stands at `at` in the document; multi-line text counts lines. */
export function checkHidden(text: string, at: Position, what: string, problems: Problems): void {
  const found = HIDDEN.exec(text);
  if (found === null) return;
  const before = text.slice(0, found.index).split('\n');
  const last = before.at(-1) ?? '';
  problems.add(
    'hidden-character',
    { line: at.line + before.length - 1, column: before.length === 1 ? at.column + last.length : last.length + 1 },
    `${what} holds the invisible character ${codePoint(found[0])}.`,
    'Remove it, or write it as an escape of the language.',
  );
}

/** The text without what the two checks above find, for a text that is to become a document. */
export function visibleOnly(text: string): string {
  let shown = '';
  for (const character of text)
    if (character === '\n' || !(CONTROL.test(character) || HIDDEN.test(character))) shown += character;
  // What was hidden may have stood between a character and what chooses its look.
  return HIDDEN.test(shown) ? shown.replaceAll(/[\uFE0E\uFE0F]/g, '') : shown;
}

/** Null when the bytes are not UTF-8. */
function decodeStrictly(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** No character of UTF-8 spans a line break, so each line can be tried alone. */
function firstBadLine(bytes: Uint8Array): number {
  let line = 1;
  for (let start = 0; start < bytes.length; line += 1) {
    const end = bytes.indexOf(0x0a, start);
    const stop = end === -1 ? bytes.length : end;
    if (decodeStrictly(bytes.subarray(start, stop)) === null) return line;
    start = stop + 1;
  }
  return 1;
}

function codePoint(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
}
