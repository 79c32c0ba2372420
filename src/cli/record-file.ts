/** `--record FILE`: the record of a run as a file, for whoever started it. There is one, whole, or there is none. */
import { randomBytes } from 'node:crypto';
import { lstatSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { RunbookError } from '../core/errors.ts';
import { codeOf, messageOf } from '../core/failures.ts';

export interface RecordFile {
  /** @throws RunbookError `io`; nothing is left then */
  write(pieces: AsyncIterable<string>): Promise<void>;
}

/**
 * Before anything else is done: what an earlier run left is removed, since nobody may take it for the record of this one.
 * @throws RunbookError `usage` (there is something that is no regular file), `io` (nothing can be written there)
 */
export async function prepareRecordFile(name: string, cwd: string): Promise<RecordFile> {
  const file = path.resolve(cwd, name);
  const draft = path.join(
    path.dirname(file),
    `.${path.basename(file).slice(0, 200)}.${randomBytes(6).toString('hex')}.tmp`,
  );
  try {
    checkIsRegular(file, name);
    await (await open(draft, 'wx', 0o600)).close();
    await rm(draft);
    await rm(file, { force: true });
  } catch (error) {
    throw cannotWrite(name, error);
  }
  return {
    write: async (pieces) => {
      try {
        const handle = await open(draft, 'wx', 0o600);
        try {
          for await (const piece of pieces) await handle.writeFile(piece);
          await handle.sync();
        } finally {
          await handle.close();
        }
        checkIsRegular(file, name);
        await rename(draft, file);
      } catch (error) {
        await rm(draft, { force: true }).catch(() => {});
        throw cannotWrite(name, error);
      }
    },
  };
}

/** A link, a device or a pipe is somebody else's: it is not replaced, and nothing is written through it. */
function checkIsRegular(file: string, name: string): void {
  const facts = lstatSync(file, { throwIfNoEntry: false });
  if (facts === undefined || facts.isFile()) return;
  throw new RunbookError('usage', `--record: ${name} is there and is not a regular file.`, {
    fix: 'Name a file that is not there yet, or one that may be replaced.',
  });
}

function cannotWrite(name: string, cause: unknown): RunbookError {
  if (cause instanceof RunbookError) return cause;
  const why = codeOf(cause) === '' ? messageOf(cause) : codeOf(cause);
  return new RunbookError('io', `--record: ${name} cannot be written (${why}).`, {
    fix: 'Name a file in a folder that is there, with room, and that you may write to.',
    cause,
  });
}
