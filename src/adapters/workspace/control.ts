/** Files of the control folder: written by us, and by scripts in their turn. */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { codeOf } from '../../core/failures.ts';

/** Outputs of a step are names and short values. */
const MAX_CONTROL_FILE_BYTES = 1024 ** 2;

/** @throws Error whose message says why: the script may have put anything there, so nothing is followed or waited for */
export async function readSmallFile(file: string): Promise<string> {
  const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(
    (error: unknown) => {
      throw new Error(codeOf(error) === 'ENOENT' ? 'the script removed it' : `it is no plain file (${codeOf(error)})`, {
        cause: error,
      });
    },
  );
  try {
    const facts = await handle.stat();
    if (!facts.isFile()) throw new Error('it is no plain file');
    if (facts.size > MAX_CONTROL_FILE_BYTES) throw new Error('it is larger than 1 MiB');
    return await handle.readFile('utf8');
  } finally {
    await handle.close();
  }
}
