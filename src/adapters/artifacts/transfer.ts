/** One file on its way out of the work folder: text through the masker, anything else as it is. */
import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import type { MaskStream } from '../../core/ports.ts';

/** What is looked at to tell text from other files. */
const HEAD_BYTES = 64 * 1024;
const CHUNK_BYTES = 256 * 1024;

export interface Transferred {
  readonly bytes: number;
  readonly digest: string;
  readonly masked: boolean;
}

/**
 * @param maxBytes how much may be written
 * @returns null when it is more than that
 * @throws system errors, and what the masker throws: then nothing of it may be kept
 */
export async function transfer(
  source: FileHandle,
  target: FileHandle,
  maxBytes: number,
  mask: () => MaskStream,
): Promise<Transferred | null> {
  const digest = createHash('sha256');
  let bytes = 0;
  const write = async (chunk: Buffer): Promise<boolean> => {
    bytes += chunk.length;
    if (bytes > maxBytes) return false;
    digest.update(chunk);
    for (let done = 0; done < chunk.length;) done += (await target.write(chunk, done)).bytesWritten;
    return true;
  };

  const head = await readUpTo(source, HEAD_BYTES);
  const stream = isText(head, head.length < HEAD_BYTES) ? mask() : null;
  for (let chunk = head; chunk.length > 0; chunk = await readUpTo(source, CHUNK_BYTES)) {
    if (!(await write(stream === null ? chunk : stream.write(chunk)))) return null;
  }
  if (stream !== null && !(await write(stream.end()))) return null;
  return { bytes, digest: digest.digest('hex'), masked: stream !== null };
}

/** Whether a file that begins like this is text: UTF-8 without NUL. Where it goes on, its last character may be cut. */
export function isText(head: Buffer, isWhole: boolean): boolean {
  if (head.includes(0)) return false;
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(head, { stream: !isWhole });
    return true;
  } catch {
    return false;
  }
}

/** A buffer of its own each time: a masker may hold on to the last one. */
async function readUpTo(source: FileHandle, max: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(max);
  let length = 0;
  while (length < max) {
    const { bytesRead } = await source.read(buffer, length, max - length, null);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return buffer.subarray(0, length);
}
