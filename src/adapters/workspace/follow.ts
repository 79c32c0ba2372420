/** A control file that a script appends to while it runs: what is new in it, without waiting for anything. */
import { closeSync, constants, fstatSync, openSync, readSync, statSync } from 'node:fs';

/** More than this is not read: it is for lines, not for output. */
const MAX_BYTES = 1024 ** 2;

/**
 * @returns a function that gives all of the file whenever it has changed since the last call, else an empty text. What is
 * no plain file any more gives nothing.
 */
export function follow(file: string): () => string {
  let seen = '';
  return () => {
    const facts = statSync(file, { bigint: true, throwIfNoEntry: false });
    const stamp = facts === undefined ? '' : `${facts.ino} ${facts.size} ${facts.mtimeNs}`;
    if (stamp === seen || facts === undefined) return '';
    seen = stamp;
    return facts.size === 0n ? '' : readPlainFile(file);
  };
}

function readPlainFile(file: string): string {
  let fd: number | null = null;
  try {
    fd = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const { size } = fstatSync(fd);
    if (!fstatSync(fd).isFile()) return '';
    const bytes = Buffer.alloc(Math.min(size, MAX_BYTES));
    return bytes.toString('utf8', 0, readSync(fd, bytes, 0, bytes.length, 0));
  } catch {
    return '';
  } finally {
    if (fd !== null) closeSync(fd);
  }
}
