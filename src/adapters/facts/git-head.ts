/** The commit that a work tree is at, from git's own files (gitrepository-layout(5)): git itself is not started. */
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { findWorkTree } from '../system/work-tree.ts';

const COMMIT = /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/;
/** A name that leaves the folder, or one that git would not take. */
const REFERENCE = /^ref: (refs\/(?!.*(?:\.\.|\/\/))[^\s~^:?*[\\]+)$/;
/** Of `packed-refs`, which has a line for each branch and tag. */
const MAX_BYTES = 8 * 1024 ** 2;

/** Null outside of a work tree, before its first commit, and where it keeps its references in another form. */
export async function readCommit(documentPath: string): Promise<string | null> {
  const root = findWorkTree(path.dirname(documentPath));
  const folder = root === null ? null : gitFolder(path.join(root, '.git'));
  if (folder === null) return null;
  const head = read(path.join(folder, 'HEAD'));
  if (head === null || COMMIT.test(head)) return head;
  const reference = REFERENCE.exec(head)?.[1];
  if (reference === undefined) return null;
  // A linked work tree shares its branches with the others.
  const shared = read(path.join(folder, 'commondir'));
  const folders = shared === null ? [folder] : [folder, path.resolve(folder, shared)];
  for (const one of folders) {
    const commit = read(path.join(one, reference)) ?? packed(one, reference);
    if (commit !== null && COMMIT.test(commit)) return commit;
  }
  return null;
}

/** `.git` is a file in linked trees and submodules. */
function gitFolder(place: string): string | null {
  const facts = statSync(place, { throwIfNoEntry: false });
  if (facts?.isDirectory() === true) return place;
  const elsewhere = /^gitdir: (.+)$/.exec(read(place) ?? '')?.[1];
  return elsewhere === undefined ? null : path.resolve(path.dirname(place), elsewhere);
}

function packed(folder: string, reference: string): string | null {
  const line = read(path.join(folder, 'packed-refs'))
    ?.split('\n')
    .find((one) => one.endsWith(` ${reference}`));
  return line?.split(' ')[0] ?? null;
}

function read(file: string): string | null {
  try {
    const facts = statSync(file);
    return facts.isFile() && facts.size <= MAX_BYTES ? readFileSync(file, 'utf8').trim() : null;
  } catch {
    return null;
  }
}
