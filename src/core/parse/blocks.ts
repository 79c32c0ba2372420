/**
 * The block structure of a markdown document as CommonMark 0.31 sees it, as far as a runbook needs it: which top-level
 * headings and fences there are, and where.
 */

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

export type Block = Heading | Fence;

/** Top-level headings and fences of `text` (lines end in `\n`), in order. Those inside quotes, lists and HTML are not top-level. */
export declare function scanBlocks(text: string): readonly Block[];
