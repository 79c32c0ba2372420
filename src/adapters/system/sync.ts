/** What is to be there after a crash, too. */
import { closeSync, fsyncSync, openSync } from 'node:fs';
import { codeOf } from '../../core/failures.ts';

/** Makes what was written into a file durable. @throws Error of the system */
export function syncFile(path: string): void {
  sync(path, 'r+');
}

/** Makes new names in a folder durable; some file systems cannot do that, and need not. @throws Error of the system */
export function syncFolder(path: string): void {
  try {
    sync(path, 'r');
  } catch (error) {
    if (codeOf(error) !== 'EINVAL') throw error;
  }
}

function sync(path: string, flags: 'r' | 'r+'): void {
  const fd = openSync(path, flags);
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
