/** What is left of a file system. */
import type { StatsFs } from 'node:fs';
import { statfs } from 'node:fs/promises';
import path from 'node:path';
import { codeOf } from '../../core/failures.ts';

/**
 * Without the blocks that only root may take: they are for repairs. Quotas are not in it: where one is hit, the write says so.
 * @returns null for a file system that counts nothing (some network file systems, a tmpfs without a size)
 */
export function freeBytesOf({ bavail, blocks, bsize }: StatsFs): number | null {
  return blocks === 0 ? null : bavail * bsize;
}

/** Where a file or folder is or, not there yet, will be. @returns null where nobody can tell */
export async function freeBytes(place: string): Promise<number | null> {
  try {
    return freeBytesOf(await statfs(place));
  } catch (error) {
    const parent = path.dirname(place);
    return codeOf(error) === 'ENOENT' && parent !== place ? await freeBytes(parent) : null;
  }
}
