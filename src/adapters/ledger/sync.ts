import { closeSync, fsyncSync, openSync } from 'node:fs';

/** Makes what was written into a file durable. */
export function syncFile(path: string): void {
  sync(path, 'r+');
}

/** Makes new names in a folder durable. */
export function syncFolder(path: string): void {
  sync(path, 'r');
}

function sync(path: string, flags: 'r' | 'r+'): void {
  const fd = openSync(path, flags);
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
