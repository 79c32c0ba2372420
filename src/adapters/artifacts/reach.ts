/** What lies below a folder that a script has filled: no link is followed, nothing but regular files is opened. */
import { constants } from 'node:fs';
import { lstat, open, opendir } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { at, hasDescriptors, openEntry, reopen, self } from '../system/descriptors.ts';
import type { Entry } from '../system/descriptors.ts';

/** Open for reading; whoever asked closes it. */
export interface ReachedFile {
  readonly kind: 'file';
  readonly handle: FileHandle;
  readonly bytes: number;
}

export type Reached =
  | ReachedFile
  /** Names as byte strings, in order; at most one more than asked for. */
  | { readonly kind: 'folder'; readonly names: readonly string[] }
  | { readonly kind: 'link' | 'behind-link' | 'special' };

/**
 * @param names of the folders on the way and of the thing itself, as byte strings; no `..`
 * @param maxNames how many names of a folder are wanted
 * @throws system errors
 */
export async function reach(root: string, names: readonly string[], maxNames: number): Promise<Reached> {
  if (names.some((name) => name === '' || name === '.' || name === '..' || name.includes('/'))) {
    throw new TypeError(`${JSON.stringify(names)} is no way down`);
  }
  return hasDescriptors() ? await byDescriptor(root, names, maxNames) : await byPath(root, names, maxNames);
}

async function byDescriptor(root: string, names: readonly string[], maxNames: number): Promise<Reached> {
  let entry: Entry = await openEntry(root);
  try {
    for (const name of names) {
      if (entry.facts.isSymbolicLink()) return { kind: 'behind-link' };
      const { handle } = entry;
      entry = await openEntry(at(handle, name));
      await handle.close();
    }
    const { facts, handle } = entry;
    if (facts.isSymbolicLink()) return { kind: 'link' };
    if (facts.isDirectory()) return { kind: 'folder', names: await namesIn(self(handle), maxNames) };
    if (!facts.isFile()) return { kind: 'special' };
    return { kind: 'file', handle: await reopen(handle), bytes: Number(facts.size) };
  } finally {
    await entry.handle.close();
  }
}

/** Where descriptors have no paths (macOS). What a script left behind cannot change any more; nobody else can get at it. */
export async function byPath(root: string, names: readonly string[], maxNames: number): Promise<Reached> {
  let where = root;
  let facts = await lstat(where);
  for (const name of names) {
    if (facts.isSymbolicLink()) return { kind: 'behind-link' };
    where = path.join(where, Buffer.from(name, 'latin1').toString());
    facts = await lstat(where);
  }
  if (facts.isSymbolicLink()) return { kind: 'link' };
  if (facts.isDirectory()) return { kind: 'folder', names: await namesIn(where, maxNames) };
  if (!facts.isFile()) return { kind: 'special' };
  const handle = await open(where, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  return { kind: 'file', handle, bytes: facts.size };
}

async function namesIn(folder: string, max: number): Promise<readonly string[]> {
  const names: string[] = [];
  for await (const { name } of await opendir(folder, { encoding: 'latin1' })) {
    names.push(name);
    if (names.length > max) break;
  }
  return names.sort();
}
