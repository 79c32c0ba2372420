/**
 * Removes what a script left, however hard it made that: by descriptor, so neither links nor the length of paths matter,
 * and no mount is entered, which would be removing what lies elsewhere.
 */
import { randomUUID } from 'node:crypto';
import { chmod, readdir, rename, rmdir, unlink } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { codeOf } from '../../core/failures.ts';
import {
  at,
  hasDescriptors,
  identityOf,
  mountOf,
  openEntry,
  rawName,
  reasonOf,
  self,
  shownName,
} from '../system/descriptors.ts';
import type { Entry } from '../system/descriptors.ts';
import { removeByPath } from './remove-by-path.ts';

/** Each level holds a descriptor open; what lies deeper is first brought up. */
const MAX_DEPTH = 64;
/** 640,000 levels: more than that only something that is still at work can make. */
const MAX_ROUNDS = 10_000;
/** For those who were just ended and wrote to the last. */
const TRIES = 5;
const PAUSE_MS = 20;
/** System calls under way at once. */
const PARALLEL = 16;

interface Removing {
  readonly top: Entry;
  readonly mount: string;
  /** Why something could not be removed, of the first such thing. */
  obstacle: string | null;
  /** Whether something was brought up, so that another round has something to do. */
  brought: boolean;
}

/**
 * Removes a folder with all that is in it; one that is gone is removed already.
 * @param identity of the folder that is meant, where it is known: another one in its place is left alone
 * @throws Error whose message says what is in the way and what to do, as a part of a sentence
 */
export async function removeTree(folder: string, identity: string | null = null): Promise<void> {
  if (!hasDescriptors()) {
    await removeByPath(folder);
    return;
  }
  // The parent is the user's choice and may be a link; with the dot it is followed.
  const parent = await openEntry(`${path.dirname(folder)}/.`).catch(absent);
  if (parent === null) return;
  try {
    const name = rawName(path.basename(folder));
    const top = await openEntry(at(parent.handle, name)).catch(absent);
    if (top === null) return;
    try {
      if (!top.facts.isDirectory() || (identity !== null && identity !== identityOf(top.facts))) {
        throw new Error('it is not the folder that was made any more; remove what is there by hand');
      }
      await removeFrom(parent.handle, name, top);
    } finally {
      await top.handle.close();
    }
  } finally {
    await parent.handle.close();
  }
}

/**
 * Removes everything that lies in a folder but for the entries of these names.
 * @throws Error as `removeTree`
 */
export async function removeAllBut(folder: string, kept: readonly string[]): Promise<void> {
  if (!hasDescriptors()) {
    for (const name of await readdir(folder)) if (!kept.includes(name)) await removeByPath(path.join(folder, name));
    return;
  }
  const rawNames = new Set(kept.map(rawName));
  const { handle } = await openEntry(folder);
  try {
    for (const name of await readdir(self(handle), 'latin1')) {
      if (rawNames.has(name)) continue;
      const entry = await openEntry(at(handle, name));
      try {
        if (entry.facts.isDirectory()) await removeFrom(handle, name, entry);
        else await unlink(at(handle, name));
      } finally {
        await entry.handle.close();
      }
    }
  } finally {
    await handle.close();
  }
}

async function removeFrom(parent: FileHandle, name: string, top: Entry): Promise<void> {
  const removing: Removing = { top, mount: mountOf(top), obstacle: null, brought: false };
  for (let round = 0, tries = 0; round < MAX_ROUNDS && tries < TRIES; round += 1) {
    if (tries > 0) await pause(PAUSE_MS);
    removing.obstacle = null;
    removing.brought = false;
    await empty(removing, top, '', 0);
    const failure = await failureOf(rmdir(at(parent, name)));
    if (failure === null || codeOf(failure) === 'ENOENT') return;
    if (codeOf(failure) !== 'ENOTEMPTY') removing.obstacle ??= obstacleOf(failure, top, 'it');
    // What is in the way is no more in the way for the next round; only what appeared meanwhile is worth another try.
    if (!removing.brought && removing.obstacle !== null) break;
    if (!removing.brought) tries += 1;
  }
  throw new Error(removing.obstacle ?? 'something still writes into it; end that and remove the folder by hand');
}

