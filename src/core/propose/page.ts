/**
 * A page of a wiki as a flat list of parts: headings, items of lists, blocks of code, lines of text. Unlike the parser of
 * runbooks it also looks into lists and quotes, where pages keep their commands, and it takes nothing for wrong.
 */
import { visibleOnly } from '../parse/characters.ts';
import { isTableRule } from './text.ts';

export interface HeadingPart {
  readonly kind: 'heading';
  /** 7: a line in bold that stands alone. */
  readonly level: number;
  readonly text: string;
  readonly line: number;
}
export interface ItemPart {
  readonly kind: 'item';
  readonly ordered: boolean;
  /** `- [ ]`: something to be done. */
  readonly checkbox: boolean;
  /** Columns before the marker. */
  readonly indent: number;
  readonly text: string;
  readonly line: number;
}
export interface CodePart {
  readonly kind: 'code';
  /** First word behind the fence, lower case; empty for none. */
  readonly tag: string;
  readonly lines: readonly string[];
  /** Of its first line of code. */
  readonly line: number;
}
export interface TextPart {
  readonly kind: 'text';
  /** Empty: a blank line. */
  readonly text: string;
  readonly line: number;
}
export type PagePart = HeadingPart | ItemPart | CodePart | TextPart;

export interface Page {
  /** Of the front matter, if there is one. */
  readonly title: string | null;
  readonly parts: readonly PagePart[];
}

/** More than anybody reads; the rest is left out. */
const MAX_LINES = 20_000;

/** Never throws; linear in the length of the page. */
export function readPage(source: string): Page {
  const text = source.replaceAll('\r\n', '\n').replaceAll('\r', '\n').replaceAll('\u{a0}', ' ');
  const lines = visibleOnly(text).split('\n').slice(0, MAX_LINES);
  const front = frontMatterEnd(lines);
  const reader = new PageReader(lines, front);
  return { title: titleOf(lines.slice(0, front)), parts: reader.read() };
}

/** How many lines the front matter takes. */
function frontMatterEnd(lines: readonly string[]): number {
  if (lines[0]?.trim() !== '---') return 0;
  const end = lines.findIndex((line, index) => index > 0 && line.trim() === '---');
  // A page may begin with a line across.
  const isData = lines.slice(1, Math.max(end, 1)).every((line) => /^\s*$|^\s*[\w-]+:|^\s*- /.test(line));
  return end > 0 && isData ? end + 1 : 0;
}

