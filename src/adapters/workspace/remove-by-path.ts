import { chmod, readdir, rm } from 'node:fs/promises';
import path from 'node:path';

/** Removing where descriptors have no paths (macOS): also where permissions were taken away; never follows a link. */
export async function removeByPath(root: string): Promise<void> {
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
