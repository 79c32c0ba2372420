import { existsSync } from 'node:fs';
import path from 'node:path';

/** Root of the git work tree that `start` lies in; null outside of one. `.git` is a file in linked trees and submodules. */
export function findWorkTree(start: string): string | null {
  for (let folder = start; ; folder = path.dirname(folder)) {
    if (existsSync(path.join(folder, '.git'))) return folder;
    if (folder === path.dirname(folder)) return null;
  }
}
