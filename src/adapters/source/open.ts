/** Opens documents: what was opened is what is looked at and read, whatever is exchanged meanwhile. */
import { constants } from 'node:fs';
import { open, realpath } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { isInside } from '../../core/paths.ts';
import { find, LeadsOut, openRoot, pathOf } from '../system/beneath.ts';
import type { Place } from '../system/beneath.ts';
import { hasDescriptors, rawName, reopen } from '../system/descriptors.ts';
import { readSmall } from './read.ts';

/** Neither a file nor a folder. Where possible it is not even opened: that alone can have an effect on a device. */
export class NotRegular extends Error {}

export interface OpenDocument {
  readonly handle: FileHandle;
  /** Its path with all links resolved. */
  readonly target: string;
}

/** A folder whose documents may be links (a ConfigMap is made of them), but only to places inside the folder. */
export interface DocumentFolder {
  /** @throws LeadsOut, NotRegular, system errors */
  open(name: string): Promise<OpenDocument>;
  /** A document right in the folder that is small and nothing unusual; null: look at it by `open`. */
  readSmall(name: string): { readonly bytes: Buffer; readonly stamp: string; readonly target: string } | null;
  close(): Promise<void>;
}

/** @throws system errors */
export async function openFolder(folder: string): Promise<DocumentFolder> {
  const real = await realpath(folder);
  if (!hasDescriptors()) {
    return {
      open: async (name) => {
        if (!isInside(real, await realpath(path.join(folder, name)))) throw new LeadsOut();
        return await openNamed(path.join(folder, name));
      },
      readSmall: () => null,
      close: async () => await Promise.resolve(),
    };
  }
  const root = await openRoot(real);
  return {
    open: async (name) => await openBeneath(root.place, name),
    readSmall: (name) => {
      const found = readSmall(root.place.handle, name);
      return found === null ? null : { ...found, target: path.join(real, name) };
    },
    close: async () => await root.release(),
  };
}

/** A path that the caller named and answers for. @throws system errors */
export async function openNamed(file: string): Promise<OpenDocument> {
  const target = await realpath(file);
  // O_NONBLOCK: opening a FIFO must not wait for a writer.
  return { handle: await open(target, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW), target };
}

async function openBeneath(root: Place, name: string): Promise<OpenDocument> {
  const found = await find(root, rawName(name));
  const { place } = found;
  try {
    if (!place.facts.isFile() && !place.facts.isDirectory()) throw new NotRegular();
    const target = Buffer.from(pathOf(place), 'latin1').toString();
    return { handle: await reopen(place.handle), target };
  } finally {
    await found.release();
  }
}
