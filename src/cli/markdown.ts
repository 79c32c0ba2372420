/**
 * Text of strangers in markdown that somebody pastes somewhere: always code, so that nothing in it is a heading, a link,
 * a tag, a mention or the end of a cell, whatever reads it.
 */
import { visibleText } from '../core/history/visible-text.ts';
import { inline } from './render.ts';

/** On one line, also in a cell of a table. `–` where there is nothing. */
export function code(text: string | null): string {
  // No two readers agree on how a bar in a cell is escaped behind a backslash.
  const shown = inline(text ?? '').replaceAll('|', '\\u{7c}');
  if (shown.trim() === '') return '–';
  const fence = '`'.repeat(longestRun(shown) + 1);
  const pad = /^[` ]|[` ]$/.test(shown) ? ' ' : '';
  return `${fence}${pad}${shown}${pad}${fence}`;
}

/** A block of code that ends where the text ends. */
export function block(text: string): string {
  const shown = visibleText(Buffer.from(text.toWellFormed())).replace(/\n$/, '');
  const fence = '`'.repeat(Math.max(3, longestRun(shown) + 1));
  return `${fence}text\n${shown}\n${fence}\n`;
}

function longestRun(text: string): number {
  return (text.match(/`+/g) ?? []).reduce((longest, run) => Math.max(longest, run.length), 0);
}
