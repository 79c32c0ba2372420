/** The state machine behind `scanBlocks`: which containers and which leaf are open, line by line. */

import type { Block } from './blocks.ts';
import type { Container } from './containers.ts';
import { continues, openContainer } from './containers.ts';
import type { HtmlKind } from './html.ts';
import { COMMENT, commentText, endsHtml, htmlKind, isWholeComment } from './html.ts';
import { CODE_INDENT, Line, skipWhite } from './line.ts';
import type { FenceMarker } from './markers.ts';
import { atxHeading, closesFence, isThematicBreak, openingFence, setextLevel, trimWhite } from './markers.ts';
import { countDefinitionLines } from './references.ts';

/**
 * Nested quotes and list items. Bounds the work per line, since a blank line continues every open item; a procedure
 * that people can read nests less than ten.
 */
export const MAX_DEPTH = 64;

/** The open block inside the innermost container that takes lines. `line` is its first one. */
type Leaf =
  | { readonly kind: 'paragraph'; line: number; lines: string[] }
  | { readonly kind: 'fence'; readonly line: number; readonly indent: number; readonly marker: FenceMarker }
  | { readonly kind: 'html'; readonly line: number; readonly html: HtmlKind }
  | { readonly kind: 'code' };

/** Lines from the document, without their ends. */
export class Scanner {
  readonly #lines: readonly string[];
  readonly #blocks: Block[] = [];
  readonly #open: Container[] = [];
  #leaf: Leaf | null = null;
  /** Number of the current line. */
  #line = 0;
  /** How many of the open containers the current line has continued or opened so far. */
  #depth = 0;

  constructor(lines: readonly string[]) {
    this.#lines = lines;
  }

  run(): readonly Block[] {
    for (const text of this.#lines) {
      this.#line += 1;
      this.#take(new Line(text));
      if (this.#open.length > MAX_DEPTH) return this.#blocks;
    }
    this.#endLeaf(false);
    return this.#blocks;
  }

  #take(line: Line): void {
    this.#depth = 0;
    for (const container of this.#open) {
      if (!continues(container, line)) break;
      this.#depth += 1;
    }
    if (this.#depth === this.#open.length) {
      if (this.#continueLeaf(line)) return;
    } else if (this.#leaf?.kind !== 'paragraph' || line.blank) {
      this.#close();
    }
    // Containers that are still open beyond `#depth` hold a paragraph that may take the line as a lazy continuation.
    if (!line.blank && !this.#openBlocks(line)) this.#addText(line);
  }

  /** Whether the open leaf, all of whose containers go on, takes the line. */
  #continueLeaf(line: Line): boolean {
    const leaf = this.#leaf;
    switch (leaf?.kind) {
      case 'paragraph':
        if (line.blank) this.#leaf = null;
        return line.blank;
      case 'code':
        if (line.blank || line.indent >= CODE_INDENT) return true;
        this.#leaf = null;
        return false;
      case 'fence':
        if (closesFence(line, leaf.marker)) this.#endLeaf(true);
        return true;
      case 'html':
        if (endsHtml(leaf.html, line.text, line.next)) this.#endLeaf(true);
        return true;
      default:
        return false;
    }
  }

  /** Opens the containers and the leaf that the line starts. False: text is left, for a paragraph. */
  #openBlocks(line: Line): boolean {
    while (!line.blank) {
      if (line.indent >= CODE_INDENT) {
        if (this.#leaf?.kind === 'paragraph') return false;
        this.#begin();
        this.#leaf = { kind: 'code' };
        return true;
      }
      if (this.#openLeaf(line)) return true;
      const column = line.next + 1;
      const container = openContainer(line, this.#paragraph() !== null);
      if (container === null) return false;
      this.#begin();
      this.#depth = this.#open.push(container);
      if (this.#depth > MAX_DEPTH) {
        this.#blocks.push({ type: 'too-deep', line: this.#line, column });
        return true;
      }
    }
    return true;
  }

  /** The open paragraph, unless only a lazy line could continue it. */
  #paragraph(): (Leaf & { kind: 'paragraph' }) | null {
    return this.#leaf?.kind === 'paragraph' && this.#depth === this.#open.length ? this.#leaf : null;
  }

  #openLeaf(line: Line): boolean {
    switch (line.text.charAt(line.next)) {
      case '#':
        return this.#openAtx(line);
      case '`':
      case '~':
        return this.#openFence(line);
      case '<':
        return this.#openHtml(line);
      case '=':
        return this.#openSetext(line);
      case '-':
        return this.#openSetext(line) || this.#openBreak(line);
      case '*':
      case '_':
        return this.#openBreak(line);
      default:
        return false;
    }
  }

  #openAtx(line: Line): boolean {
    const heading = atxHeading(line);
    if (heading === null) return false;
    this.#begin();
    if (this.#depth === 0) {
      const at = { line: this.#line, column: line.next + 1, endLine: this.#line };
      this.#blocks.push({ type: 'heading', style: 'atx', ...heading, ...at });
    }
    return true;
  }

  #openFence(line: Line): boolean {
    const marker = openingFence(line);
    if (marker === null) return false;
    this.#begin();
    this.#leaf = { kind: 'fence', line: this.#line, indent: line.indent, marker };
    return true;
  }

