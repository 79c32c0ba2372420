/**
 * Where markdown renderers are known to read a document differently, so that a reviewer may not have seen what the
 * scanner sees. A document without such a line looks the same everywhere: the property tests hold marked and an
 * uncorrected commonmark.js to that.
 */

import type { Block } from './blocks.ts';

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
const UNUSUAL = /[\f\v\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]/;

/** The first fragile construct of each line of `text` that has one; `blocks`, its blocks, say what is inside a fence. */
export function fragileLines(text: string, blocks: readonly Block[]): readonly Fragile[] {
  const found: Fragile[] = [];
  const fences = blocks.filter((block) => block.type === 'fence');
  let next = 0;
  let above = '';
  for (const [index, content] of text.split('\n').entries()) {
    const line = index + 1;
    if (line > (fences[next]?.endLine ?? Infinity)) next += 1;
    const fence = fences[next];
    const construct = fence?.line === line && fence.column > 1 ? 'indented-fence' : constructOf(content, above);
    const inside = fence !== undefined && line > fence.line && (line < fence.endLine || !fence.closed);
    if (construct !== null && !inside) found.push({ construct, line });
    above = content;
  }
  return found;
}

function constructOf(line: string, above: string): FragileConstruct | null {
  if (line.includes('\t')) return 'tab';
  if (UNUSUAL.test(line)) return 'white-space';
  if (above.trim() !== '' && UNDERLINE.test(line)) return 'underline';
  const text = line.replace(MARKERS, '');
  if (text.startsWith('<') && !LINE_COMMENT.test(text)) return 'html';
  return DEFINITION.test(text) ? 'definition' : null;
}
