/** Files that are there whole or not at all: written beside their place under another name, synced, renamed. */
import { randomBytes } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { syncFolder } from './sync.ts';

/** A name in the same folder that nobody else has, for what is not whole yet. Never that of a document. */
export function draftBeside(file: string): string {
  const name = path.basename(file).slice(0, 200);
  return path.join(path.dirname(file), `.${name}.${randomBytes(6).toString('hex')}.tmp`);
}

/** Whether a file can be made there: one is, and goes again. @throws Error of the system */
export async function tryFile(file: string): Promise<void> {
  const draft = draftBeside(file);
  await (await open(draft, 'wx', 0o600)).close();
  await rm(draft);
}

/**
 * Nothing is left of it where it fails.
 * @param mode of a new file, less what the umask takes
 * @param check called when all is written, right before it takes its place; may throw
 * @throws Error of the system, or what `check` throws
 */
export async function writeWhole(
  file: string,
  pieces: AsyncIterable<string> | Iterable<string>,
  mode: number,
  check: () => void,
): Promise<void> {
  const draft = draftBeside(file);
  try {
    const handle = await open(draft, 'wx', mode);
    try {
      for await (const piece of pieces) await handle.writeFile(piece);
      await handle.sync();
    } finally {
      await handle.close();
    }
    check();
    await rename(draft, file);
    syncFolder(path.dirname(file));
  } catch (error) {
    await rm(draft, { force: true }).catch(() => {});
    throw error;
  }
}
