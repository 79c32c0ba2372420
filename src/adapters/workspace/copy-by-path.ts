/**
 * Copying where descriptors have no paths (macOS). Everything is checked, by name: who exchanges a folder at the right
 * moment can have something else copied. A file itself is opened once, without following a link, and looked at then.
 */
import { constants } from 'node:fs';
import { lstat, mkdir, open, readdir, realpath } from 'node:fs/promises';
import path from 'node:path';
import { isInside } from '../../core/paths.ts';
import { pump, throwIfStopped, unmet } from './input-file.ts';

/** As `copyInputs`. */
export async function copyByPath(
  folder: string,
  paths: readonly string[],
  work: string,
  signal: AbortSignal,
): Promise<void> {
  for (const input of paths) {
    const target = path.join(work, input);
    await mkdir(path.dirname(target), { recursive: true });
    await copyTree({ folder, signal }, path.resolve(folder, input), target);
  }
}

interface Copying {
  readonly folder: string;
  readonly signal: AbortSignal;
}

async function copyTree(copying: Copying, source: string, target: string): Promise<void> {
  const { folder, signal } = copying;
  throwIfStopped(signal);
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
    await copyFile(copying, real, target, name);
  } else {
    throw notRegular(name);
  }
}

async function copyFile({ signal }: Copying, real: string, target: string, name: string): Promise<void> {
  // O_NONBLOCK: a FIFO that has taken the file's place must not be waited for.
  const source = await open(real, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const facts = await source.stat();
    if (!facts.isFile()) throw notRegular(name);
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW;
    const copy = await open(target, flags, 0o600);
    try {
      await pump(source, copy, facts, signal);
    } finally {
      await copy.close();
    }
  } finally {
    await source.close();
  }
}

function notRegular(name: string): Error {
  return unmet(`Input ${name} is neither a file nor a folder.`, 'Name regular files and folders only.');
}
