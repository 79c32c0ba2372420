/**
 * The block structure of a markdown document as CommonMark 0.31 sees it, as far as a runbook needs it: which top-level
 * headings and fences there are, and where.
 */

import { Scanner } from './scanner.ts';

export interface Heading {
  readonly type: 'heading';
  readonly level: 1 | 2 | 3 | 4 | 5 | 6;
  /** Raw inline text, closing `#`s and outer white space removed. */
  readonly text: string;
  readonly style: 'atx' | 'setext';
  /** First line, from 1. */
  readonly line: number;
  readonly column: number;
  /** Last line (a setext heading has at least two). */
  readonly endLine: number;
}

export interface Fence {
  readonly type: 'fence';
  /** Info string, trimmed: `yaml`, `bash`, … */
  readonly info: string;
  /** Lines of the content joined by `\n`, without a final newline; the fence's indentation removed. */
  readonly content: string;
  readonly line: number;
  readonly column: number;
  /** Line of the closing fence, or the last line of the document for an unclosed one. */
  readonly endLine: number;
  readonly closed: boolean;
}

/** A block of HTML that starts with a comment. */
export interface Comment {
  readonly type: 'comment';
  /** What stands between the first `<!--` and `-->`, trimmed. */
  readonly text: string;
  readonly line: number;
  readonly column: number;
  /** Line with the first `-->`, or the last line of the document. */
  readonly endLine: number;
}

/** Where raw HTML begins that is not one whole comment, also inside of quotes and lists: it may hide what follows. */
export interface Html {
  readonly type: 'html';
  readonly line: number;
  readonly column: number;
}

/**
 * A line nests more than `MAX_DEPTH` quotes and list items. The scan ends there, so it is always the last block: what
 * follows is unknown, and a caller must refuse the document.
 */
export interface TooDeep {
  readonly type: 'too-deep';
  readonly line: number;
  readonly column: number;
}

export type Block = Heading | Fence | Comment | Html | TooDeep;

/**
 * Top-level headings, fences and comments of `text`, in order, and where HTML begins anywhere. Headings and fences inside
 * quotes, lists and HTML are not top-level.
 * Lines end in `\n`: the caller has replaced or refused `\r`, which CommonMark takes for a line ending as well.
 * NUL is read as U+FFFD (section 2.3). Never throws; linear in the length of `text`.
 */
export function scanBlocks(text: string): readonly Block[] {
  const lines = text.replaceAll('\0', '\uFFFD').split('\n');
  if (lines.at(-1) === '') lines.pop();
  return new Scanner(lines).run();
}
