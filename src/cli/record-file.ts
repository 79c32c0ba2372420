/** `--record FILE`: the record of a run as a file, for whoever started it. There is one, whole, or there is none. */
import { randomBytes } from 'node:crypto';
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fstatSync,
  lstatSync,
  openSync,
  readSync,
  realpathSync,
} from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { RunbookError } from '../core/errors.ts';
import { codeOf, messageOf } from '../core/failures.ts';

export interface RecordFile {
  /** As it was given. */
  readonly name: string;
  /** Of a state folder that has no ledger yet. @throws RunbookError `usage` where the file would be in it */
  refuseInside(stateDir: string): void;
  /** @throws RunbookError `io`; nothing is left then */
  write(pieces: AsyncIterable<string>): Promise<void>;
}

/** How `history RUN --json` begins, also where somebody has written it anew without blanks. */
const BEGINNING = /^\{\s*"schemaVersion":\s*\d+,\s*"command":\s*"history",\s*"run":\s*\{/;
const BEGINNING_BYTES = 256;

/**
 * Before anything else is done: what an earlier run left is removed, since nobody may take it for the record of this one.
 * @throws RunbookError `usage` (there is something that is no record, or it is a state folder), `io` (nothing can be
 *   written there); nothing is touched then
 */
export async function prepareRecordFile(name: string, cwd: string): Promise<RecordFile> {
  const file = fileNamed(name, cwd);
  const draft = path.join(
    path.dirname(file),
    `.${path.basename(file).slice(0, 200)}.${randomBytes(6).toString('hex')}.tmp`,
  );
  try {
    checkPlace(file, name);
    await (await open(draft, 'wx', 0o600)).close();
    await rm(draft);
    await rm(file, { force: true });
  } catch (error) {
    throw cannotWrite(name, error);
  }
  return {
    name,
    refuseInside: refuserInside(file, name),
    write: async (pieces) => {
      try {
        const handle = await open(draft, 'wx', 0o600);
        try {
          for await (const piece of pieces) await handle.writeFile(piece);
          await handle.sync();
        } finally {
          await handle.close();
        }
        checkReplaceable(file, name);
        await rename(draft, file);
        await syncFolder(path.dirname(file));
      } catch (error) {
        await rm(draft, { force: true }).catch(() => {});
        throw cannotWrite(name, error);
      }
    },
  };
}

/** As `prepareRecordFile`, for who only asks: nothing is written or removed, permissions tell. @throws as that */
export function checkRecordFile(name: string, cwd: string): Pick<RecordFile, 'refuseInside'> {
  const file = fileNamed(name, cwd);
  try {
    checkPlace(file, name);
    accessSync(path.dirname(file), constants.W_OK | constants.X_OK);
  } catch (error) {
    throw cannotWrite(name, error);
  }
  return { refuseInside: refuserInside(file, name) };
}

function fileNamed(name: string, cwd: string): string {
  if (name === '')
    throw new RunbookError('usage', '--record: no file is named.', { fix: 'Write `--record record.json`.' });
  return path.resolve(cwd, name);
}

function checkPlace(file: string, name: string): void {
  const folder = realpathSync(path.dirname(file));
  if (foldersUpFrom(folder).some((one) => existsSync(path.join(one, 'ledger.sqlite')))) throw insideState(name);
  checkReplaceable(file, name);
}

function refuserInside(file: string, name: string): RecordFile['refuseInside'] {
  return (stateDir) => {
    const state = existsSync(stateDir) ? realpathSync(stateDir) : path.resolve(stateDir);
    const folder = realpathSync(path.dirname(file));
    if (file === state || foldersUpFrom(folder).includes(state)) throw insideState(name);
  };
}

/** A name is only there for good when its folder is synced; some file systems cannot do that, and need not. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, constants.O_RDONLY);
  try {
    await handle.sync();
  } catch (error) {
    if (codeOf(error) !== 'EINVAL') throw error;
  } finally {
    await handle.close();
  }
}

/**
 * A link, a device or a pipe is somebody else's: it is not replaced, and nothing is written through it. Nor is a file that
 * holds something else than a record: it may be the runbook itself, or a key.
 */
function checkReplaceable(file: string, name: string): void {
  const facts = lstatSync(file, { throwIfNoEntry: false });
  if (facts === undefined) return;
  const fix = 'Name a file that is not there yet, or one that an earlier --record has written.';
  if (!facts.isFile())
    throw new RunbookError('usage', `--record: ${name} is there and is not a regular file.`, { fix });
  if (!isRecord(file))
    throw new RunbookError('usage', `--record: ${name} is there and is not a record of a run.`, { fix });
}

/** Or empty, as `mktemp` makes it. */
function isRecord(file: string): boolean {
  const descriptor = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    if (fstatSync(descriptor).size === 0) return true;
    const bytes = Buffer.alloc(BEGINNING_BYTES);
    return BEGINNING.test(bytes.toString('latin1', 0, readSync(descriptor, bytes, 0, BEGINNING_BYTES, 0)));
  } finally {
    closeSync(descriptor);
  }
}

/** The folder itself first. */
function foldersUpFrom(folder: string): readonly string[] {
  const parent = path.dirname(folder);
  return parent === folder ? [folder] : [folder, ...foldersUpFrom(parent)];
}

function insideState(name: string): RunbookError {
  return new RunbookError('usage', `--record: ${name} lies in a state folder, which is for the ledger.`, {
    fix: 'Name a file somewhere else.',
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
