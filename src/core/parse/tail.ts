/** What stands behind `# History`. The tail holds output of any size, so it is read as text only when a line gives cause. */
import { type Block, scanBlocks } from '../markdown/blocks.ts';
import { decodeText, type SplitDocument } from './history.ts';
import { type Problems, quote } from './problems.ts';
import { TailSkim } from './tail-skim.ts';

/** A line that may be a top-level H1: `# …`, or the underline of one. */
const H1_CANDIDATE = /^ {0,3}(?:#(?:[ \t]|$)|=+[ \t]*$)/m;

export interface Tail {
  /** Lines of the tail, the first of which is `# History` itself; none where nothing in them bears on the document. */
  readonly lines: readonly string[];
  readonly firstLine: number;
  /** Blocks of the tail, scanned at the first call. Lines count from the tail's own first line. */
  blocks(): readonly Block[];
}

/** What there is to say of it is the same as of `wholeTail`. */
export function readTail(document: SplitDocument): Tail {
  return bearsNothing(document) ? { lines: [], firstLine: 1, blocks: () => [] } : wholeTail(document);
}

export function wholeTail(document: SplitDocument): Tail {
  const text = decodeText(document.tailBytes);
  let blocks: readonly Block[] | null = null;
  return {
    lines: text === '' ? [] : text.split('\n'),
    firstLine: document.history?.line ?? 1,
    blocks: () => (blocks ??= scanBlocks(text)),
  };
}

function bearsNothing({ tailBytes, headingBytes }: SplitDocument): boolean {
  const behind = tailBytes.subarray(headingBytes);
  const skim = new TailSkim();
  skim.take(Buffer.from(behind.buffer, behind.byteOffset, behind.length));
  return skim.isClean;
}

/** `# History` is the last section: any other top-level H1 behind it is an error. Output stands in fences. */
export function checkTail(tail: Tail, problems: Problems): void {
  // The heading itself is a candidate as well.
  const candidate = tail.lines.slice(1).some((line) => H1_CANDIDATE.test(line));
  if (!candidate) return;
  for (const block of tail.blocks()) {
    if (block.type === 'too-deep') {
      const at = { line: tail.firstLine + block.line - 1, column: block.column };
      problems.add('nesting-too-deep', at, 'Quotes and lists are nested too deep to be read.', 'Write it flat.');
    }
    if (block.type !== 'heading' || block.level !== 1 || block.line === 1) continue;
    problems.add(
      'section-after-history',
      { line: tail.firstLine + block.line - 1, column: block.column },
      `The section ${quote(block.text)} stands behind \`# History\`.`,
      'Move it before `# History`: entries are appended at the end of the document.',
    );
  }
}