/** @param shown path of the folder from the top, for messages; empty for the top itself */
async function empty(removing: Removing, folder: Entry, shown: string, depth: number): Promise<void> {
  await openUp(folder);
  let entries;
  try {
    entries = await readdir(self(folder.handle), { encoding: 'buffer', withFileTypes: true });
  } catch (error) {
    removing.obstacle ??= obstacleOf(error, folder, shown);
    return;
  }
  const names = (ofFolders: boolean): readonly string[] =>
    entries.filter((entry) => entry.isDirectory() === ofFolders).map(({ name }) => name.toString('latin1'));
  const files = names(false);
  for (let from = 0; from < files.length; from += PARALLEL) {
    await Promise.all(
      files.slice(from, from + PARALLEL).map(async (name) => {
        await removeEntry(removing, folder, name, below(shown, name), unlink);
      }),
    );
  }
  for (const name of names(true)) await removeFolder(removing, folder, name, below(shown, name), depth);
}

async function removeFolder(
  removing: Removing,
  parent: Entry,
  name: string,
  shown: string,
  depth: number,
): Promise<void> {
  let folder: Entry | null;
  try {
    folder = await openEntry(at(parent.handle, name)).catch(absent);
  } catch (error) {
    removing.obstacle ??= obstacleOf(error, parent, shown);
    return;
  }
  // Gone or exchanged since it was listed: the next round sees what it is.
  if (folder === null) return;
  try {
    if (!folder.facts.isDirectory()) return;
    if (mountOf(folder) !== removing.mount) {
      removing.obstacle ??= `${shown} is a mount; unmount it and remove the folder by hand`;
      return;
    }
    if (depth >= MAX_DEPTH && (await bringUp(removing, parent, name, folder))) return;
    await empty(removing, folder, shown, depth + 1);
  } finally {
    await folder.handle.close();
  }
  await removeEntry(removing, parent, name, shown, rmdir);
}

/** Moving a folder changes its `..`, so it takes the right to write in it. */
async function bringUp(removing: Removing, parent: Entry, name: string, folder: Entry): Promise<boolean> {
  await openUp(folder);
  const failure = await failureOf(rename(at(parent.handle, name), at(removing.top.handle, randomUUID())));
  removing.brought ||= failure === null;
  return failure === null;
}

async function removeEntry(
  removing: Removing,
  parent: Entry,
  name: string,
  shown: string,
  remove: (path: Buffer) => Promise<void>,
): Promise<void> {
  const failure = await failureOf(remove(at(parent.handle, name)));
  // Not empty: what is in it has said why, or was written meanwhile. Neither is a matter of this entry.
  if (failure === null || ['ENOENT', 'ENOTEMPTY', 'ENOTDIR', 'EISDIR'].includes(codeOf(failure))) return;
  removing.obstacle ??= obstacleOf(failure, parent, shown);
}

async function openUp({ handle, facts }: Entry): Promise<void> {
  // Where that fails, what needs it fails as well and says so.
  if ((facts.mode & 0o700n) !== 0o700n) await chmod(self(handle), 0o700).catch(() => {});
}

/** @param folder that the thing lies in */
function obstacleOf(error: unknown, { facts }: Entry, shown: string): string {
  const own = process.geteuid?.() ?? 0;
  switch (codeOf(error)) {
    case 'EBUSY':
      return `${shown} is a mount or in use; unmount it and remove the folder by hand`;
    case 'EACCES':
      return foreign(shown, facts.uid);
    case 'EPERM':
      // To the administrator everything belongs; what even he may not do is forbidden by an attribute (immutable, append-only).
      return own !== 0 && facts.uid !== BigInt(own)
        ? foreign(shown, facts.uid)
        : `${shown} is protected by an attribute; take it away with \`chattr -R -ia\` as an administrator and remove the folder by hand`;
    default:
      return `${shown} is in the way: ${reasonOf(error)}`;
  }
}

function foreign(shown: string, uid: bigint): string {
  return `${shown} belongs to another user (${uid}); have it removed by that user or an administrator`;
}

function below(shown: string, name: string): string {
  return shown === '' ? shownName(name) : `${shown}/${shownName(name)}`;
}

function absent(error: unknown): null {
  if (codeOf(error) === 'ENOENT') return null;
  throw error;
}

async function failureOf(work: Promise<unknown>): Promise<unknown> {
  try {
    await work;
    return null;
  } catch (error) {
    return error;
  }
}
