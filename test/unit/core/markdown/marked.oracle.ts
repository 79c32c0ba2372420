/** What marked, which renders for people, says about a document. */

import { Lexer } from 'marked';

import type { Fact } from './commonmark.oracle.ts';

/** Top-level headings and fences; null where marked throws, which it does on some nested quotes. */
export function markedFacts(text: string): Fact[] | null {
  try {
    const facts: Fact[] = [];
    let line = 1;
    for (const token of new Lexer().blockTokens(text, [])) {
      if (token.type === 'heading') facts.push(headingFact(Number(token['depth']), String(token['text']), line));
      // marked drops the fence's indentation in its own way, but such a fence is fragile, so it is compared as it is.
      if (token.type === 'code' && token['codeBlockStyle'] !== 'indented') {
        facts.push(fenceFact(String(token['lang'] ?? ''), String(token['text']), line));
      }
      line += token.raw.split('\n').length - 1;
    }
    return facts;
  } catch {
    return null;
  }
}

/** marked keeps the indentation of a heading's further lines, which shows nowhere. */
export function headingFact(level: number, text: string, line: number): Fact {
  return ['heading', level, text.trim().replaceAll(/\n[ \t]+/g, '\n'), line];
}

/** marked resolves backslashes in the info string, and keeps the last line ending of an unclosed fence. */
export function fenceFact(info: string, content: string, line: number): Fact {
  return ['fence', info.replaceAll('\\', '').trim(), content.replace(/\n+$/, ''), line];
}
