/** What commonmark.js, the reference implementation, says about a document, and where it differs from its specification. */

import type { Node } from 'commonmark';
import { Parser } from 'commonmark';

/** Comparable by JSON: kind, then what is compared. */
export type Fact = readonly (string | number)[];

/** The insides of commonmark.js that the oracle looks at or puts right. */
interface Internals {
  processInlines: () => void;
  blockStarts: ((parser: Internals, container: unknown) => number)[];
  readonly currentLine: string;
  readonly nextNonspace: number;
  readonly inlineParser: InlineParser;
}
interface InlineParser {
  readonly subject: string;
  readonly pos: number;
  spnl: (this: InlineParser) => boolean;
  match: (this: InlineParser, pattern: RegExp) => string | null;
  parseLinkDestination: (this: InlineParser) => string | null;
}
interface BlockNode extends Node {
  readonly _string_content: string;
  readonly _isFenced: boolean;
  readonly _htmlBlockType?: number;
}

function showsInternals(parser: Parser): parser is Parser & Internals {
  return 'blockStarts' in parser && 'inlineParser' in parser && 'processInlines' in parser;
}

function isBlockNode(node: Node): node is BlockNode {
  return '_string_content' in node && '_isFenced' in node;
}

/** One way in which commonmark.js leaves the text of the specification, and the change that puts it right. */
export interface Correction {
  readonly name: string;
  readonly rule: string;
  readonly text?: (text: string) => string;
  readonly undo?: (text: string) => string;
  readonly parser?: (parser: Internals) => void;
}

/** Not white space to CommonMark, but `\s`, a line end to `.`, or trimmed by `trim()` in JavaScript. */
const UNUSUAL = '\f\v\u00a0\u2028\u2029\ufeff';
const STAND_IN = '\ue000\ue001\ue002\ue003\ue004\ue005';

export const CORRECTIONS: readonly Correction[] = [
  {
    name: 'unusual white space',
    rule: 'sections 2.1 and 4: only spaces and tabs are white space within a line; a destination holds no controls',
    text: (text) => replaced(text, UNUSUAL, STAND_IN),
    undo: (text) => replaced(text, STAND_IN, UNUSUAL),
    parser: ({ inlineParser }) => {
      const original = inlineParser.parseLinkDestination;
      inlineParser.parseLinkDestination = function destination(): string | null {
        const start = this.pos;
        const found = original.call(this);
        const raw = this.subject.slice(start, this.pos);
        return raw.startsWith('<') || !/[\ue000\ue001]/.test(raw) ? found : null;
      };
    },
  },
  {
    name: 'tab in a link reference definition',
    rule: 'section 4.7: the parts are separated by "spaces or tabs"',
    parser: ({ inlineParser }) => {
      const original = inlineParser.match;
      inlineParser.spnl = function gap(): boolean {
        original.call(this, /^[ \t]*(?:\n[ \t]*)?/);
        return true;
      };
      inlineParser.match = function match(pattern: RegExp): string | null {
        return original.call(this, pattern.source === '^ *(?:\\n|$)' ? /^[ \t]*(?:\n|$)/ : pattern);
      };
    },
  },
  {
    name: 'pre, script, style, textarea as HTML of kind 7',
    rule: 'section 4.6: start condition 7 excludes these names',
    parser: (parser) => {
      const html = 3;
      const original = parser.blockStarts[html];
      parser.blockStarts = parser.blockStarts.with(html, (self, container) => {
        const rest = self.currentLine.slice(self.nextNonspace);
        if (/^<\/?(?:pre|script|style|textarea)(?![a-z0-9-])/i.test(rest) && !/^<[a-z]+(?:[ \t>]|$)/i.test(rest))
          return 0;
        return original?.(self, container) ?? 0;
      });
    },
  },
];

/** Top-level headings, fences and comment blocks of `text`, as commonmark.js sees them with `corrections` applied. */
export function commonmarkFacts(text: string, corrections: readonly Correction[] = []): Fact[] {
  const parser = new Parser();
  if (!showsInternals(parser)) throw new Error('this version of commonmark is built differently');
  // Raw text is compared, and inline parsing would throw it away.
  parser.processInlines = () => undefined;
  for (const correction of corrections) correction.parser?.(parser);
  const input = corrections.reduce((current, { text: change }) => change?.(current) ?? current, text);
  const lines = input.split('\n');
  const facts: Fact[] = [];
  for (let node = parser.parse(input).firstChild; node !== null; node = node.next) {
    const fact = isBlockNode(node) ? factOf(node, lines) : null;
    if (fact !== null) facts.push(fact);
  }
  const undo = (value: string): string =>
    corrections.reduce((current, { undo: change }) => change?.(current) ?? current, value);
  return facts.map((fact) => {
    const whole = fact.map((value) => (typeof value === 'string' ? undo(value) : value));
    // A comment's text is trimmed, also of white space that a correction had stood in for.
    return fact[0] === 'comment' ? whole.map((value) => (typeof value === 'string' ? value.trim() : value)) : whole;
  });
}

function factOf(node: BlockNode, lines: readonly string[]): Fact | null {
  const [[line], [endLine]] = node.sourcepos;
  if (node.type === 'heading') {
    // The position of a setext heading includes the definitions above it, so its first line is counted from its last.
    const text = node._string_content;
    const setext = text.endsWith('\n');
    const first = setext ? endLine - (text.split('\n').length - 1) : line;
    const style = setext ? 'setext' : 'atx';
    return [
      'heading',
      style,
      node.level,
      text.replace(/^[ \t\n]+|[ \t\n]+$/g, ''),
      first,
      columnOf(lines, first),
      endLine,
    ];
  }
  if (node.type === 'code_block' && node._isFenced) {
    const raw = /^[ \t]*(?:`+|~+)[ \t]*(.*?)[ \t]*$/s.exec(lines[line - 1] ?? '')?.[1] ?? '';
    const content = (node.literal ?? '').replace(/\n$/, '');
    return ['fence', raw.replaceAll('\0', '\ufffd'), node.info ?? '', content, line, columnOf(lines, line), endLine];
  }
  if (node.type === 'html_block' && node._htmlBlockType === 2) {
    const match = /^<!--(?:-?>|(?<text>.*?)(?:-->|$))/s.exec((node.literal ?? '').trimStart());
    return ['comment', (match?.groups?.['text'] ?? '').trim(), line, columnOf(lines, line), endLine];
  }
  return null;
}

function columnOf(lines: readonly string[], line: number): number {
  return (lines[line - 1] ?? '').search(/[^ \t]/) + 1;
}

function replaced(text: string, from: string, to: string): string {
  let result = text;
  for (let index = 0; index < from.length; index += 1) result = result.replaceAll(from.charAt(index), to.charAt(index));
  return result;
}

/** An info string as commonmark.js reports it: trimmed, backslash escapes and entities resolved. */
export function resolvedInfo(info: string): string {
  if (!/[\\&\s]/.test(info)) return info;
  const fence = new Parser().parse(`~~~ ${info}`).firstChild;
  return fence?.info ?? '';
}
