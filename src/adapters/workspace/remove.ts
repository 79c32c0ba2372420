/**
 * Removes what a script left, however hard it made that: by descriptor, so neither links nor the length of paths matter,
 * and no mount is entered, which would be removing what lies elsewhere.
 *
 * By synchronous calls, each of which takes a tenth of what its way through a pool of threads takes; whatever else is to be
 * done has its turn in between.
 */
import { randomUUID } from 'node:crypto';
import { chmodSync, closeSync, readdirSync, renameSync, rmdirSync, unlinkSync } from 'node:fs';
import path from 'node:path';
import { setImmediate as turn, setTimeout as pause } from 'node:timers/promises';
import { codeOf } from '../../core/failures.ts';
import {
  at,
  hasDescriptors,
  identityOf,
  mountOf,
  openEntrySync,
  rawName,
  reasonOf,
  self,
  shownName,
} from '../system/descriptors.ts';
import type { Descriptor, OpenedEntry as Entry } from '../system/descriptors.ts';
import { removeByPath } from './remove-by-path.ts';

/** Each level holds a descriptor open; what lies deeper is first brought up. */
const MAX_DEPTH = 64;
/** 640,000 levels: more than that only something that is still at work can make. */
const MAX_ROUNDS = 10_000;
/** For those who were just ended and wrote to the last. */
const TRIES = 5;
const PAUSE_MS = 20;
/** So long nothing else goes on. */
const SLICE_MS = 5;

interface Removing {
  readonly top: Entry;
  readonly mount: string;
  /** Why something could not be removed, of the first such thing. */
  obstacle: string | null;
  /** Whether something was brought up, so that another round has something to do. */
  brought: boolean;
  /** When others last had their turn. */
  since: number;
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
  const parent = openIfThere(`${path.dirname(folder)}/.`);
  if (parent === null) return;
  try {
    const name = rawName(path.basename(folder));
    const top = openIfThere(at(parent.handle, name));
    if (top === null) return;
    try {
      if (!top.facts.isDirectory() || (identity !== null && identity !== identityOf(top.facts))) {
        throw new Error('it is not the folder that was made any more; remove what is there by hand');
      }
      await removeFrom(parent.handle, name, top);
    } finally {
      closeSync(top.handle.fd);
    }
  } finally {
    closeSync(parent.handle.fd);
  }
}

/**
 * Removes everything that lies in a folder but for the entries of these names.
 * @throws Error as `removeTree`
 */
export async function removeAllBut(folder: string, kept: readonly string[]): Promise<void> {
  if (!hasDescriptors()) {
    for (const name of readdirSync(folder)) if (!kept.includes(name)) await removeByPath(path.join(folder, name));
    return;
  }
  const rawNames = new Set(kept.map(rawName));
  const { handle } = openEntrySync(folder);
  try {
    for (const name of readdirSync(self(handle), 'latin1')) {
      if (rawNames.has(name)) continue;
      const entry = openEntrySync(at(handle, name));
      try {
        if (entry.facts.isDirectory()) await removeFrom(handle, name, entry);
        else unlinkSync(at(handle, name));
      } finally {
        closeSync(entry.handle.fd);
      }
    }
  } finally {
    closeSync(handle.fd);
  }
}

async function removeFrom(parent: Descriptor, name: string, top: Entry): Promise<void> {
  const removing: Removing = { top, mount: mountOf(top), obstacle: null, brought: false, since: performance.now() };
  for (let round = 0, tries = 0; round < MAX_ROUNDS && tries < TRIES; round += 1) {
    if (tries > 0) await pause(PAUSE_MS);
    removing.obstacle = null;
    removing.brought = false;
    await empty(removing, top, '', 0);
    const failure = failureOf(() => rmdirSync(at(parent, name)));
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
  openUp(folder);
  let entries;
  try {
    entries = readdirSync(self(folder.handle), { encoding: 'buffer', withFileTypes: true });
  } catch (error) {
    removing.obstacle ??= obstacleOf(error, folder, shown);
    return;
  }
  const names = (ofFolders: boolean): readonly string[] =>
    entries.filter((entry) => entry.isDirectory() === ofFolders).map(({ name }) => name.toString('latin1'));
  for (const name of names(false)) {
    await letOthers(removing);
    removeEntry(removing, folder, name, below(shown, name), unlinkSync);
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
  await letOthers(removing);
  let folder: Entry | null;
  try {
    folder = openIfThere(at(parent.handle, name));
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
    if (depth >= MAX_DEPTH && bringUp(removing, parent, name, folder)) return;
    await empty(removing, folder, shown, depth + 1);
  } finally {
    closeSync(folder.handle.fd);
  }
  removeEntry(removing, parent, name, shown, rmdirSync);
}

/** Moving a folder changes its `..`, so it takes the right to write in it. */
function bringUp(removing: Removing, parent: Entry, name: string, folder: Entry): boolean {
  openUp(folder);
  const failure = failureOf(() => renameSync(at(parent.handle, name), at(removing.top.handle, randomUUID())));
  removing.brought ||= failure === null;
  return failure === null;
}

function removeEntry(
  removing: Removing,
  parent: Entry,
  name: string,
  shown: string,
  remove: (path: Buffer) => void,
): void {
  const failure = failureOf(() => remove(at(parent.handle, name)));
  // Not empty: what is in it has said why, or was written meanwhile. Neither is a matter of this entry.
  if (failure === null || ['ENOENT', 'ENOTEMPTY', 'ENOTDIR', 'EISDIR'].includes(codeOf(failure))) return;
  removing.obstacle ??= obstacleOf(failure, parent, shown);
}

function openUp({ handle, facts }: Entry): void {
  // Where that fails, what needs it fails as well and says so.
  if ((facts.mode & 0o700n) !== 0o700n) failureOf(() => chmodSync(self(handle), 0o700));
}

async function letOthers(removing: Removing): Promise<void> {
  if (performance.now() - removing.since < SLICE_MS) return;
  await turn();
  removing.since = performance.now();
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

/** Null where there is nothing of that name. @throws system errors */
function openIfThere(name: string | Buffer): Entry | null {
  try {
    return openEntrySync(name);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
}

function failureOf(work: () => void): unknown {
  try {
    work();
    return null;
  } catch (error) {
    return error;
  }
}
