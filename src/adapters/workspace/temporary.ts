/** A private folder for one run: `work/` is the script's, `control/` holds what runs it (scripts, outputs of steps). */
import { chmod, copyFile, lstat, mkdir, mkdtemp, readFile, readdir, realpath, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { RunbookError } from '../../core/errors.ts';
import type { Workspace } from '../../core/ports.ts';
import { isInside } from '../source/folder.ts';

export function createWorkspace(parent: string): Workspace {
  return {
    create: async (runId, folder, inputs) => {
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
        for (const input of inputs) await copyInput(folder, input.path, work);
      } catch (error) {
        await removeTree(root);
        if (error instanceof RunbookError) throw error;
        throw new RunbookError('io', `The inputs could not be copied: ${messageOf(error)}.`, {
          fix: 'Check the files and the free space of the folder for work folders.',
          cause: error,
        });
      }
      return {
        path: work,
        controlFile: async (name, content) => {
          const file = path.join(control, name);
          await writeFile(file, content, { mode: 0o600 });
          return file;
        },
        readControlFile: async (name) => await readFile(path.join(control, name), 'utf8'),
        remove: async () => {
          await removeTree(root);
        },
      };
    },
  };
}

/** Copies with structure: `a/b.txt` becomes `work/a/b.txt`. Links are followed only while they stay inside the folder. */
async function copyInput(folder: string, relative: string, work: string): Promise<void> {
  const source = await realpath(path.resolve(folder, relative));
  if (!isInside(folder, source)) {
    throw new RunbookError('requirements-unmet', `Input file leads out of the runbook’s folder: ${relative}.`, {
      fix: 'Keep inputs beside the runbook.',
    });
  }
  const target = path.join(work, relative);
  await mkdir(path.dirname(target), { recursive: true });
  await copyTree(folder, source, target);
}

async function copyTree(folder: string, source: string, target: string): Promise<void> {
  const facts = await lstat(source);
  if (facts.isSymbolicLink()) {
    const linked = await realpath(source);
    if (!isInside(folder, linked)) {
      throw new RunbookError(
        'requirements-unmet',
        `Input ${path.relative(folder, source)} is a link that leads out of the runbook’s folder.`,
        { fix: 'Keep inputs beside the runbook.' },
      );
    }
    await copyTree(folder, linked, target);
  } else if (facts.isDirectory()) {
    await mkdir(target, { recursive: true });
    for (const name of await readdir(source)) await copyTree(folder, path.join(source, name), path.join(target, name));
  } else if (facts.isFile()) {
    await copyFile(source, target);
  } else {
    throw new RunbookError(
      'requirements-unmet',
      `Input ${path.relative(folder, source)} is neither a file nor a folder.`,
      { fix: 'Name regular files and folders only.' },
    );
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

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
