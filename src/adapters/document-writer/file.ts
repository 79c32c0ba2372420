/** Documents as files: a new one appears whole, a repaired one takes the place of the old one by rename. See ADR 0035. */
import { constants } from 'node:fs';
import { link, lstat, open, rename, rm, writeFile } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { RunbookError } from '../../core/errors.ts';
import { codeOf, messageOf } from '../../core/failures.ts';
import type { DocumentWriter } from '../../core/ports.ts';
import { stampOf } from '../system/stamp.ts';
import { syncFolder } from '../system/sync.ts';
import { draftBeside } from '../system/whole-file.ts';

const { O_NOFOLLOW, O_NONBLOCK, O_RDWR } = constants;
/** A run that ended in this moment may have opened the document before it was replaced, and appends an entry at once. */
const LATE_LOOKS = 10;
const LATE_MS = 10;
const NO_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);

export function createDocumentWriter(): DocumentWriter {
  return {
    create: async (file, text) => {
      try {
        await create(file, text);
      } catch (error) {
        throw asRunbookError(error, file);
      }
    },
    replace: async ({ path: file, displayPath, stamp }, bytes) => {
      try {
        await replace(file, displayPath, stamp, bytes);
      } catch (error) {
        throw asRunbookError(error, displayPath);
      }
    },
  };
}

/** A link to the whole draft fails where anything is there; no file system that has links ever shows a half one. */
async function create(file: string, text: string): Promise<void> {
  const draft = draftBeside(file);
  try {
    await writeDraft(draft, Buffer.from(text), 0o666);
    await link(draft, file);
  } catch (error) {
    if (!NO_LINKS.has(codeOf(error))) throw error;
    await writeFile(file, text, { flag: 'wx' });
  } finally {
    await rm(draft, { force: true });
  }
  syncFolder(path.dirname(file));
}

async function replace(file: string, shown: string, stamp: string, bytes: Uint8Array): Promise<void> {
  const draft = draftBeside(file);
  // Opened for writing although only read: who may not write into a document may not replace it either.
  const old = await open(file, O_RDWR | O_NOFOLLOW | O_NONBLOCK);
  try {
    const { mode, uid, gid, nlink, size } = await old.stat();
    if (nlink > 1) {
      throw new RunbookError('io', `${shown} has ${nlink} names (hard links), which a repaired file would part.`, {
        fix: 'Repair it by hand, or make one of them a symbolic link.',
      });
    }
    const made = await writeDraft(draft, bytes, 0o600, { mode: mode & 0o7777, uid, gid });
    if (stampOf(await old.stat({ bigint: true })) !== stamp || (await lstat(file)).ino !== (await old.stat()).ino) {
      throw new RunbookError('busy', `${shown} was changed while it was looked at.`, { fix: 'Do the same again.' });
    }
    await rename(draft, file);
    await keepLateEntries(old, size, file, made);
    syncFolder(path.dirname(file));
  } finally {
    await old.close();
    await rm(draft, { force: true });
  }
}

/** Entries that went into the old file although the new one was there already. */
async function keepLateEntries(old: FileHandle, size: number, file: string, made: number): Promise<void> {
  let kept = size;
  for (let look = 0; look < LATE_LOOKS; look += 1) {
    const late = (await old.stat()).size - kept;
    if (late > 0) {
      const bytes = Buffer.alloc(late);
      await old.read(bytes, 0, late, kept);
      // Somebody may have put yet another one in its place.
      if ((await lstat(file)).ino === made) await writeFile(file, bytes, { flag: 'a' });
      kept += late;
    }
    await setTimeout(LATE_MS);
  }
}

/** @returns its inode */
async function writeDraft(
  file: string,
  bytes: Uint8Array,
  firstMode: number,
  like?: { readonly mode: number; readonly uid: number; readonly gid: number },
): Promise<number> {
  const handle = await open(file, 'wx', firstMode);
  try {
    await handle.writeFile(bytes);
    const facts = await handle.stat();
    if (like !== undefined) {
      if (facts.uid !== like.uid || facts.gid !== like.gid) await handle.chown(like.uid, like.gid);
      // After the owner, whose change takes away some bits.
      await handle.chmod(like.mode);
    }
    await handle.sync();
    return facts.ino;
  } finally {
    await handle.close();
  }
}

function asRunbookError(error: unknown, shown: string): unknown {
  if (error instanceof RunbookError) return error;
  const code = codeOf(error);
  if (code === '') return error;
  if (code === 'EEXIST') {
    return new RunbookError('usage', `${shown} is there already.`, {
      fix: 'Choose another name; nothing is ever overwritten.',
      cause: error,
    });
  }
  const why = { ENOENT: 'its folder is not there', ENOSPC: 'the disk is full', EACCES: 'permission denied' }[code];
  return new RunbookError('io', `${shown} cannot be written: ${why ?? messageOf(error)}.`, {
    fix: 'Make it and its folder writable and see that the disk has room; nothing was changed.',
    cause: error,
  });
}
