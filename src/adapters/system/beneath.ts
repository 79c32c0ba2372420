/**
 * Finds things below a folder, name by name, each opened in the folder that was opened before it. Links are resolved here
 * and not by the kernel, so nothing outside is ever opened, whatever is exchanged meanwhile.
 */
import { readlink, realpath } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { codeOf } from '../../core/failures.ts';
import { isInside } from '../../core/paths.ts';
import { at, openEntry } from './descriptors.ts';
import type { Entry } from './descriptors.ts';

/** As many as Linux follows. */
const MAX_LINKS = 40;

/** Where a search has come to. `parent` is null for the folder that it may not leave. */
export interface Place extends Entry {
  readonly parent: Place | null;
  /** Byte string; of the outermost folder its whole path. */
  readonly name: string;
}

export interface Found {
  readonly place: Place;
  /** Closes what the search opened; `place` is of no use afterwards. */
  release(): Promise<void>;
}

/** The name leads, by a link, to where nothing may be opened. */
export class LeadsOut extends Error {}

/**
 * @param folder absolute, all links resolved: should one have appeared in it since, it is not followed
 * @throws system errors (`ENOTDIR` for such a link)
 */
export async function openRoot(folder: string): Promise<Found> {
  let entry = await openEntry('/');
  for (const name of raw(folder).split('/').filter(Boolean)) {
    const { handle } = entry;
    try {
      entry = await openEntry(at(handle, name));
    } finally {
      await handle.close();
    }
  }
  const { handle, facts } = entry;
  if (!facts.isDirectory()) {
    await handle.close();
    throw Object.assign(new Error('not a directory'), { code: 'ENOTDIR' });
  }
  return { place: { ...entry, parent: null, name: raw(folder) }, release: async () => await handle.close() };
}

/**
 * @param from a place at or below a root
 * @param relative path from there; byte string
 * @throws LeadsOut, system errors (`ELOOP` for too many links)
 */
export async function find(from: Place, relative: string): Promise<Found> {
  const opened: FileHandle[] = [];
  const release = async (): Promise<void> => {
    await Promise.all(opened.splice(0).map(async (handle) => await handle.close()));
  };
  try {
    const root = rootOf(from);
    const rest = relative.split('/');
    let place = from;
    let links = 0;
    for (let name = rest.shift(); name !== undefined; name = rest.shift()) {
      if (name === '' || name === '.') continue;
      if (name === '..') {
        if (place.parent !== null) place = place.parent;
        else {
          // Out, and perhaps in again by another way.
          rest.splice(0, rest.length, ...(await resolveOutside(root, [root.name, '..', ...rest].join('/'))));
          links += 1;
        }
      } else {
        const entry = await openEntry(at(place.handle, name));
        opened.push(entry.handle);
        if (!entry.facts.isSymbolicLink()) {
          place = { ...entry, parent: place, name };
          continue;
        }
        links += 1;
        const target = await targetOf(place, name);
        // Something else has the name by now, so it is looked at again.
        if (target === null) rest.unshift(name);
        else if (target.startsWith('/')) {
          rest.splice(0, rest.length, ...(await resolveOutside(root, [target, ...rest].join('/'))));
          place = root;
        } else rest.unshift(...target.split('/'));
      }
      if (links > MAX_LINKS) throw Object.assign(new Error('too many links'), { code: 'ELOOP' });
    }
    return { place, release };
  } catch (error) {
    await release();
    throw error;
  }
}

/** Path of a place as it was gone, links resolved; byte string. */
export function pathOf({ parent, name }: Place): string {
  return parent === null ? name : path.posix.join(pathOf(parent), name);
}

/** For a path that need not lie below the root: what to look for there. A hint only, every name of it is opened anew. */
async function resolveOutside(root: Place, target: string): Promise<readonly string[]> {
  const real = await realpath(Buffer.from(target, 'latin1'), 'latin1');
  if (!isInside(root.name, real)) throw new LeadsOut(`leads out of ${root.name}`);
  return real.slice(root.name.length).split('/');
}

/** Should another link have the name by now, its text is as good. @returns null where it is no link any more */
async function targetOf({ handle }: Place, name: string): Promise<string | null> {
  try {
    return await readlink(at(handle, name), 'latin1');
  } catch (error) {
    if (codeOf(error) === 'EINVAL') return null;
    throw error;
  }
}

function rootOf(place: Place): Place {
  return place.parent === null ? place : rootOf(place.parent);
}

function raw(text: string): string {
  return Buffer.from(path.resolve(text)).toString('latin1');
}
