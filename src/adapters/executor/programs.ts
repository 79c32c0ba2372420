/** Programs of the system that containment needs. */
import { accessSync, constants } from 'node:fs';
import path from 'node:path';

/** Not the caller's PATH: a version manager's shim is slow, and what it starts depends on the folder. */
const FOLDERS = ['/usr/bin', '/bin', '/usr/local/bin', '/run/current-system/sw/bin'];

/** Absolute path; null where it is not installed. */
export function findProgram(name: string): string | null {
  return FOLDERS.map((folder) => path.join(folder, name)).find(isExecutable) ?? null;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
