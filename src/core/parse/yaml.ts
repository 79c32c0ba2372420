/**
 * The one place that reads a yaml block: failsafe schema (text stays text), and nothing of YAML that a reviewer could
 * misread. The result is made of our own plain values, entries as lists, so that no key can mean anything to JavaScript.
 */
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, type ParsedNode, Scalar } from 'yaml';
import type { Fence } from '../markdown/blocks.ts';
import { checkHidden } from './characters.ts';
import { hasControlCharacter } from '../values.ts';
import { type Position, type Problems, quote, type Replacement } from './problems.ts';

interface At {
  readonly at: Position;
}
/** `key:` with nothing after it. */
interface YamlNone extends At {
  readonly kind: 'none';
}
export interface YamlText extends At {
  readonly kind: 'text';
  readonly text: string;
}
export interface YamlList extends At {
  readonly kind: 'list';
  readonly items: readonly YamlValue[];
}
export interface YamlEntry extends At {
  readonly key: string;
  readonly value: YamlValue;
}
export interface YamlMapping extends At {
  readonly kind: 'mapping';
  readonly entries: readonly YamlEntry[];
}
export type YamlValue = YamlNone | YamlText | YamlList | YamlMapping;

const MAX_BLOCK_BYTES = 64 * 1024;
const MAX_DEPTH = 16;
/** What the library may be given: far below its stack, far above `MAX_DEPTH`, since the count before it is rough. */
const MAX_ROUGH_DEPTH = 64;
/** No nesting is deeper than there are opening brackets, whatever quotes hide from the rough count. */
const MAX_BRACKETS = 1000;

/** The block's mapping or list; null when it has problems, all of which are then in `problems`. */
export function readYaml(fence: Fence, problems: Problems): YamlMapping | YamlList | null {
  const at: Position = { line: fence.line, column: fence.column };
  if (fence.content.length > MAX_BLOCK_BYTES || new TextEncoder().encode(fence.content).length > MAX_BLOCK_BYTES) {
    problems.add('yaml-too-large', at, 'The yaml block is larger than 64 KiB.', 'Keep data of this size in a file.');
    return null;
  }
  if (hasControlCharacter(fence.content)) {
    // Reported with the document's characters; the library must not see it.
    problems.add('yaml-syntax', at, 'The yaml block holds a control character.', 'Remove it.');
    return null;
  }
  if (roughDepth(fence.content) > MAX_ROUGH_DEPTH) {
    tooDeep(problems, at);
    return null;
  }
  checkHidden(fence.content, { line: fence.line + 1, column: fence.column }, 'The yaml block', problems);
  const reader = new BlockReader(fence, problems);
  const root = reader.read();
  if (root === null || reader.failed) return null;
  if (root.kind === 'none') return { kind: 'mapping', entries: [], at };
  if (root.kind === 'text') {
    problems.add('yaml-not-mapping', root.at, 'The yaml block is text, not a mapping.', 'Write `name: value` lines.');
    return null;
  }
  return root;
}

class BlockReader {
  failed = false;
  private readonly fence: Fence;
  private readonly problems: Problems;
  private readonly lines = new LineCounter();

  constructor(fence: Fence, problems: Problems) {
    this.fence = fence;
    this.problems = problems;
  }

  read(): YamlValue | null {
    const document = this.parse();
    if (document === null) return null;
    const found = [...document.errors, ...document.warnings];
    for (const { code, message, pos } of found) {
      const at = this.position(pos[0]);
      const first = message.split('\n')[0] ?? '';
      if (code === 'TAG_RESOLVE_FAILED') {
        this.feature(at, 'a tag');
      } else if (code === 'MULTIPLE_DOCS') {
        this.fail(
          'yaml-syntax',
          at,
          'The yaml block holds a second document.',
          'Remove the `---` and put all into one.',
        );
      } else {
        this.fail(
          'yaml-syntax',
          at,
          `The yaml block cannot be read: ${first.replace(/\.$/, '')}.`,
          'Repair its YAML; quote text with `"`.',
          undefined,
          code === 'TAB_AS_INDENT' ? untabbed(this.fence) : null,
        );
      }
    }
    // A directive may change the version of the language, and with it what a value means.
    for (const match of this.fence.content.matchAll(/^%/gm)) this.feature(this.position(match.index), 'a directive');
    if (this.failed) return null;
    return document.contents === null ? { kind: 'none', at: this.position(0) } : this.value(document.contents, 1);
  }

  private parse() {
    try {
      return parseDocument(this.fence.content, {
        schema: 'failsafe',
        version: '1.2',
        merge: false,
        // Checked below; the library compares each key with each.
        uniqueKeys: false,
        strict: true,
        stringKeys: false,
        prettyErrors: false,
        // Anything lower hides a second document.
        logLevel: 'error',
        lineCounter: this.lines,
      });
    } catch {
      this.fail('yaml-syntax', this.position(0), 'The yaml block cannot be read.', 'Write it more simply.');
      return null;
    }
  }

