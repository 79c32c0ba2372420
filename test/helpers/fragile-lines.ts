/**
 * Where markdown renderers are known to read a document differently, so that a reviewer may not have seen what the
 * scanner sees. Without such a line, marked and commonmark.js as published find the same headings and fences: the
 * property tests hold them to that (marked throws on some rare nestings, which shows nobody anything wrong).
 */

import type { Block } from '../../src/core/markdown/blocks.ts';

export type FragileConstruct =
  /** HTML, other than a comment that is complete in one line. */
  | 'html'
  /** `[label]:`, which some renderers let reach into the next block. */
  | 'definition'
  /** `===` or `---` below text. */
  | 'underline'
  /** A tab outside a fence, or behind its closing marks. */
  | 'tab'
  /** A fence that is itself indented: how much of its content's indentation goes is in doubt. */
  | 'indented-fence'
  /** Three backticks that open no fence, because another one follows. */
  | 'false-fence'
  /** A list item that may be the second line of a table. */
  | 'table'
  /** A list marker and nothing else, below text. */
  | 'empty-item'
  /** A heading or fence of a list item, below a line that belongs to the item without being indented. */
  | 'lazy-item'
  /** White space to some regular expressions, but not to CommonMark. */
  | 'white-space';

export interface Fragile {
  readonly construct: FragileConstruct;
  readonly line: number;
}

/** Markers of quotes and list items. */
const MARKERS = /^(?:[ \t]*(?:>|(?:[-+*]|\d{1,9}[.)])(?=[ \t]|$)))*[ \t]*/;
const LINE_COMMENT = /^<!--(?!-?>)[^>]*-->/;
const DEFINITION = /^\[(?:[^\\\]]|\\.)*(?:\]:|\\?$)/;
const UNDERLINE = /^[ >]*(?:=+|-+) *$/;
const FALSE_FENCE = /^```.*[^`]`/s;
const TABLE_ITEM = /^[ >]*- [-:| ]+$/;
const ITEM = /^ *(?:[-+*]|\d{1,9}[.)])(?: +|$)/;
const EMPTY_ITEM = /^[ >]*(?:[-+*]|\d{1,9}[.)]) *$/;
const INDENTED_BLOCK = /^ +(?:#|```|~~~)/;
const UNUSUAL = /[\f\v\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]/;

/** The first fragile construct of each line of `text` that has one; `blocks`, its blocks, say what is inside a fence. */
export function fragileLines(text: string, blocks: readonly Block[]): readonly Fragile[] {
  const found: Fragile[] = [];
  const fences = blocks.filter((block) => block.type === 'fence');
  let next = 0;
  let above = '';
  let width = 0;
  for (const [index, content] of text.split('\n').entries()) {
    const line = index + 1;
    if (line > (fences[next]?.endLine ?? Infinity)) next += 1;
    const fence = fences[next];
    const inside = fence !== undefined && line > fence.line && (line < fence.endLine || !fence.closed);
    const indented = fence?.line === line && fence.column > 1;
    const construct = indented ? 'indented-fence' : constructOf(content, above, width);
    if (construct !== null && !inside) found.push({ construct, line });
    width = inside ? 0 : itemWidth(content, above, width);
    above = content;
  }
  return found;
}

/**
 * By how many spaces the next line has to be indented to belong to the list item above it: 0 where there is no item,
 * Infinity once a line of the item's text has been less indented.
 */
function itemWidth(line: string, above: string, width: number): number {
  const marker = ITEM.exec(line);
  if (marker !== null) return marker[0].length;
  if (line.trim() === '' || line.search(/[^ ]/) >= width) return width;
  return above.trim() === '' ? 0 : Infinity;
}

function constructOf(line: string, above: string, width: number): FragileConstruct | null {
  if (line.includes('\t')) return 'tab';
  if (UNUSUAL.test(line)) return 'white-space';
  if (above.trim() !== '') {
    if (UNDERLINE.test(line)) return 'underline';
    if (EMPTY_ITEM.test(line)) return 'empty-item';
  }
  if (TABLE_ITEM.test(line) && line.includes('|')) return 'table';
  if (width === Infinity && INDENTED_BLOCK.test(line)) return 'lazy-item';
  const text = line.replace(MARKERS, '');
  if (FALSE_FENCE.test(text)) return 'false-fence';
  if (text.startsWith('<') && !LINE_COMMENT.test(text)) return 'html';
  return DEFINITION.test(text) ? 'definition' : null;
}
