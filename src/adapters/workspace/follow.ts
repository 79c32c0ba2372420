/** A control file that a script appends to while it runs: what is new in it, without waiting for anything. */
import { closeSync, constants, fstatSync, lstatSync, openSync, readSync } from 'node:fs';
import { codeOf } from '../../core/failures.ts';
import type { Followed } from '../../core/ports.ts';
import { formatBytes } from '../../core/units.ts';

/** It is for lines, not for output, and each line costs time: this many take about two seconds. */
const MAX_BYTES = 256 * 1024;

const NOTHING: Followed = { text: '', problem: null };

/** Never throws: the script may have put anything there, or taken the folder away. */
export function follow(file: string): () => Followed {
  let seen = '';
  return () => {
    try {
      const { ino, size, mtimeNs, mode } = lstatSync(file, { bigint: true });
      const stamp = `${ino} ${size} ${mtimeNs} ${mode}`;
      if (stamp === seen) return NOTHING;
      seen = stamp;
      return readPlainFile(file);
    } catch (error) {
      const code = codeOf(error);
      // Removed again is as good as never written.
      return code === 'ENOENT' ? NOTHING : { text: '', problem: `it cannot be read (${code})` };
    }
  };
}

function readPlainFile(file: string): Followed {
  const fd = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const facts = fstatSync(fd);
    if (!facts.isFile()) return { text: '', problem: 'it is no plain file' };
    const bytes = Buffer.alloc(Math.min(facts.size, MAX_BYTES));
    return {
      text: bytes.toString('utf8', 0, readSync(fd, bytes, 0, bytes.length, 0)),
      problem: facts.size > MAX_BYTES ? `it is larger than ${formatBytes(MAX_BYTES)}` : null,
    };
  } finally {
    closeSync(fd);
  }
}
