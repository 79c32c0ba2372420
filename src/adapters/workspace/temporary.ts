/** A private folder for one run: `work/` is the script's, `control/` holds what runs it (scripts, outputs of steps). */
import { constants } from 'node:fs';
import { chmod, copyFile, lstat, mkdir, mkdtemp, open, readdir, realpath, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { RunbookError } from '../../core/errors.ts';
import { codeOf, messageOf } from '../../core/failures.ts';
import { isInside } from '../../core/paths.ts';
import type { Workspace } from '../../core/ports.ts';

/** Outputs of a step are names and short values. */
const MAX_CONTROL_FILE_BYTES = 1024 ** 2;

export interface WorkspaceOptions {
  /** Where the work folders are made. */
  readonly parent: string;
  /** The same folder as the host of a container sees it; null: no other than ours. */
  readonly mountDir: string | null;
}

export function createWorkspace({ parent, mountDir }: WorkspaceOptions): Workspace {
  return {
    create: async (runId, folder, inputs, signal) => {
      const root = await mkdtemp(path.join(parent, `runbook-exec-${runId.slice(-8).toLowerCase()}-`)).catch(
        (error: unknown) => {
          throw new RunbookError('io', `No work folder could be made in ${parent}: ${messageOf(error)}.`, {
            fix: 'Free some space, or name another folder with `--execution-dir`.',
            cause: error,
          });
        },
      );
      const [work, control] = [path.join(root, 'work'), path.join(root, 'control')];
      try {
        await mkdir(work, { mode: 0o700 });
        await mkdir(control, { mode: 0o700 });
        for (const input of inputs) await copyInput({ folder, signal }, input.path, work);
      } catch (error) {
        await removeTree(root);
        throw asInputError(error);
      }
      return {
        path: work,
        hostPath: mountDir === null ? work : path.join(mountDir, path.relative(parent, work)),
        controlFile: async (name, content) => {
          const file = path.join(control, name);
          await writeFile(file, content, { mode: 0o600 });
          return file;
        },
        readControlFile: async (name) => await readSmallFile(path.join(control, name)),
        remove: async () => {
          await removeTree(root);
        },
      };
    },
  };
}

interface Copying {
  /** Nothing outside of it is copied. */
  readonly folder: string;
  readonly signal: AbortSignal;
}

/** Copies with structure: `a/b.txt` becomes `work/a/b.txt`. Links are followed only while they stay inside the folder. */
async function copyInput(copying: Copying, relative: string, work: string): Promise<void> {
  const source = path.resolve(copying.folder, relative);
  const target = path.join(work, relative);
  await mkdir(path.dirname(target), { recursive: true });
  await copyTree(copying, source, target);
}

async function copyTree(copying: Copying, source: string, target: string): Promise<void> {
  const { folder, signal } = copying;
  if (signal.aborted) throw new RunbookError('busy', 'The run was stopped while its inputs were copied.', { fix: '' });
  const real = await realpath(source);
  const name = path.relative(folder, source);
  if (!isInside(folder, real)) {
    throw unmet(`Input file leads out of the runbook’s folder: ${name}.`, 'Keep inputs beside the runbook.');
  }
  const facts = await lstat(real);
  if (facts.isDirectory()) {
    if (real !== source && isInside(real, source)) {
      throw unmet(
        `Input ${name} is a link to a folder that holds it.`,
        'Remove the link, or name the files themselves.',
      );
    }
    await mkdir(target, { recursive: true });
    for (const entry of await readdir(real))
      await copyTree(copying, path.join(source, entry), path.join(target, entry));
  } else if (facts.isFile()) {
    await copyFile(real, target);
  } else {
    throw unmet(`Input ${name} is neither a file nor a folder.`, 'Name regular files and folders only.');
  }
}

/** @throws Error whose message says why: the script may have put anything there, so nothing is followed or waited for */
async function readSmallFile(file: string): Promise<string> {
  const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(
    (error: unknown) => {
      throw new Error(codeOf(error) === 'ENOENT' ? 'the script removed it' : `it is no plain file (${codeOf(error)})`, {
        cause: error,
      });
    },
  );
  try {
    const facts = await handle.stat();
    if (!facts.isFile()) throw new Error('it is no plain file');
    if (facts.size > MAX_CONTROL_FILE_BYTES) throw new Error('it is larger than 1 MiB');
    return await handle.readFile('utf8');
  } finally {
    await handle.close();
  }
}

/** Also where a script took away its own permission; never follows a link. */
async function removeTree(root: string): Promise<void> {
  try {
    await rm(root, { recursive: true, force: true });
  } catch {
    await openUp(root);
    await rm(root, { recursive: true, force: true });
  }
}
async function openUp(folder: string): Promise<void> {
  await chmod(folder, 0o700);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) await openUp(path.join(folder, entry.name));
  }
}

function unmet(message: string, fix: string): RunbookError {
  return new RunbookError('requirements-unmet', message, { fix });
}

function asInputError(error: unknown): RunbookError {
  if (error instanceof RunbookError) return error;
  return new RunbookError('io', `The inputs could not be copied: ${messageOf(error)}.`, {
    fix: 'Check the files, and the free space of the folder for work folders.',
    cause: error,
  });
}
