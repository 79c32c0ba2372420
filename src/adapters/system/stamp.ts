import type { BigIntStats } from 'node:fs';

/** Tells one state of one file from any other, as far as the file system does. */
export function stampOf({ dev, ino, size, mtimeNs }: BigIntStats): string {
  return [dev, ino, size, mtimeNs].join('-');
}
