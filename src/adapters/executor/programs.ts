/** Programs of the system that containment needs. */
import { accessSync, constants } from 'node:fs';
import path from 'node:path';
import { RunbookError } from '../../core/errors.ts';

/** Not the caller's PATH: a version manager's shim is slow, and what it starts depends on the folder. */
const FOLDERS = ['/usr/bin', '/bin', '/usr/local/bin', '/run/current-system/sw/bin'];

/** Absolute path; null where it is not installed. */
export function findProgram(name: string): string | null {
  return FOLDERS.map((folder) => path.join(folder, name)).find(isExecutable) ?? null;
}

/** script(1), which gives a step its terminal. @throws RunbookError `unavailable` where it is not there */
export function findTerminalProgram(): string {
  const program = findProgram('script');
  if (program !== null) return program;
  throw new RunbookError('unavailable', 'A step wants a terminal, and `script` of util-linux is not installed.', {
    fix: 'Install it (Debian: bsdutils), or take `tty: true` out of the step.',
  });
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
