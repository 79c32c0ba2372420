/** Files of the control folder: written by us, and by scripts in their turn. */
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { codeOf } from '../../core/failures.ts';

/** Outputs of a step are names and short values. */
const MAX_CONTROL_FILE_BYTES = 1024 ** 2;

/** @throws Error whose message says why: the script may have put anything there, so nothing is followed or waited for */
export function readSmallFile(file: string): string {
  const fd = opened(file);
  try {
    const facts = fstatSync(fd);
    if (!facts.isFile()) throw new Error('it is no plain file');
    if (facts.size > MAX_CONTROL_FILE_BYTES) throw new Error('it is larger than 1 MiB');
    return readFileSync(fd, 'utf8');
  } finally {
    closeSync(fd);
  }
}

function opened(file: string): number {
  try {
    return openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    throw new Error(codeOf(error) === 'ENOENT' ? 'the script removed it' : `it is no plain file (${codeOf(error)})`, {
      cause: error,
    });
  }
}
