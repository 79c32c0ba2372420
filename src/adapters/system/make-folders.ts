/** Folders with those above them. Node's own `recursive` never ends where the system says ENOENT of a folder that is there. */
import { mkdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { codeOf } from '../../core/failures.ts';

/** Those that are there stay as they are. @throws Error of the system */
export function makeFolders(folder: string, mode: number): void {
  try {
    mkdirSync(folder, { mode });
  } catch (error) {
    if (codeOf(error) === 'EEXIST' && statSync(folder).isDirectory()) return;
    const parent = path.dirname(folder);
    if (codeOf(error) !== 'ENOENT' || parent === folder) throw error;
    makeFolders(parent, mode);
    // As below /proc, where nobody makes anything: once more and not for ever.
    try {
      mkdirSync(folder, { mode });
    } catch (again) {
      if (codeOf(again) !== 'EEXIST') throw again;
    }
  }
}
