import { closeSync, openSync, readSync } from 'node:fs';
import path from 'node:path';
import { RunbookError } from '../core/errors.ts';
import { codeOf } from '../core/failures.ts';

const WHY: Readonly<Record<string, readonly [what: string, fix: string]>> = {
  ENOENT: ['is not there', 'Check the path.'],
  ENOTDIR: ['is not there', 'Check the path: a part of it is a file.'],
  EISDIR: ['is a folder', 'Name a file in it.'],
  EACCES: ['may not be read', 'Check its permissions, and those of its folders.'],
};

/**
 * The text of a file, pipe or device that the user names, up to `maxBytes`; the final newline is not part of it.
 * @throws RunbookError `not-found`, `usage` (larger, not UTF-8); `label` says what named it
 */
export function readTextFile(file: string, cwd: string, label: string, maxBytes: number): string {
  let bytes: Buffer;
  try {
    bytes = readUpTo(path.resolve(cwd, file), maxBytes + 1);
  } catch (error) {
    const [what, fix] = WHY[codeOf(error)] ?? [
      `cannot be read (${codeOf(error)})`,
      'Check the path and its permissions.',
    ];
    throw new RunbookError('not-found', `${label}: ${file} ${what}.`, { fix, cause: error });
  }
  if (bytes.length > maxBytes) {
    const fix = 'Name the file that holds just this.';
    throw new RunbookError('usage', `${label}: ${file} is larger than ${Math.floor(maxBytes / 1024)} KiB.`, { fix });
  }
  try {
    return new TextDecoder('utf8', { fatal: true }).decode(bytes).replace(/\r?\n$/, '');
  } catch (error) {
    throw new RunbookError('usage', `${label}: ${file} is not UTF-8 text.`, {
      fix: label.startsWith('--env ')
        ? 'Variables are text; give the path of a binary file instead of its content.'
        : 'Name a text file, or save it as UTF-8.',
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
