/** Reads as much of a document as says what it is: a history may be a thousand times as long as what stands before it. */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { MAX_SPLIT_BYTES, splitDocument } from '../../core/parse/history.ts';
import { TailSkim } from '../../core/parse/tail-skim.ts';
import { at, O_PATH, rawName } from '../system/descriptors.ts';
import { stampOf } from '../system/stamp.ts';

/** Most documents are smaller, with their history: one read. */
export const SMALL_BYTES = 64 * 1024;
const CHUNK_BYTES = 512 * 1024;
const LF = 0x0a;

/**
 * The document, or its beginning up to the end of the heading `# History` where nothing behind that heading bears on it:
 * what the parser says of both is the same (ADR 56).
 * @param size bytes of the file; of what is appended from now on nothing is looked at
 * @throws system errors
 */
export async function readDocument(handle: FileHandle, size: number): Promise<Buffer> {
  if (size <= SMALL_BYTES) return await handle.readFile();
  const start = await beginningOf(handle, size);
  return start !== null && (await bearsNothing(handle, start.end, size))
    ? Buffer.from(start.bytes.subarray(0, start.end))
    : await handle.readFile();
}

/** Whether the rest of the file, line for line, may be left out; false also where it changes while it is looked at. */
async function bearsNothing(handle: FileHandle, from: number, size: number): Promise<boolean> {
  const skim = new TailSkim();
  const chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  // Lines are looked at whole: the beginning of the last one goes before the next piece.
  let begun = 0;
  for (let position = from; position < size;) {
    const read = await readAt(handle, chunk.subarray(begun), position, size);
    if (read === 0) return false;
    position += read;
    const filled = begun + read;
    const lines = position === size ? filled : chunk.lastIndexOf(LF, filled - 1) + 1;
    if (lines === 0) return false;
    skim.take(chunk.subarray(0, lines));
    if (!skim.isClean) return false;
    chunk.copyWithin(0, lines, filled);
    begun = filled - lines;
  }
  return true;
}

/** Enough of the beginning to know where the history begins, and where its heading ends; null: that is not known. */
async function beginningOf(
  handle: FileHandle,
  size: number,
): Promise<{ readonly bytes: Buffer; readonly end: number } | null> {
  for (const wanted of [SMALL_BYTES, MAX_SPLIT_BYTES]) {
    const buffer = Buffer.allocUnsafeSlow(Math.min(wanted, size));
    const bytes = buffer.subarray(0, await readAt(handle, buffer, 0, size));
    // A heading is one only when its line is there to its end.
    const { historyOffset, headingBytes } = splitDocument(bytes.subarray(0, bytes.lastIndexOf(LF) + 1));
    if (historyOffset !== null) return { bytes, end: historyOffset + headingBytes };
  }
  return null;
}

/** Fills `into` as far as `size` goes. @returns bytes; fewer than that only where the file has become shorter */
async function readAt(handle: FileHandle, into: Buffer, position: number, size: number): Promise<number> {
  const wanted = Math.min(into.length, size - position);
  let filled = 0;
  while (filled < wanted) {
    const { bytesRead } = await handle.read(into, filled, wanted - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return filled;
}

const scratch = Buffer.allocUnsafeSlow(SMALL_BYTES + 1);

/**
 * A small regular file right in a folder, at once: of ten thousand of them each `await` would cost more than all else.
 * Null for whatever is not that, or not to be had: a link, a folder, a large file. Nothing else is opened.
 */
export function readSmall(folder: FileHandle, name: string): { readonly bytes: Buffer; readonly stamp: string } | null {
  const opened: number[] = [];
  try {
    const entry = openSync(at(folder, rawName(name)), O_PATH | constants.O_NOFOLLOW);
    opened.push(entry);
    if (!fstatSync(entry).isFile()) return null;
    const file = openSync(`/proc/self/fd/${entry}`, constants.O_RDONLY | constants.O_NONBLOCK);
    opened.push(file);
    const length = readSync(file, scratch, 0, scratch.length, 0);
    const facts = fstatSync(file, { bigint: true });
    if (length > SMALL_BYTES || BigInt(length) !== facts.size) return null;
    return { bytes: Buffer.from(scratch.subarray(0, length)), stamp: stampOf(facts) };
  } catch {
    return null;
  } finally {
    for (const fd of opened) closeSync(fd);
  }
}