  private value(node: ParsedNode | null, depth: number): YamlValue {
    const at = this.position(node?.range[0] ?? 0);
    if (node === null) return { kind: 'none', at };
    if (depth > MAX_DEPTH) {
      this.failed = true;
      tooDeep(this.problems, at);
      return { kind: 'none', at };
    }
    if (isAlias(node)) return this.feature(at, 'an alias');
    if (node.anchor !== undefined) this.feature(at, 'an anchor');
    if (node.tag !== undefined) this.feature(at, 'a tag');
    if (isScalar(node)) return this.scalar(node, at);
    if (isSeq(node)) return { kind: 'list', at, items: node.items.map((item) => this.value(item, depth + 1)) };
    if (isMap(node)) return this.mapping(node.items, at, depth);
    return this.feature(at, 'a value of an unknown kind');
  }

  private scalar(node: Scalar, at: Position): YamlValue {
    if (node.type === Scalar.PLAIN && (node.source ?? '') === '') return { kind: 'none', at };
    const text = String(node.value);
    if (hasControlCharacter(text) || !text.isWellFormed()) {
      this.fail('yaml-syntax', at, 'The value holds an escaped control character.', 'Remove the escape.');
    }
    checkHidden(text, at, 'The value', this.problems);
    return { kind: 'text', text, at };
  }

  private mapping(
    pairs: readonly { readonly key: ParsedNode | null; readonly value: ParsedNode | null }[],
    at: Position,
    depth: number,
  ): YamlMapping {
    const entries: YamlEntry[] = [];
    const seen = new Set<string>();
    for (const pair of pairs) {
      const key = this.value(pair.key, depth + 1);
      const value = this.value(pair.value, depth + 1);
      if (key.kind !== 'text') {
        if (!this.failed) this.feature(key.at, 'a key that is not text');
      } else if (key.text === '<<') {
        this.feature(key.at, 'a merge key');
      } else if (seen.has(key.text)) {
        this.fail('yaml-duplicate-key', key.at, `The key ${quote(key.text)} appears twice.`, 'Keep one of them.');
      } else {
        seen.add(key.text);
        entries.push({ key: key.text, at: key.at, value: pair.value === null ? { kind: 'none', at: key.at } : value });
      }
    }
    return { kind: 'mapping', entries, at };
  }

  private feature(at: Position, what: string): YamlNone {
    this.fail('yaml-feature', at, `The yaml block uses ${what}.`, 'Write the value out, or quote it with `"`.');
    return { kind: 'none', at };
  }

  private fail(...problem: Parameters<Problems['add']>): void {
    this.failed = true;
    this.problems.add(...problem);
  }

  /** Offset in the block's content → place in the document. */
  private position(offset: number): Position {
    const { line, col } = this.lines.linePos(offset);
    return { line: this.fence.line + Math.max(line, 1), column: this.fence.column - 1 + Math.max(col, 1) };
  }
}

/** Two blanks for each tab, where nothing else is indented otherwise and no text of several lines is in the block. */
function untabbed({ content, line, column }: Fence): Replacement | null {
  const lines = content.split('\n');
  const isPlain = lines.every((text) => !/^\t* +\S|^ +\t|[|>][+-]?\d?[ \t]*$|^\t* +$/.test(text));
  if (!isPlain || column !== 1) return null;
  const text = lines.map((one) => one.replace(/^\t+/, (tabs) => '  '.repeat(tabs.length))).join('\n');
  return { old: content, text, at: { line: line + 1, column: 1 } };
}

function tooDeep(problems: Problems, at: Position): void {
  problems.add('yaml-too-deep', at, 'The yaml block is nested deeper than 16.', 'Write it flat.');
}

const INDICATORS = /^(?:[-?:][ \t]+)*/;

/** Upper bound of the nesting, cheap and without recursion: open brackets, deeper indents, and `- - -` on one line. */
function roughDepth(content: string): number {
  let brackets = 0;
  let opened = 0;
  let deepest = 0;
  const indents: number[] = [];
  for (const line of content.split('\n')) {
    const body = line.trimStart();
    const indent = line.length - body.length;
    while ((indents.at(-1) ?? -1) > indent) indents.pop();
    if (body !== '' && (indents.at(-1) ?? -1) < indent) indents.push(indent);
    const markers = (INDICATORS.exec(body)?.[0] ?? '').replace(/[ \t]/g, '').length;
    deepest = Math.max(deepest, indents.length + markers + brackets);
    for (const character of body) {
      if (character === '[' || character === '{') {
        brackets += 1;
        opened += 1;
      } else if ((character === ']' || character === '}') && brackets > 0) brackets -= 1;
      deepest = Math.max(deepest, indents.length + markers + brackets);
    }
  }
  return opened > MAX_BRACKETS ? Infinity : deepest;
}
