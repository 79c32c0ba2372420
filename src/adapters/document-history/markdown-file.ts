/** The history in the document itself: one write at its end, synced; never a rewrite, never a rename. See ADR 0005. */
import type { Stats } from 'node:fs';
import { closeSync, constants, fdatasyncSync, fstatSync, lstatSync, openSync, readSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { MAX_ENTRY_BYTES, renderEntry } from '../../core/history/document-entry.ts';
import { entriesOf, isTorn, jointAfter } from '../../core/history/document-history.ts';
import { linesOfChunks } from '../../core/history/lines.ts';
import { RunbookError } from '../../core/errors.ts';
import { codeOf } from '../../core/failures.ts';
import { MAX_SPLIT_BYTES, splitDocument } from '../../core/parse/history.ts';
import type { DocumentHistory } from '../../core/ports.ts';
import { stampOf } from '../system/stamp.ts';
import { findWorkTree } from '../system/work-tree.ts';

const { O_APPEND, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_RDWR } = constants;

const CHUNK_BYTES = 32 * 1024;
const SETTLE_MS = 50;
/** A second: on a busy machine a writer may stand still in the middle of its entry for longer than one look. */
const SETTLED_LOOKS = 20;
const MOST_LOOKS = 200;

/** `ci`: this process runs in a pipeline, so `auto` leaves documents alone. */
export function createMarkdownHistory({ ci }: { readonly ci: boolean }): DocumentHistory {
  return {
    async decide(mode, documentPath) {
      if (mode === 'file') {
        closeSync(openDocument(documentPath));
        return { mode, reason: null };
      }
      if (mode !== 'auto') return { mode, reason: null };
      const reason = reasonAgainst(documentPath, ci);
      return { mode: reason === null ? 'file' : 'ledger', reason };
    },

    async append({ path, hasHistory, stamp }, entry) {
      const text = renderEntry(entry);
      const fd = openDocument(path);
      try {
        const tail = await settledTail(fd);
        // From here to the write nothing is awaited, so runs of one process cannot both add the heading.
        const isSame = stampOf(fstatSync(fd, { bigint: true })) === stamp;
        const joint = (isSame ? hasHistory : historyOffset(fd) !== null) ? jointAfter(tail) : headingAfter(tail);
        writeWhole(fd, path, joint + text);
      } finally {
        closeSync(fd);
      }
    },

    async has(documentPath, runId) {
      const fd = openDocument(documentPath, O_RDONLY);
      try {
        const offset = historyOffset(fd);
        if (offset === null) return false;
        for (const entry of entriesOf(linesOfChunks(chunksFrom(fd, offset))))
          if (entry.origin === 'runbook' && entry.facts.run === runId) return true;
        return false;
      } finally {
        closeSync(fd);
      }
    },

    async isGone(documentPath) {
      try {
        lstatSync(documentPath);
        return false;
      } catch (error) {
        return ['ENOENT', 'ENOTDIR'].includes(codeOf(error));
      }
    },
  };
}

/** One sentence, or null where `auto` may write into the document. */
function reasonAgainst(path: string, ci: boolean): string | null {
  if (ci) return 'This is a CI job, so the run is recorded in the ledger and the document is left as it is.';
  if (findWorkTree(dirname(path)) !== null) {
    return 'The document is inside a git work tree, so the run is recorded in the ledger and the document is left as it is.';
  }
  try {
    closeSync(openDocument(path));
    return null;
  } catch (error) {
    if (!(error instanceof RunbookError)) throw error;
    return 'The document cannot be written, so the run is recorded in the ledger only.';
  }
}

/** Opens for reading the end and appending; `path` has its links resolved, so a link there now was put there since. */
function openDocument(path: string, how: number = O_RDWR | O_APPEND): number {
  let fd: number | null = null;
  try {
    fd = openSync(path, how | O_NOFOLLOW | O_NONBLOCK);
    const stats: Stats = fstatSync(fd);
    if (!stats.isFile()) throw new Error('not a regular file');
    return fd;
  } catch (error) {
    if (fd !== null) closeSync(fd);
    const [done, able] = how === O_RDONLY ? ['read', 'readable'] : ['written', 'writable'];
    throw new RunbookError('io', `The document ${path} cannot be ${done}${reasonOf(error)}.`, {
      fix: `Make it a ${able} file, or keep the history elsewhere with --history ledger.`,
      cause: error,
    });
  }
}

/**
 * The end of the file. An entry counts as torn only when it stays so: another process may just be writing it, and closing
 * off what is whole a moment later would put the next entry into a fence.
 */
async function settledTail(fd: number): Promise<string> {
  let tail = tailOf(fd);
  for (let looks = 0, same = 0; isTorn(tail) && same < SETTLED_LOOKS && looks < MOST_LOOKS; looks += 1) {
    await setTimeout(SETTLE_MS);
    const later = tailOf(fd);
    same = later === tail ? same + 1 : 0;
    tail = later;
  }
  return tail;
}

/** The end of the file, enough to see an entry that is torn there. */
function tailOf(fd: number): string {
  const { size } = fstatSync(fd);
  return readFrom(fd, Math.max(0, size - MAX_ENTRY_BYTES - 4096)).toString('utf8');
}

/** Where `# History` begins: only the head of a document is looked at, however large its history is. */
function historyOffset(fd: number): number | null {
  return splitDocument(readFrom(fd, 0, MAX_SPLIT_BYTES)).historyOffset;
}

/** No blank line before it: the bytes above, and with them the digest, stay as they are where the last line has its end. */
function headingAfter(tail: string): string {
  return `${tail === '' || tail.endsWith('\n') ? '' : '\n'}# History\n\n`;
}

function readFrom(fd: number, position: number, most = Infinity): Buffer {
  const bytes = Buffer.alloc(Math.min(most, Math.max(0, fstatSync(fd).size - position)));
  let length = 0;
  for (let read = -1; read !== 0 && length < bytes.length; length += read) {
    read = readSync(fd, bytes, length, bytes.length - length, position + length);
  }
  return bytes.subarray(0, length);
}

/** Up to the end; each holds until the next one is asked for. */
function* chunksFrom(fd: number, position: number): Generator<Uint8Array> {
  const bytes = Buffer.alloc(CHUNK_BYTES);
  for (let at = position; ;) {
    const read = readSync(fd, bytes, 0, bytes.length, at);
    if (read === 0) return;
    yield bytes.subarray(0, read);
    at += read;
  }
}

/**
 * One write; what a short one leaves over is written at once. Where that fails too the document keeps a torn entry,
 * which the next one closes off: cutting the file back could cut off what somebody else has appended meanwhile.
 */
function writeWhole(fd: number, path: string, text: string): void {
  const bytes = Buffer.from(text);
  let written = 0;
  try {
    while (written < bytes.length) written += writeSync(fd, bytes, written);
    fdatasyncSync(fd);
  } catch (error) {
    const state = written === 0 ? 'is unchanged' : 'ends with an incomplete entry, which the next one will close off';
    const message =
      written === bytes.length
        ? `The document ${path} has the entry, but it could not be synced${reasonOf(error)}.`
        : `The entry was not written${reasonOf(error)}; the document ${path} ${state}.`;
    throw new RunbookError('io', message, {
      fix: 'Make room on that disk; the run itself is in the ledger.',
      cause: error,
    });
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return '';
  return 'code' in error && typeof error.code === 'string' ? ` (${error.code})` : ` (${error.message})`;
}
