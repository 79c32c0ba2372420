/**
 * Work folders that outlive their run: found by the run's id, with the outputs of its steps in a file beside `work/`.
 * In a shared folder anybody may have made anything, so only what is plainly our own is touched.
 */
import { randomUUID } from 'node:crypto';
import { constants, lstatSync, statSync } from 'node:fs';
import type { BigIntStats } from 'node:fs';
import { chmod, lstat, mkdir, open, readdir, rename, rm, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { RunbookError } from '../../core/errors.ts';
import { codeOf, messageOf } from '../../core/failures.ts';
import type { FolderFate } from '../../core/ports.ts';
import type { RunOwner } from '../../core/run.ts';
import { checkCanMake } from '../system/can-make.ts';
import { identityOf } from '../system/descriptors.ts';
import { readSmallFile } from './control.ts';
import { removeAllBut, removeTree } from './remove.ts';

const KEPT_MS = 24 * 60 * 60 * 1000;
/** Each step may pass on as much as its outputs file may hold, 1 MiB. */
const MAX_OUTPUTS_BYTES = 64 * 1024 ** 2;

/** Ids name folders here, in lower case: nothing that could leave the folder. */
const RUN_ID = /^[A-Za-z0-9_-]{1,64}$/;
const IN_USE = 'runbook-exec-';
/** As runs, and processes without a record, name their folders. */
const OWN_NAME = /^runbook-exec-(?:[0-9a-z]{26}|output-[0-9a-f-]{36})$/;
/** Being removed: nobody can take it over any more. */
const GOING = 'runbook-gone-';

const WORK = 'work';
const KEPT_FILE = 'kept.json';

/** What lies where in the folder of a run. */
export interface Layout {
  readonly root: string;
  /** The script's. */
  readonly work: string;
  /** Scripts, outputs of steps, secrets. */
  readonly control: string;
  /** Of a folder that was kept: what its steps had passed on. */
  readonly outputs: string;
}

/** @throws TypeError for an id that cannot name a folder */
export function layoutOf(parent: string, runId: string): Layout {
  if (!RUN_ID.test(runId)) throw new TypeError(`${JSON.stringify(runId)} cannot name a work folder`);
  const root = path.join(parent, `${IN_USE}${runId.toLowerCase()}`);
  return {
    root,
    work: path.join(root, WORK),
    control: path.join(root, 'control'),
    outputs: path.join(root, KEPT_FILE),
  };
}

/**
 * Only `work/` stays, and what later steps need: scripts, outputs files and whatever else lay beside it go. What is needed is
 * written down first, so that whoever is killed at this is followed by somebody who still finds it.
 * @param identity of the folder as it was made
 * @throws Error whose message says why, as a part of a sentence
 */
export async function leave(layout: Layout, identity: string, outputs: ReadonlyMap<string, string>): Promise<void> {
  if (identityOfOwn(layout.root) !== identity) throw new Error('it is not the folder that was made any more');
  await chmod(layout.root, 0o700);
  const write = async (): Promise<void> => {
    await writeOutputs(layout.root, layout.outputs, outputs);
  };
  const isWritten =
    identityOfOwn(layout.work) !== null &&
    (await write().then(
      () => true,
      () => false,
    ));
  const names = [layout.work].concat(isWritten ? layout.outputs : []).map((place) => path.basename(place));
  await removeAllBut(layout.root, names);
  if (identityOfOwn(layout.work) === null) throw new Error('the script removed it');
  // On a disk that was full there is room by now, and what the script had put into its place is gone.
  if (!isWritten) await write();
}

/**
 * Renaming is what decides between two who want the same folder.
 * @returns the outputs; null where there is no such folder (any more), or it is not plainly our own
 * @throws system errors; the folder is then still there for another try
 */
export async function takeOver(earlier: Layout, layout: Layout): Promise<ReadonlyMap<string, string> | null> {
  const kept = await findKept(earlier);
  if (kept === null) return null;
  const { identity, outputs } = kept;
  try {
    // As if it had been kept just now: nobody who sweeps meanwhile may take it for expired under its new name.
    const now = new Date();
    await utimes(earlier.outputs, now, now);
    await rename(earlier.root, layout.root);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
  try {
    if (identityOfOwn(layout.root, 0o700) !== identity) throw new Error('somebody else exchanged it');
    await chmod(layout.work, 0o700);
    await mkdir(layout.control, { mode: 0o700 });
    await rm(layout.outputs);
    return outputs;
  } catch (error) {
    await rename(layout.root, earlier.root).catch(() => {});
    throw error;
  }
}

async function findKept({
  root,
  work,
  outputs: file,
}: Layout): Promise<{ readonly identity: string; readonly outputs: ReadonlyMap<string, string> } | null> {
  const identity = identityOfOwn(root, 0o700);
  if (identity === null || identityOfOwn(work) === null) return null;
  const outputs = await readOutputs(file);
  return outputs === null ? null : { identity, outputs };
}

/** As `takeOver` finds it behind `removeExpired`; nothing is touched. */
export async function isKept(layout: Layout, now: Date): Promise<boolean> {
  const kept = await lstat(layout.outputs).catch(() => null);
  return kept !== null && !isExpired(kept, now) && (await findKept(layout)) !== null;
}

function isExpired({ mtimeMs }: { readonly mtimeMs: number }, now: Date): boolean {
  return now.getTime() - mtimeMs > KEPT_MS;
}

/** What nobody will come back for: of a run that has ended, or, where no ledger knows it, of an owner that is gone. */
export interface Abandoned {
  readonly fateOf: (runId: string) => Promise<FolderFate | null>;
  readonly isGone: (owner: RunOwner) => boolean;
}

/**
 * Removes what was kept longer than 24 h, what is abandoned, and what others could not finish removing or leaving. Never
 * rejects.
 * @returns ids of runs whose owner is gone, and that no ledger knows
 */
export async function removeExpired(
  parent: string,
  now: Date,
  { fateOf, isGone }: Abandoned,
): Promise<readonly string[]> {
  const unknown: string[] = [];
  const names = await readdir(parent).catch(() => []);
  for (const name of names.filter((each) => each.startsWith(IN_USE) || each.startsWith(GOING))) {
    try {
      const folder = path.join(parent, name);
      if (identityOfOwn(folder, 0o700) === null) continue;
      if (name.startsWith(GOING)) {
        await removeTree(folder);
        continue;
      }
      const kept = await lstat(path.join(folder, KEPT_FILE)).catch(() => null);
      const runId = name.slice(IN_USE.length).toUpperCase();
      if (kept === null) {
        const owner = await ownerOf(folder);
        const isAbandoned = owner === null ? (await fateOf(runId)) === 'over' : isGone(owner);
        if (!isAbandoned && !(OWN_NAME.test(name) && (await isStillborn(folder, now)))) continue;
        if (owner !== null) unknown.push(runId);
      } else if (!isExpired(kept, now)) {
        // Whoever left it could not finish that: scripts and secrets are still there.
        if (await isHalfLeft(folder, runId, { fateOf, isGone })) await removeAllBut(folder, [WORK, KEPT_FILE]);
        continue;
      }
      const going = path.join(parent, `${GOING}${name.slice(IN_USE.length)}`);
      await rename(folder, going);
      await removeTree(going);
    } catch {
      // In use, taken over at this moment, or stuck: none of it may trouble the run that begins.
    }
  }
  return unknown;
}

/**
 * A private folder of a process that leaves no record: who sweeps removes it when that process is gone.
 * @throws RunbookError `io`
 */
export async function makeOwnedFolder(folder: string, owner: RunOwner): Promise<void> {
  try {
    await mkdir(folder, { mode: 0o700 });
    await sayWhose({ root: folder }, owner);
  } catch (error) {
    throw noFolder(path.dirname(folder), error);
  }
}

/** What making one there would be refused with (`io`), as far as permissions tell: none is made. Null: nothing. */
export function whyNoFolder(parent: string): RunbookError | null {
  try {
    // One that is not there is not made for it.
    statSync(parent);
    checkCanMake(parent);
    return null;
  } catch (error) {
    return noFolder(parent, error);
  }
}

export function noFolder(parent: string, cause: unknown): RunbookError {
  return new RunbookError('io', `No work folder could be made in ${parent}: ${messageOf(cause)}.`, {
    fix: 'Free some space, or name another folder with `--execution-dir`.',
    cause,
  });
}

async function isHalfLeft(folder: string, runId: string, { fateOf, isGone }: Abandoned): Promise<boolean> {
  if ((await readdir(folder)).every((name) => name === WORK || name === KEPT_FILE)) return false;
  const owner = await ownerOf(folder);
  return owner === null ? (await fateOf(runId)) !== null : isGone(owner);
}

/** Killed when it had just been made: there is nothing in it, and has not been for long. */
async function isStillborn(folder: string, now: Date): Promise<boolean> {
  if ((await readdir(folder)).some((name) => name !== OWNER_FILE)) return false;
  return now.getTime() - (await lstat(folder)).mtimeMs > KEPT_MS;
}

export const OWNER_FILE = 'owner.json';

/** Where a run leaves no record, nobody else could tell that its runner has died. */
async function sayWhose({ root }: Pick<Layout, 'root'>, owner: RunOwner): Promise<void> {
  await writeFile(path.join(root, OWNER_FILE), JSON.stringify(owner), { mode: 0o600, flag: 'wx' });
}

/** Null where nobody has said so: it is in the ledger of somebody. */
async function ownerOf(root: string): Promise<RunOwner | null> {
  let text: string;
  try {
    text = readSmallFile(path.join(root, OWNER_FILE));
  } catch {
    return null;
  }
  // Half of it is none: whoever wrote it was killed at that.
  if (!text.endsWith('}')) return null;
  const said: Partial<RunOwner> = JSON.parse(text);
  const { bootId = '', pidNamespace = '', pid = 0, startTime = '', host = '' } = said;
  return { bootId, pidNamespace, pid, startTime, host };
}

/** @returns null unless it is a folder, no link, of this user, and with this mode where one is given */
export function identityOfOwn(folder: string, mode: number | null = null): string | null {
  let facts: BigIntStats;
  try {
    facts = lstatSync(folder, { bigint: true });
  } catch {
    return null;
  }
  if (!facts.isDirectory()) return null;
  if (process.geteuid !== undefined && facts.uid !== BigInt(process.geteuid())) return null;
  if (mode !== null && (facts.mode & 0o7777n) !== BigInt(mode)) return null;
  return identityOf(facts);
}

/** Aside first: what bears the name is whole. */
export async function writeOutputs(folder: string, file: string, outputs: ReadonlyMap<string, string>): Promise<void> {
  const aside = path.join(folder, randomUUID());
  await writeFile(aside, JSON.stringify([...outputs]), { mode: 0o600, flag: 'wx' });
  await rename(aside, file);
}

/** Null where there is nothing that could be believed. */
export async function readOutputs(file: string): Promise<ReadonlyMap<string, string> | null> {
  const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(() => null);
  if (handle === null) return null;
  try {
    const facts = await handle.stat();
    if (!facts.isFile() || facts.size > MAX_OUTPUTS_BYTES) return null;
    const pairs: unknown = JSON.parse(await handle.readFile('utf8'));
    return Array.isArray(pairs) && pairs.every(isPair) ? new Map(pairs) : null;
  } catch {
    return null;
  } finally {
    await handle.close();
  }
}

function isPair(value: unknown): value is readonly [string, string] {
  return Array.isArray(value) && value.length === 2 && value.every((item) => typeof item === 'string');
}