function titleOf(lines: readonly string[]): string | null {
  const line = lines.find((one) => one.startsWith('title:'));
  const title = line
    ?.slice('title:'.length)
    .trim()
    .replaceAll(/^["']|["']$/g, '');
  return title === undefined || title === '' ? null : title;
}

class PageReader {
  readonly #lines: readonly string[];
  readonly #parts: PagePart[] = [];
  #at: number;
  /** Behind it a comment is never closed, and so is none. */
  readonly #lastCommentEnd: number;
  /** Column of the text of the innermost item; 0 outside of lists. */
  #inItem = 0;

  constructor(lines: readonly string[], start: number) {
    this.#lines = lines;
    this.#at = start;
    this.#lastCommentEnd = lines.findLastIndex((line) => line.includes('-->')) + 1;
  }

  read(): readonly PagePart[] {
    while (this.#at < this.#lines.length) this.#take();
    return this.#parts;
  }

  #take(): void {
    const line = this.#at + 1;
    const text = withoutQuote(this.#lines[this.#at] ?? '');
    const body = text.trim();
    if (this.#takeComment(body) || this.#takeFence(text) || this.#takeIndented(text)) return;
    this.#at += 1;
    if (body === '' || isRule(body)) {
      this.#parts.push({ kind: 'text', text: '', line });
      return;
    }
    const indent = text.length - text.trimStart().length;
    const heading = headingOf(text, this.#lines[this.#at] ?? '');
    if (heading !== null) {
      this.#inItem = 0;
      if (heading.isUnderlined) this.#at += 1;
      this.#parts.push({ kind: 'heading', level: heading.level, text: heading.text, line });
      return;
    }
    const item = itemOf(body);
    if (item !== null) {
      this.#inItem = indent + 2;
      this.#parts.push({ kind: 'item', indent, line, ...item });
      return;
    }
    if (indent === 0 && this.#parts.at(-1)?.kind === 'text' && isBlank(this.#parts.at(-1))) this.#inItem = 0;
    this.#parts.push({ kind: 'text', text: body, line });
  }

  #takeComment(body: string): boolean {
    if (!body.startsWith('<!--') || this.#at >= this.#lastCommentEnd) return false;
    while (!(this.#lines[this.#at] ?? '').includes('-->')) this.#at += 1;
    this.#at += 1;
    return true;
  }

  #takeFence(text: string): boolean {
    const [, marker = '', info = ''] = /^[ \t]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)?(`{3,}|~{3,})([^`]*)$/.exec(text) ?? [];
    if (marker === '') return false;
    const indent = text.indexOf(marker);
    const lines: string[] = [];
    const line = this.#at + 2;
    this.#at += 1;
    while (this.#at < this.#lines.length) {
      const next = withoutQuote(this.#lines[this.#at] ?? '', text !== this.#lines[line - 2]);
      this.#at += 1;
      const closing = next.trim();
      if (closing.startsWith(marker) && closing.replaceAll(marker.charAt(0), '') === '') break;
      lines.push(withoutIndent(next, indent));
    }
    this.#parts.push({ kind: 'code', tag: tagOf(info), lines, line });
    return true;
  }

  /** Four blanks behind a blank line, beyond the text of the item that the line stands in. */
  #takeIndented(text: string): boolean {
    const before = this.#parts.at(-1);
    const needed = this.#inItem + 4;
    if (!isBlank(before) || indentOf(text) < needed || itemOf(text.trim()) !== null) return false;
    const line = this.#at + 1;
    const lines: string[] = [];
    while (this.#at < this.#lines.length) {
      const next = this.#lines[this.#at] ?? '';
      if (next.trim() !== '' && indentOf(next) < needed) break;
      lines.push(withoutIndent(next, needed));
      this.#at += 1;
    }
    while (lines.at(-1)?.trim() === '') lines.pop();
    this.#parts.push({ kind: 'code', tag: '', lines, line }, { kind: 'text', text: '', line: this.#at });
    return true;
  }
}

function isBlank(part: PagePart | undefined): boolean {
  return part === undefined || (part.kind === 'text' && part.text === '');
}

function withoutQuote(line: string, isQuoted = true): string {
  return isQuoted ? line.replace(/^ {0,3}>[> ]{0,20}/, '') : line;
}

function isRule(body: string): boolean {
  return (
    /^(?:-[ -]*-[ -]*-|\*[ *]*\*[ *]*\*|_[ _]*_[ _]*_)$/.test(body) || (/^[|:\- ]+$/.test(body) && !isTableRule(body))
  );
}

function indentOf(text: string): number {
  const white = text.length - text.trimStart().length;
  return text.slice(0, white).replaceAll('\t', '    ').length;
}

function withoutIndent(text: string, columns: number): string {
  const expanded = text.startsWith('\t') ? text.replace(/^\t+/, (tabs) => '    '.repeat(tabs.length)) : text;
  const white = expanded.length - expanded.trimStart().length;
  return expanded.slice(Math.min(white, columns)).trimEnd();
}

function headingOf(
  text: string,
  next: string,
): { readonly level: number; readonly text: string; readonly isUnderlined: boolean } | null {
  const [, hashes, rest] = /^ {0,3}(#{1,6})[ \t]+(\S.*)$/.exec(text) ?? [];
  if (hashes !== undefined && rest !== undefined)
    return { level: hashes.length, text: rest.replace(/[ \t]#+[ \t]*$/, '').trim(), isUnderlined: false };
  const body = text.trim();
  if (/^(?:={3,}|-{3,})[ \t]*$/.test(next) && /^\p{L}/u.test(body))
    return { level: next.startsWith('=') ? 1 : 2, text: body, isUnderlined: true };
  const bold = /^(?:\*\*|__)([^*_]{1,100})(?:\*\*|__):?$/.exec(body)?.[1];
  return bold === undefined ? null : { level: 7, text: bold.trim(), isUnderlined: false };
}

function itemOf(body: string): { readonly ordered: boolean; readonly checkbox: boolean; readonly text: string } | null {
  const [, marker, rest = ''] = /^(\d{1,9}[.)]|[-*+•])[ \t]+(\S.*)$/.exec(body) ?? [];
  if (marker === undefined) return null;
  const text = rest.replace(/^\[[ xX]?\][ \t]+/, '');
  return { ordered: /^\d/.test(marker), checkbox: text !== rest, text };
}

function tagOf(info: string): string {
  return /^[\w+#.-]*/.exec(info.trim().replace(/^\{?\.?/, ''))?.[0].toLowerCase() ?? '';
}