  #openHtml(line: Line): boolean {
    const html = htmlKind(line.text, line.next);
    if (html === null || (html === 7 && this.#leaf?.kind === 'paragraph')) return false;
    this.#begin();
    this.#leaf = { kind: 'html', line: this.#line, html };
    // Of a comment at the top level it shows at its end whether it is whole; one that is nested may end with its container.
    const isWholeLine = html === COMMENT && isWholeComment(line.text.slice(line.next));
    if (html !== COMMENT || (this.#open.length > 0 && !isWholeLine)) this.#addHtml(this.#line);
    if (endsHtml(html, line.text, line.next)) this.#endLeaf(true);
    return true;
  }

  #openSetext(line: Line): boolean {
    const paragraph = this.#paragraph();
    const level = paragraph === null ? null : setextLevel(line);
    if (paragraph === null || level === null) return false;
    const definitions = countDefinitionLines(paragraph.lines);
    const lines = paragraph.lines.slice(definitions);
    if (lines.length === 0) {
      // Nothing but definitions: the underline is text or a thematic break, in what CommonMark keeps open as the
      // same paragraph.
      paragraph.lines = [];
      return false;
    }
    if (this.#depth === 0) {
      const first = paragraph.line + definitions;
      const at = { line: first, column: this.#columnOf(first), endLine: this.#line };
      this.#blocks.push({ type: 'heading', level, text: trimWhite(lines.join('\n')), style: 'setext', ...at });
    }
    this.#leaf = null;
    return true;
  }

  #openBreak(line: Line): boolean {
    if (!isThematicBreak(line)) return false;
    this.#begin();
    return true;
  }

  #addText(line: Line): void {
    if (this.#leaf?.kind === 'paragraph') {
      if (this.#leaf.lines.length === 0) this.#leaf.line = this.#line;
      this.#leaf.lines.push(line.rest);
    } else {
      this.#begin();
      this.#leaf = { kind: 'paragraph', line: this.#line, lines: [line.rest] };
    }
  }

  /** Makes room for a new block in the container that the line has reached. */
  #begin(): void {
    this.#close();
    this.#leaf = null;
    const parent = this.#open.at(-1);
    if (parent?.kind === 'item') parent.empty = false;
  }

  /** Closes the containers that the line has not reached. */
  #close(): void {
    if (this.#open.length === this.#depth) return;
    this.#open.length = this.#depth;
    this.#leaf = null;
  }

  /** Closes the leaf at the current line and reports a fence or comment of the top level. */
  #endLeaf(closed: boolean): void {
    const leaf = this.#leaf;
    this.#leaf = null;
    if (this.#open.length > 0 || leaf === null) return;
    const endLine = this.#line;
    if (leaf.kind === 'fence') {
      const { line, indent, marker } = leaf;
      const lines = this.#lines.slice(line, closed ? endLine - 1 : endLine);
      const content = lines.map((text) => withoutIndent(text, indent)).join('\n');
      const column = this.#columnOf(line);
      this.#blocks.push({ type: 'fence', info: marker.info, content, line, column, endLine, closed });
    } else if (leaf.kind === 'html' && leaf.html === COMMENT) {
      const { line } = leaf;
      const block = this.#lines
        .slice(line - 1, endLine)
        .join('\n')
        .trimStart();
      this.#blocks.push({ type: 'comment', text: commentText(block), line, column: this.#columnOf(line), endLine });
      if (!isWholeComment(block)) this.#addHtml(line);
    }
  }

  #addHtml(line: number): void {
    this.#blocks.push({ type: 'html', line, column: this.#columnOf(line) });
  }

  /** Column of the first character of a top-level line that is not white space. */
  #columnOf(line: number): number {
    return skipWhite(this.#lines[line - 1] ?? '', 0) + 1;
  }
}

/** Removes up to `indent` (at most 3) columns of white space; of a tab cut in two, spaces are left. */
function withoutIndent(text: string, indent: number): string {
  let at = 0;
  while (at < indent && text.charAt(at) === ' ') at += 1;
  const cut = at < indent && text.charAt(at) === '\t';
  return cut ? ' '.repeat(CODE_INDENT - indent) + text.slice(at + 1) : text.slice(at);
}
