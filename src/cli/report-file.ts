/**
 * A file that an option names for what came of a run. There is one, whole, or there is none; and only what an earlier run has
 * left there is replaced.
 */
import { accessSync, closeSync, constants, fstatSync, lstatSync, openSync, readSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { tryFile, writeWhole } from '../app/files.ts';
import { RunbookError } from '../core/errors.ts';
import { codeOf, messageOf } from '../core/failures.ts';

export interface ReportKind {
  /** `--record` */
  readonly option: string;
  /** A file name to show. */
  readonly example: string;
  /** What an earlier one is: `a record of a run`. */
  readonly what: string;
  /** … and how it begins, in its first 256 bytes. */
  readonly beginning: RegExp;
  /** Of a new file, less what the umask takes. */
  readonly mode: number;
  /** What else speaks against the place, before anything is touched. @throws RunbookError, Error of the system */
  readonly checkPlace?: (file: string, name: string) => void;
}

export interface ReportFile {
  /** Absolute. */
  readonly file: string;
  /** @throws RunbookError `io`, `usage` (something else is there by now); nothing is left of it then */
  write(pieces: AsyncIterable<string> | Iterable<string>): Promise<void>;
}

const BEGINNING_BYTES = 256;

/**
 * Before anything else is done: what an earlier run left is removed, since nobody may take it for this one's.
 * @throws RunbookError `usage` (there is something else), `io` (nothing can be written there); nothing is touched then
 */
export async function prepareReport(name: string, cwd: string, kind: ReportKind): Promise<ReportFile> {
  const file = fileNamed(name, cwd, kind);
  try {
    checkPlace(file, name, kind);
    await tryFile(file);
    await rm(file, { force: true });
  } catch (error) {
    throw cannotWrite(name, kind, error);
  }
  return {
    file,
    write: async (pieces) => {
      try {
        await writeWhole(file, pieces, kind.mode, () => {
          checkReplaceable(file, name, kind);
        });
      } catch (error) {
        throw cannotWrite(name, kind, error);
      }
    },
  };
}

/** As `prepareReport`, for who only asks: nothing is written or removed, permissions tell. @returns the file. @throws as that */
export function checkReport(name: string, cwd: string, kind: ReportKind): string {
  const file = fileNamed(name, cwd, kind);
  try {
    checkPlace(file, name, kind);
    accessSync(path.dirname(file), constants.W_OK | constants.X_OK);
  } catch (error) {
    throw cannotWrite(name, kind, error);
  }
  return file;
}

function fileNamed(name: string, cwd: string, { option, example }: ReportKind): string {
  if (name === '')
    throw new RunbookError('usage', `${option}: no file is named.`, { fix: `Write \`${option} ${example}\`.` });
  return path.resolve(cwd, name);
}

function checkPlace(file: string, name: string, kind: ReportKind): void {
  kind.checkPlace?.(file, name);
  checkReplaceable(file, name, kind);
}

/**
 * A link, a device or a pipe is somebody else's: it is not replaced, and nothing is written through it. Nor is a file that
 * holds something else: it may be the runbook itself, or a key.
 */
function checkReplaceable(file: string, name: string, { option, what, beginning }: ReportKind): void {
  const facts = lstatSync(file, { throwIfNoEntry: false });
  if (facts === undefined) return;
  const fix = `Name a file that is not there yet, or one that an earlier ${option} has written.`;
  if (!facts.isFile())
    throw new RunbookError('usage', `${option}: ${name} is there and is not a regular file.`, { fix });
  if (!isEarlier(file, beginning))
    throw new RunbookError('usage', `${option}: ${name} is there and is not ${what}.`, { fix });
}

/** Or empty, as `mktemp` makes it. */
function isEarlier(file: string, beginning: RegExp): boolean {
  const descriptor = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    if (fstatSync(descriptor).size === 0) return true;
    const bytes = Buffer.alloc(BEGINNING_BYTES);
    return beginning.test(bytes.toString('utf8', 0, readSync(descriptor, bytes, 0, BEGINNING_BYTES, 0)));
  } finally {
    closeSync(descriptor);
  }
}

function cannotWrite(name: string, { option }: ReportKind, cause: unknown): RunbookError {
  if (cause instanceof RunbookError) return cause;
  const why = codeOf(cause) === '' ? messageOf(cause) : codeOf(cause);
  return new RunbookError('io', `${option}: ${name} cannot be written (${why}).`, {
    fix: 'Name a file in a folder that is there, with room, and that you may write to.',
    cause,
  });
}
