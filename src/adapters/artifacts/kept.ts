/** What is kept of runs: how much, since when, what is in it; and its end. */
import { createHash } from 'node:crypto';
import { readdir, rm, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { RunbookError } from '../../core/errors.ts';
import { codeOf } from '../../core/failures.ts';
import type { ArtifactStore, OutputFacts } from '../../core/ports.ts';
import { rawName, reasonOf } from '../system/descriptors.ts';
import { reach } from './reach.ts';

/** Ids name folders here: nothing that could leave the folder. */
export const RUN_ID = /^[A-Za-z0-9_-]{1,64}$/;

const READ_BYTES = 256 * 1024;

/** Where a file of a run is until it is whole: no run has a dot in its name. */
export function asideOf(root: string, runId: string): string {
  return path.join(root, `${runId}.partial`);
}

/** Of one part of a path. */
export function isName(name: string): boolean {
  return name !== '' && name !== '.' && name !== '..' && !name.includes('\0');
}

export function createKept(root: string): Pick<ArtifactStore, 'kept' | 'read' | 'measure' | 'remove'> {
  return {
    read: async (runId, name) => await withFile(root, runId, name, async (file) => await file.readFile()),
    measure: async (runId, name) => await withFile(root, runId, name, measured),
    kept: async () => {
      const names = (await namesIn(root)).map((name) => name.replace(/\.partial$/, ''));
      const all: OutputFacts[] = [];
      for (const runId of new Set(names.filter((name) => RUN_ID.test(name)))) {
        const facts = [await factsOf(path.join(root, runId)), await factsOf(asideOf(root, runId))];
        const bytes = facts.reduce((sum, one) => sum + one.bytes, 0);
        all.push({ runId, bytes, lastWriteAt: new Date(Math.max(...facts.map(({ lastMs }) => lastMs))) });
      }
      return all;
    },
    remove: async (runId) => {
      if (!RUN_ID.test(runId)) return;
      for (const place of [path.join(root, runId), asideOf(root, runId)])
        await rm(place, { recursive: true, force: true }).catch((error: unknown) => {
          throw cannot('removed', place, error);
        });
    },
  };
}

/** Null where nothing is kept under that name. @throws RunbookError `io` */
async function withFile<T>(
  root: string,
  runId: string,
  name: string,
  work: (file: FileHandle) => Promise<T>,
): Promise<T | null> {
  const names = rawName(name).split('/');
  if (!RUN_ID.test(runId) || !names.every(isName)) return null;
  try {
    const reached = await reach(path.join(root, runId), names, 0);
    if (reached.kind !== 'file') return null;
    try {
      return await work(reached.handle);
    } finally {
      await reached.handle.close();
    }
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ENAMETOOLONG'].includes(codeOf(error))) return null;
    throw new RunbookError('io', `The artifact ${name} of run ${runId} cannot be read: ${reasonOf(error)}.`, {
      fix: 'See that the folder of artifacts belongs to you and that its disk is whole.',
      cause: error,
    });
  }
}

async function measured(file: FileHandle): Promise<{ readonly bytes: number; readonly digest: string }> {
  const digest = createHash('sha256');
  const buffer = Buffer.allocUnsafe(READ_BYTES);
  let bytes = 0;
  for (;;) {
    const { bytesRead } = await file.read(buffer);
    if (bytesRead === 0) return { bytes, digest: digest.digest('hex') };
    bytes += bytesRead;
    digest.update(buffer.subarray(0, bytesRead));
  }
}

/** Zeros where nothing is there, or any more. */
async function factsOf(place: string): Promise<{ readonly bytes: number; readonly lastMs: number }> {
  try {
    const { size, mtimeMs, isDirectory } = await factsAndKind(place);
    if (!isDirectory) return { bytes: size, lastMs: mtimeMs };
    let [bytes, lastMs] = [0, mtimeMs];
    for (const name of await readdir(place, { recursive: true })) {
      const inside = await factsAndKind(path.join(place, name));
      if (!inside.isDirectory) bytes += inside.size;
      lastMs = Math.max(lastMs, inside.mtimeMs);
    }
    return { bytes, lastMs };
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return { bytes: 0, lastMs: 0 };
    throw cannot('read', place, error);
  }
}

async function factsAndKind(place: string): Promise<{ size: number; mtimeMs: number; isDirectory: boolean }> {
  const facts = await stat(place);
  return { size: facts.size, mtimeMs: facts.mtimeMs, isDirectory: facts.isDirectory() };
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw cannot('read', folder, error);
  }
}

function cannot(be: 'read' | 'removed', place: string, cause: unknown): RunbookError {
  return new RunbookError('io', `The artifacts in ${place} cannot be ${be}: ${reasonOf(cause)}.`, {
    fix: 'See that the folder belongs to you and that its disk is whole.',
    cause,
  });
}
