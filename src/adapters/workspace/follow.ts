/** A control file that a script appends to while it runs: what is new in it, without waiting for anything. */
import { closeSync, constants, fstatSync, lstatSync, openSync, readSync } from 'node:fs';
import { codeOf } from '../../core/failures.ts';
import type { Followed } from '../../core/ports.ts';
import { formatBytes } from '../../core/units.ts';

/** It is for lines, not for output, and each line costs time: this many take about two seconds. */
const MAX_BYTES = 256 * 1024;

const NOTHING: Followed = { text: '', problem: null };
const NO_FILE: Followed = { text: '', problem: 'it is no plain file' };

/** Never throws: the script may have put anything there, or taken the folder away. */
export function follow(file: string): () => Followed {
  let seen = '';
  return () => {
    try {
      const facts = lstatSync(file, { bigint: true });
      const stamp = `${facts.ino} ${facts.size} ${facts.mtimeNs} ${facts.mode}`;
      if (stamp === seen) return NOTHING;
      seen = stamp;
      return facts.isFile() ? readPlainFile(file) : NO_FILE;
    } catch (error) {
      const code = codeOf(error);
      // Removed again is as good as never written.
      return code === 'ENOENT' ? NOTHING : { text: '', problem: `it cannot be read (${code})` };
    }
  };
}

/** It may be another by now, but nothing is followed or waited for. */
function readPlainFile(file: string): Followed {
  const fd = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const facts = fstatSync(fd);
    if (!facts.isFile()) return NO_FILE;
    const bytes = Buffer.alloc(Math.min(facts.size, MAX_BYTES));
    const text = bytes.toString('utf8', 0, readSync(fd, bytes, 0, bytes.length, 0));
    if (facts.size <= MAX_BYTES) return { text, problem: null };
    // The beginning of a line may be that of many others.
    return { text: text.slice(0, text.lastIndexOf('\n') + 1), problem: `it is larger than ${formatBytes(MAX_BYTES)}` };
  } finally {
    closeSync(fd);
  }
}
