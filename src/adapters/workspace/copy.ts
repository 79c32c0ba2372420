/**
 * Copies inputs into the work folder, with structure: `a/b.txt` becomes `work/a/b.txt`. Somebody may exchange files,
 * folders and links meanwhile; what is copied is read from the descriptor that was looked at, and lies in the folder.
 */
import { constants } from 'node:fs';
import { mkdir, open, readdir } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { RunbookError } from '../../core/errors.ts';
import { codeOf } from '../../core/failures.ts';
import { find, LeadsOut, openRoot } from '../system/beneath.ts';
import type { Place } from '../system/beneath.ts';
import {
  at,
  hasDescriptors,
  identityOf,
  openEntry,
  rawName,
  reasonOf,
  reopen,
  self,
  shownName,
} from '../system/descriptors.ts';
import { copyByPath } from './copy-by-path.ts';
import { pump, throwIfStopped, unmet } from './input-file.ts';

/** Each level holds two descriptors open. */
const MAX_DEPTH = 128;
/** Links to folders can stand for any number of files. */
const MAX_ENTRIES = 200_000;

interface Copying {
  readonly signal: AbortSignal;
  entries: number;
}

/** A folder that is being copied: where its copy is, and what led to it. */
interface Level {
  readonly target: FileHandle;
  /** Identities of the folders that this one was reached through, links included. */
  readonly trail: readonly string[];
  readonly shown: string;
}

/**
 * @param folder absolute, all links resolved
 * @param paths relative to it
 * @throws RunbookError `requirements-unmet`, `busy` (stopped); system errors of the copy
 */
export async function copyInputs(
  folder: string,
  paths: readonly string[],
  work: string,
  signal: AbortSignal,
): Promise<void> {
  if (paths.length === 0) {
    throwIfStopped(signal);
    return;
  }
  if (!hasDescriptors()) {
    await copyByPath(folder, paths, work, signal);
    return;
  }
  const root = await openRoot(folder).catch((error: unknown) => {
    throw new RunbookError('io', `The runbook’s folder cannot be opened: ${reasonOf(error)}.`, {
      fix: 'Leave the folder in its place while the run begins, and try again.',
      cause: error,
    });
  });
  try {
    const { handle: target } = await openEntry(work);
    try {
      const copying: Copying = { signal, entries: 0 };
      for (const input of paths) {
        await copyInput(copying, root.place, { target, trail: [identityOf(root.place.facts)], shown: '' }, input);
      }
    } finally {
      await target.close();
    }
  } finally {
    await root.release();
  }
}

/** The folders on the way to an input are made as well. */
async function copyInput(copying: Copying, root: Place, level: Level, input: string): Promise<void> {
  const names = rawName(input)
    .split('/')
    .filter((name) => name !== '' && name !== '.');
  const name = names.pop();
  if (name === undefined || input.startsWith('/') || [...names, name].includes('..')) {
    throw unmet(`Input file leads out of the runbook’s folder: ${input}.`, 'Keep inputs beside the runbook.');
  }
  let { target } = level;
  try {
    for (const parent of names) target = await openFolder(target, parent, target !== level.target);
    await copyEntry(copying, root, [...names, name].join('/'), { ...level, target }, name);
  } finally {
    if (target !== level.target) await target.close();
  }
}

/** @param name what the copy is called in the folder of `level` */
async function copyEntry(copying: Copying, from: Place, relative: string, level: Level, name: string): Promise<void> {
  throwIfStopped(copying.signal);
  const shown = level.shown === '' ? shownName(relative) : `${level.shown}/${shownName(name)}`;
  copying.entries += 1;
  if (copying.entries > MAX_ENTRIES) {
    throw unmet(`The inputs have more than ${MAX_ENTRIES} files and folders.`, 'Name only what the script needs.');
  }
  try {
    const found = await find(from, relative);
    const { place } = found;
    try {
      if (place.facts.isDirectory()) await copyFolder(copying, place, { ...level, shown }, name);
      else if (place.facts.isFile()) await copyFile(copying, place, level.target, name);
      else throw unmet(`Input ${shown} is neither a file nor a folder.`, 'Name regular files and folders only.');
    } finally {
      await found.release();
    }
  } catch (error) {
    throw asUnmet(error, shown);
  }
}

async function copyFolder(copying: Copying, place: Place, level: Level, name: string): Promise<void> {
  const identity = identityOf(place.facts);
  if (level.trail.includes(identity)) {
    throw unmet(
      `Input ${level.shown} is a link to a folder that holds it.`,
      'Remove the link, or name the files themselves.',
    );
  }
  if (level.trail.length > MAX_DEPTH) {
    throw unmet(
      `Input ${level.shown} is nested deeper than ${MAX_DEPTH} folders.`,
      'Name the inner folders themselves.',
    );
  }
  const target = await openFolder(level.target, name);
  try {
    const inside = { target, trail: [...level.trail, identity], shown: level.shown };
    for (const entry of await readdir(self(place.handle), 'latin1')) {
      await copyEntry(copying, place, entry, inside, entry);
    }
  } finally {
    await target.close();
  }
}

async function copyFile(
  { signal }: Copying,
  { handle, facts }: Place,
  folder: FileHandle,
  name: string,
): Promise<void> {
  const source = await reopen(handle);
  try {
    // An input that lies in another one as well is copied twice.
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW;
    const target = await open(at(folder, name), flags, 0o600);
    try {
      await pump(source, target, { size: Number(facts.size), mode: Number(facts.mode) }, signal);
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

/** @param closesParent for a walk downwards that is done with the folder above */
async function openFolder(parent: FileHandle, name: string, closesParent = false): Promise<FileHandle> {
  try {
    await mkdir(at(parent, name)).catch((error: unknown) => {
      if (codeOf(error) !== 'EEXIST') throw error;
    });
    return (await openEntry(at(parent, name))).handle;
  } finally {
    if (closesParent) await parent.close();
  }
}

function asUnmet(error: unknown, shown: string): unknown {
  if (error instanceof RunbookError) return error;
  if (error instanceof LeadsOut) {
    return unmet(`Input file leads out of the runbook’s folder: ${shown}.`, 'Keep inputs beside the runbook.');
  }
  switch (codeOf(error)) {
    case 'ENOENT':
    case 'ENOTDIR':
      return unmet(
        `Input ${shown} is not there.`,
        'Put it beside the runbook, and leave it there while the run begins.',
      );
    case 'ELOOP':
      return unmet(`Input ${shown} is a link that leads nowhere.`, 'Repair the link.');
    case 'EACCES':
    case 'EPERM':
      return new RunbookError('io', `Input ${shown} cannot be read: ${reasonOf(error)}.`, {
        fix: 'Give yourself permission to read it.',
        cause: error,
      });
    default:
      return error;
  }
}
