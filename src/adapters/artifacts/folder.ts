/** Artifacts on disk: `artifacts/<runId>/<path>`, private, each written aside and then renamed, so none is torn. */
import { open, rename, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { codeOf } from '../../core/failures.ts';
import { LEFT_FOR_LEDGER } from '../../core/room.ts';
import type { ArtifactStore, MaskStream } from '../../core/ports.ts';
import { NOT_WRITTEN } from '../../core/run-files.ts';
import type { ArtifactRecord } from '../../core/run.ts';
import { formatBytes } from '../../core/units.ts';
import { freeBytes } from '../system/free-bytes.ts';
import { rawName, reasonOf } from '../system/descriptors.ts';
import { asideOf, createKept, isName, RUN_ID } from './kept.ts';
import { reach } from './reach.ts';
import type { Reached, ReachedFile } from './reach.ts';
import { transfer } from './transfer.ts';
import { makeFolders } from '../system/make-folders.ts';

/** Of one declared folder. */
const MAX_FILES = 1000;
/** With its folders, which may be many and empty. */
const MAX_ENTRIES = 2000;
const MAX_PATH_BYTES = 1000;

export interface ArtifactOptions {
  readonly stateDir: string;
  /** Of all artifacts of one run together. */
  readonly maxBytes: number;
}

const NOT_KEPT = {
  link: 'it is a link',
  'behind-link': 'it lies behind a link',
  special: 'it is neither a file nor a folder',
} as const;

interface Keeping {
  readonly workFolder: string;
  /** Of this run. */
  readonly folder: string;
  /** Where a file is until it is whole. */
  readonly aside: string;
  readonly mask: () => MaskStream;
  readonly maxBytes: number;
  bytesLeft: number;
  readonly records: Map<string, ArtifactRecord>;
}

export function createArtifactStore({ stateDir, maxBytes }: ArtifactOptions): ArtifactStore {
  const root = path.join(stateDir, 'artifacts');
  return {
    ...createKept(root),
    keep: async (runId, workFolder, paths, mask) => {
      if (!RUN_ID.test(runId)) throw new TypeError(`${JSON.stringify(runId)} cannot name a folder of artifacts`);
      const folder = path.join(root, runId);
      const aside = asideOf(root, runId);
      const records = new Map<string, ArtifactRecord>();
      const keeping = { workFolder, folder, aside, mask, maxBytes, bytesLeft: maxBytes, records };
      for (const declared of paths) await keepDeclared(keeping, declared);
      await syncKept(keeping);
      return [...records.values()];
    },
  };
}

/** A file, or a folder with what is in it, one after the other in the order of names. */
async function keepDeclared(keeping: Keeping, declared: string): Promise<void> {
  const first = rawName(declared)
    .split('/')
    .filter((name) => name !== '' && name !== '.');
  if (first.length === 0 || !first.every(isName) || declared.startsWith('/')) {
    record(keeping, declared, 'it does not lie in the work folder');
    return;
  }
  const pending: (readonly string[])[] = [first];
  let files = 0;
  let entries = 0;
  let isCut = false;
  while (files < MAX_FILES) {
    const names = pending.pop();
    if (names === undefined) break;
    // Declared names are those of the document; all others are the script's.
    const visible = names === first ? textOf(names) : masked(keeping, textOf(names));
    if (visible !== textOf(names)) {
      record(keeping, visible, 'a secret is in its name');
      continue;
    }
    const reached = await look(keeping, names);
    if (reached?.kind !== 'folder') {
      files += 1;
      if (reached !== null) await keepReached(keeping, textOf(names), reached);
      continue;
    }
    const inside = reached.names.slice(0, Math.min(MAX_FILES, MAX_ENTRIES - entries)).map((name) => names.concat(name));
    entries += inside.length;
    isCut ||= inside.length < reached.names.length;
    pending.push(...inside.reverse());
    if (reached.names.length === 0) record(keeping, textOf(names), 'it is an empty folder');
  }
  if (isCut || pending.length > 0) {
    record(keeping, textOf(first), `it holds more than the ${MAX_FILES} files that are kept of a folder`);
  }
}

/** @returns null where the record already says why there is nothing */
async function look(keeping: Keeping, names: readonly string[]): Promise<Reached | null> {
  const shown = textOf(names);
  if (rawName(shown) !== names.join('/')) return refused(keeping, shown, 'its name is not UTF-8');
  if (names.join('/').length > MAX_PATH_BYTES) return refused(keeping, shown, 'its path is too long');
  try {
    return await reach(keeping.workFolder, names, MAX_FILES);
  } catch (error) {
    const isMissing = ['ENOENT', 'ENOTDIR'].includes(codeOf(error));
    return refused(keeping, shown, isMissing ? NOT_WRITTEN : `it cannot be read: ${reasonOf(error)}`);
  }
}

async function keepReached(
  keeping: Keeping,
  shown: string,
  reached: Exclude<Reached, { kind: 'folder' }>,
): Promise<void> {
  if (reached.kind !== 'file') {
    record(keeping, shown, NOT_KEPT[reached.kind]);
    return;
  }
  try {
    // What was declared twice, or lies in a declared folder as well, is kept once.
    if (keeping.records.get(shown)?.kept !== true) await keepFile(keeping, shown, reached);
  } catch (error) {
    record(keeping, shown, `it could not be kept: ${reasonOf(error)}`, reached.bytes);
  } finally {
    await reached.handle.close();
  }
}

async function keepFile(keeping: Keeping, shown: string, { handle, bytes }: ReachedFile): Promise<void> {
  const { aside, bytesLeft, mask } = keeping;
  const target = path.join(keeping.folder, shown);
  const most = Math.min(bytesLeft, ((await freeBytes(keeping.folder)) ?? Infinity) - LEFT_FOR_LEDGER);
  const transferred =
    bytes > most ? null : await writeAside(aside, target, async (file) => await transfer(handle, file, most, mask));
  if (transferred === null) {
    const isTooMuch = most === bytesLeft || bytes > bytesLeft;
    const tooMuch = `it does not fit in the ${formatBytes(keeping.maxBytes)} that are kept of a run`;
    record(keeping, shown, isTooMuch ? tooMuch : 'the disk is nearly full', bytes);
    return;
  }
  keeping.bytesLeft -= transferred.bytes;
  keeping.records.set(shown, { path: shown, ...transferred, kept: true, reason: null });
}

/** @param write gives null when the file is not to be kept after all */
async function writeAside<T>(
  aside: string,
  target: string,
  write: (file: FileHandle) => Promise<T | null>,
): Promise<T | null> {
  makeFolders(path.dirname(target), 0o700);
  const file = await open(aside, 'w', 0o600);
  try {
    const written = await write(file);
    if (written === null) return null;
    await rename(aside, target);
    return written;
  } finally {
    await file.close();
    await rm(aside, { force: true });
  }
}

/**
 * What a record speaks of is on the disk. All at the end and a few at once, which is five times as fast as one by one:
 * until the records are given away nobody believes in the files.
 */
async function syncKept(keeping: Keeping): Promise<void> {
  const pending = [...keeping.records.values()].filter(({ kept }) => kept);
  const work = async (): Promise<void> => {
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      const file = path.join(keeping.folder, next.path);
      try {
        await sync(file);
      } catch (error) {
        const reason = `it could not be kept: ${reasonOf(error)}`;
        keeping.records.set(next.path, { ...next, digest: null, masked: false, kept: false, reason });
        await rm(file, { force: true }).catch(() => {});
      }
    }
  };
  await Promise.all(Array.from({ length: 4 }, work));
}

async function sync(file: string): Promise<void> {
  const handle = await open(file, 'r');
  try {
    await handle.datasync();
  } finally {
    await handle.close();
  }
}

function masked({ mask }: Keeping, text: string): string {
  const stream = mask();
  return Buffer.concat([stream.write(Buffer.from(text)), stream.end()]).toString();
}

function refused(keeping: Keeping, shown: string, reason: string): null {
  record(keeping, shown, reason);
  return null;
}

function record({ records }: Keeping, shown: string, reason: string, bytes = 0): void {
  if (records.get(shown)?.kept === true) return;
  records.set(shown, { path: shown, bytes, digest: null, masked: false, kept: false, reason });
}

function textOf(names: readonly string[]): string {
  return Buffer.from(names.join('/'), 'latin1').toString();
}
