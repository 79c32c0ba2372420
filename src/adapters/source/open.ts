/** Opens one document: what was opened is what is looked at and read, whatever is exchanged meanwhile. */
import { constants } from 'node:fs';
import { open, realpath } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { isInside } from '../../core/paths.ts';
import { find, LeadsOut, openRoot, pathOf } from '../system/beneath.ts';
import { hasDescriptors, rawName, reopen } from '../system/descriptors.ts';

/** Neither a file nor a folder. Where possible it is not even opened: that alone can have an effect on a device. */
export class NotRegular extends Error {}

/**
 * The folder's documents may be links (a ConfigMap is made of them), but only to places inside the folder.
 * @param root the folder that `file` may not lead out of; null where the caller named the path and answers for it
 * @returns the open file, and its path with all links resolved
 * @throws LeadsOut, NotRegular, system errors
 */
export async function openDocument(
  file: string,
  root: string | null,
): Promise<{ readonly handle: FileHandle; readonly target: string }> {
  if (root !== null && hasDescriptors()) return await openBeneath(await realpath(root), path.relative(root, file));
  const target = await realpath(file);
  if (root !== null && !isInside(await realpath(root), target)) throw new LeadsOut();
  // O_NONBLOCK: opening a FIFO must not wait for a writer.
  return { handle: await open(target, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW), target };
}

async function openBeneath(root: string, name: string): Promise<{ handle: FileHandle; target: string }> {
  const folder = await openRoot(root);
  try {
    const found = await find(folder.place, rawName(name));
    try {
      const { facts } = found.place;
      if (!facts.isFile() && !facts.isDirectory()) throw new NotRegular();
      const target = Buffer.from(pathOf(found.place), 'latin1').toString();
      return { handle: await reopen(found.place.handle), target };
    } finally {
      await found.release();
    }
  } finally {
    await folder.release();
  }
}
