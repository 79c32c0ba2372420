/** A document for a terminal: what marked makes of it, as lines of a width. All text of it is made visible first. */
import { lexer } from 'marked';
import type { MarkedToken, Token, Tokens } from 'marked';
import { widthOf } from '../core/width.ts';
import { inline, printable } from './render.ts';
import type { Style } from './render.ts';
import { fitTable } from './table.ts';

type Paint = (text: string) => string;
interface Piece {
  readonly text: string;
  readonly paint: Paint;
}

const LEAST_WIDTH = 20;
const plain: Paint = (text) => text;

/** @param width columns; code and words that are longer than a line stay whole */
export function renderMarkdown(markdown: string, style: Style, width: number): string {
  return blocks(lexer(markdown), style, Math.max(LEAST_WIDTH, width)).join('\n');
}

/** Lines; one blank between blocks. */
function blocks(tokens: readonly Token[], style: Style, width: number): readonly string[] {
  const lines: string[] = [];
  for (const token of tokens) {
    const next = block(token, style, width);
    if (next.length === 0) continue;
    if (lines.length > 0) lines.push('');
    lines.push(...next);
  }
  return lines;
}

function block(token: Token, style: Style, width: number): readonly string[] {
  const one = known(token);
  switch (one.type) {
    case 'space':
    case 'def':
      return [];
    case 'heading': {
      const bold: Paint = (text) => style.bold(text);
      return wrap([{ text: `${'#'.repeat(one.depth)} `, paint: bold }, ...pieces(one.tokens, style, bold)], width);
    }
    case 'code':
      return code(one, style, width);
    case 'list':
      return list(one, style, width);
    case 'table':
      return table(one, style, width);
    case 'blockquote':
      return blocks(one.tokens, style, width - 2).map((line) => `${style.dim('│')} ${line}`.trimEnd());
    case 'hr':
      return [style.dim('─'.repeat(width))];
    default:
      return wrap(pieces([one], style, plain), width);
  }
}

/** Without extensions, marked makes no other tokens than its own. */
function known(token: Token): MarkedToken {
  // The type has a member for tokens of extensions; there are none here.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return token as MarkedToken;
}

/** Lines as they are, so that they can be copied: what frames them stands above and below. */
function code({ lang = '', text }: Tokens.Code, style: Style, width: number): readonly string[] {
  const name = inline(lang);
  const top = name === '' ? '──' : `── ${name} `;
  return [
    style.dim(top + '─'.repeat(Math.max(0, width - widthOf(top)))),
    ...printable(text)
      .split('\n')
      .map((line) => `  ${line}`.trimEnd()),
    style.dim('─'.repeat(width)),
  ];
}

function list({ ordered, start, items, loose }: Tokens.List, style: Style, width: number): readonly string[] {
  const first = Number(start) || (ordered ? 1 : 0);
  const lines: string[] = [];
  for (const [index, item] of items.entries()) {
    const box = item.task ? (item.checked === true ? '[x] ' : '[ ] ') : '';
    const mark = `${ordered ? `${first + index}.` : '•'} ${box}`;
    const inner = itemLines(item, style, width - widthOf(mark));
    if (loose && index > 0) lines.push('');
    lines.push(...inner.map((line, number) => `${number === 0 ? mark : ' '.repeat(widthOf(mark))}${line}`.trimEnd()));
    if (inner.length === 0) lines.push(mark.trimEnd());
  }
  return lines;
}

/** Of a tight list no blank lines. */
function itemLines({ tokens, loose }: Tokens.ListItem, style: Style, width: number): readonly string[] {
  const shown = tokens.filter(({ type }) => type !== 'checkbox');
  return loose ? blocks(shown, style, width) : shown.flatMap((token) => block(token, style, width));
}

function table({ header, rows }: Tokens.Table, style: Style, width: number): readonly string[] {
  const text = (cell: Tokens.TableCell): string =>
    pieces(cell.tokens, style, plain)
      .map((one) => one.text.replaceAll('\n', ' '))
      .join('');
  const all = [header, ...rows].map((row) => row.map(text));
  const cut = Object.fromEntries(header.map((_, column) => [column, 8]));
  const [head = '', ...rest] = fitTable(all, width, cut);
  return [style.bold(head), style.dim('─'.repeat(Math.max(widthOf(head), ...rest.map(widthOf)))), ...rest];
}

function pieces(tokens: readonly Token[], style: Style, paint: Paint): readonly Piece[] {
  return tokens.flatMap((token): readonly Piece[] => {
    const one = known(token);
    switch (one.type) {
      case 'strong':
        return pieces(one.tokens, style, (text) => style.bold(text));
      case 'codespan':
        return [{ text: inline(`\`${one.text}\``), paint: (text) => style.green(text) }];
      case 'br':
        return [{ text: '\n', paint: plain }];
      case 'link':
      case 'image': {
        const shown = one.type === 'image' ? [piece(`[image: ${one.text}]`, paint)] : pieces(one.tokens, style, paint);
        const isSame = shown.map((part) => part.text).join('') === inline(one.href);
        const address: Piece = { text: ` <${inline(one.href)}>`, paint: (text) => style.dim(text) };
        return isSame ? shown : [...shown, address];
      }
      default:
        // Also raw HTML, which is shown as it is written.
        return 'tokens' in one && one.tokens !== undefined
          ? pieces(one.tokens, style, paint)
          : [piece('text' in one ? one.text : one.raw, paint)];
    }
  });
}

function piece(text: string, paint: Paint): Piece {
  return { text: printable(resolved(text)), paint };
}

const NAMED: ReadonlyMap<string, string> = new Map([
  ['amp', '&'],
  ['lt', '<'],
  ['gt', '>'],
  ['quot', '"'],
  ['apos', "'"],
  ['nbsp', ' '],
]);

/** Marked leaves entities to a browser. */
function resolved(text: string): string {
  return text.replaceAll(/&(?:#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6})|([a-z]{2,4}));/g, (whole, decimal, hex, name) => {
    if (typeof name === 'string') return NAMED.get(name) ?? whole;
    const point = typeof decimal === 'string' ? Number(decimal) : Number.parseInt(String(hex), 16);
    return point > 0 && point <= 0x10ffff && !(point >= 0xd800 && point < 0xe000)
      ? String.fromCodePoint(point)
      : '\ufffd';
  });
}

/** Words into lines. A line feed in a piece (a hard break) ends a line, one in a text is a blank. */
function wrap(all: readonly Piece[], width: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  let used = 0;
  let word: Piece[] = [];
  const put = (): void => {
    const columns = word.reduce((sum, { text }) => sum + widthOf(text), 0);
    if (columns === 0) return;
    if (used > 0 && used + 1 + columns > width) {
      lines.push(line);
      [line, used] = ['', 0];
    }
    line += (used > 0 ? ' ' : '') + word.map(({ text, paint }) => paint(text)).join('');
    used += (used > 0 ? 1 : 0) + columns;
    word = [];
  };
  for (const { text, paint } of all) {
    if (text === '\n') {
      put();
      lines.push(line);
      [line, used] = ['', 0];
      continue;
    }
    for (const part of text.split(/(\s+)/)) {
      if (part === '') continue;
      if (/^\s/.test(part)) put();
      else word.push({ text: part, paint });
    }
  }
  put();
  return line === '' ? lines : [...lines, line];
}
