/** Block quotes and list items: CommonMark 0.31, sections 5.1 and 5.2. */

import type { Line } from './line.ts';
import { CODE_INDENT } from './line.ts';
import { listMarkerLength } from './markers.ts';

/** An open block quote, or an open list item. Lists themselves decide nothing here. */
export type Container =
  | { readonly kind: 'quote' }
  /** `width`: columns that a line must be indented by to belong to the item. */
  | { readonly kind: 'item'; readonly width: number; empty: boolean };

/** Whether an open container goes on in this line; consumes its marker or indentation. */
export function continues(container: Container, line: Line): boolean {
  if (container.kind === 'quote') {
    if (line.indent >= CODE_INDENT || line.text.charAt(line.next) !== '>') return false;
    skipQuoteMarker(line);
    return true;
  }
  if (line.blank) return !container.empty;
  if (line.indent < container.width) return false;
  line.skipColumns(container.width);
  return true;
}

/** Consumes the marker of a new container, if there is one. */
export function openContainer(line: Line, interrupts: boolean): Container | null {
  if (line.text.charAt(line.next) === '>') {
    skipQuoteMarker(line);
    return { kind: 'quote' };
  }
  const marker = listMarkerLength(line, interrupts);
  if (marker === 0) return null;
  const outer = line.indent;
  line.skipMarker(marker);
  // One to four columns belong to the marker; more are the indentation of code; none where the item starts blank.
  const inner = line.blank || line.indent > CODE_INDENT ? 1 : line.indent;
  line.skipColumns(inner);
  return { kind: 'item', width: outer + marker + inner, empty: true };
}

function skipQuoteMarker(line: Line): void {
  line.skipMarker(1);
  line.skipColumns(1);
}
