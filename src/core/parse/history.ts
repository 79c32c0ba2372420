/** Where a document ends and its history begins. The history may be large and is not read unless it must be. */
import { isAscii } from 'node:buffer';
import { hash } from 'node:crypto';
import { type Block, type Heading, scanBlocks } from '../markdown/blocks.ts';

export const MAX_HEAD_BYTES = 1024 * 1024;
/** With no more of a document, its history is found as with all of it. */
export const MAX_SPLIT_BYTES = MAX_HEAD_BYTES + 256;

export interface SplitDocument {
  /** Of the text before `# History`, without BOM. */
  readonly lines: readonly string[];
  readonly blocks: readonly Block[];
  readonly history: Heading | null;
  readonly historyOffset: number | null;
  /** Bytes before `# History`, the ground of the digest. */
  readonly headBytes: Uint8Array;
  /** From the heading on; empty without a history. */
  readonly tailBytes: Uint8Array;
  /** How many of these are the heading itself, with the end of its line. */
  readonly headingBytes: number;
  readonly digest: string;
  readonly tooLarge: boolean;
}

/** Headings, fences and comments of a head, and its lines: each costs time, and no person reads so many. */
export const MAX_BLOCKS = 10_000;
export const MAX_LINES = 20_000;

const HISTORY_CANDIDATE = /^ {0,3}#[ \t]+History[^\n]*/m;

/** Splits at the first top-level `# History`. Of a head above `MAX_HEAD_BYTES` only the beginning is looked at. */
export function splitDocument(bytes: Uint8Array): SplitDocument {
  const prefix = decodeText(bytes.subarray(0, MAX_SPLIT_BYTES));
  const { blocks: found, history } = findHistory(prefix);
  const blocks = history === null ? found : found.slice(0, found.indexOf(history));
  const offset = history === null ? null : lineOffset(bytes, history.line);
  const headBytes = offset === null ? bytes : bytes.subarray(0, offset);
  const tailBytes = offset === null ? bytes.subarray(bytes.length) : bytes.subarray(offset);
  const headingLines = history === null ? 0 : history.endLine - history.line + 1;
  const allLines = prefix.split('\n');
  const lines = history === null ? allLines : allLines.slice(0, history.line - 1);
  const tooLarge = headBytes.length > MAX_HEAD_BYTES || blocks.length > MAX_BLOCKS || lines.length > MAX_LINES;
  return {
    lines,
    blocks,
    history,
    historyOffset: offset,
    headBytes,
    tailBytes,
    headingBytes: lineOffset(tailBytes, headingLines + 1),
    digest: hash('sha256', headBytes),
    tooLarge,
  };
}

/**
 * Whether this head had that digest, also before its first entry came: the last line of a document may have no end, and an
 * entry begins on a line of its own.
 */
export function hadDigest(head: Uint8Array, digest: string): boolean {
  const before = head.at(-1) === 0x0a ? head.subarray(0, -1) : head;
  return [head, before].some((bytes) => hash('sha256', bytes) === digest);
}

const DECODER = new TextDecoder('utf-8', { ignoreBOM: false });

function latin1Of({ buffer, byteOffset, length }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, length).toString('latin1');
}

/** UTF-8 text without BOM; CRLF is LF; a CR alone, which is an error in a head, keeps its line as a blank. */
export function decodeText(bytes: Uint8Array): string {
  const text = isAscii(bytes) ? latin1Of(bytes) : DECODER.decode(bytes);
  return text.includes('\r') ? text.replaceAll('\r\n', '\n').replaceAll('\r', ' ') : text;
}

/**
 * Scans up to the first line that looks like the heading, and all of `text` only when that line is not one (it stands
 * in a fence, say). A block before a line is the same whatever follows the line.
 */
function findHistory(text: string): { readonly blocks: readonly Block[]; readonly history: Heading | null } {
  const candidate = HISTORY_CANDIDATE.exec(text);
  if (candidate !== null) {
    const blocks = scanBlocks(text.slice(0, candidate.index + candidate[0].length));
    const history = blocks.find(isHistory);
    if (history !== undefined) return { blocks, history };
  }
  const blocks = scanBlocks(text);
  return { blocks, history: blocks.find(isHistory) ?? null };
}

function isHistory(block: Block): block is Heading {
  return block.type === 'heading' && block.level === 1 && block.text === 'History';
}

/** Byte offset of a line: what `\n` counts, CRLF has as well. */
function lineOffset(bytes: Uint8Array, line: number): number {
  let offset = 0;
  for (let current = 1; current < line; current += 1) {
    const end = bytes.indexOf(0x0a, offset);
    if (end === -1) return bytes.length;
    offset = end + 1;
  }
  return offset;
}
