import { closeSync, openSync, readSync } from 'node:fs';
import path from 'node:path';
import { RunbookError } from '../core/errors.ts';
import { codeOf } from '../core/failures.ts';

/**
 * The text of a file, pipe or device that the user names, up to `maxBytes`; the final newline is not part of it.
 * @throws RunbookError `not-found`, `usage` (larger, not UTF-8); `label` says what named it
 */
export function readTextFile(file: string, cwd: string, label: string, maxBytes: number): string {
  let bytes: Buffer;
  try {
    bytes = readUpTo(path.resolve(cwd, file), maxBytes + 1);
  } catch (error) {
    throw new RunbookError('not-found', `${label}: ${file} cannot be read (${codeOf(error)}).`, {
      fix: 'Check the path and its permissions.',
      cause: error,
    });
  }
  if (bytes.length > maxBytes) {
    const fix = 'Name the file that holds just this.';
    throw new RunbookError('usage', `${label}: ${file} is larger than ${Math.floor(maxBytes / 1024)} KiB.`, { fix });
  }
  try {
    return new TextDecoder('utf8', { fatal: true }).decode(bytes).replace(/\r?\n$/, '');
  } catch (error) {
    throw new RunbookError('usage', `${label}: ${file} is not UTF-8 text.`, {
      fix: 'Variables are text; give the path of a binary file instead of its content.',
      cause: error,
    });
  }
}

function readUpTo(file: string, maxBytes: number): Buffer {
  const descriptor = openSync(file, 'r');
  try {
    const bytes = Buffer.alloc(maxBytes);
    let length = 0;
    for (let read = -1; read !== 0 && length < maxBytes; length += read) {
      read = readSync(descriptor, bytes, length, maxBytes - length, null);
    }
    return bytes.subarray(0, length);
  } finally {
    closeSync(descriptor);
  }
}
