/** The words of a line that somebody is typing into bash, and text as it has to stand there. Pure. */

/** How the word at the cursor is quoted there: not at all, or within quotes that are still open. */
export type OpenQuote = '' | "'" | '"';

export interface TypedLine {
  /** Words of the command at the cursor, quotes and backslashes taken away. */
  readonly before: readonly string[];
  /** The word at the cursor, up to there; the same. */
  readonly current: string;
  readonly quote: OpenQuote;
  /** What of `current` stands before the part that bash replaces: what is behind an open quote, else behind the last of `breaks`. */
  readonly kept: string;
}

const SEPARATORS = new Set(['|', '&', ';', '(', '\n']);

/** @param breaks bash's `COMP_WORDBREAKS` */
export function readTypedLine(line: string, breaks: string): TypedLine {
  let words: string[] = [];
  let word: string | null = null;
  let quote: OpenQuote = '';
  let kept = '';
  for (let index = 0; index < line.length; index += 1) {
    const character = line[index] ?? '';
    const next = line[index + 1];
    const isEscape =
      character === '\\' && next !== undefined && (quote === '' || (quote === '"' && /["\\$`]/.test(next)));
    if (isEscape) {
      word = (word ?? '') + next;
      index += 1;
    } else if (quote !== '') {
      if (character === quote) quote = '';
      else word = (word ?? '') + character;
    } else if (character === "'" || character === '"') {
      quote = character;
      word ??= '';
      kept = word;
    } else if (character === ' ' || character === '\t' || SEPARATORS.has(character)) {
      if (word !== null) words.push(word);
      if (SEPARATORS.has(character)) words = [];
      word = null;
      kept = '';
    } else {
      word = (word ?? '') + character;
      if (breaks.includes(character)) kept = word;
    }
  }
  return { before: words, current: word ?? '', quote, kept: word === null ? '' : kept };
}

/** Text as it has to stand in the line so that the shell reads it as it is; null where it cannot. */
export function asTyped(text: string, quote: OpenQuote): string | null {
  // A line feed would end the line, an escape sequence would be drawn.
  if (/\p{Cc}/u.test(text)) return null;
  if (quote === "'") return text.replaceAll("'", "'\\''");
  if (quote === '"') return text.replaceAll(/["\\$`]/g, '\\$&');
  return text.replaceAll(/[^\p{L}\p{M}\p{N}\-_./:=@%+,]/gu, '\\$&');
}
