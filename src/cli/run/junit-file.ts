/** `--junit FILE`: what came of a run as a file of tests. There is one, whole, or there is none. */
import { randomBytes } from 'node:crypto';
import { accessSync, closeSync, constants, fstatSync, lstatSync, openSync, readSync } from 'node:fs';
import { open, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { RunbookError } from '../../core/errors.ts';
import { codeOf, messageOf } from '../../core/failures.ts';
import { inline } from '../render.ts';
import type { Terminal } from '../terminal.ts';
import { junitOfRefusal, junitOfRun } from './junit.ts';
import type { RunReport } from './report.ts';

export interface JunitFile {
  /** A failure is a warning. @returns false where it could not be written */
  write(terminal: Terminal, report: RunReport): Promise<boolean>;
  refused(terminal: Terminal, error: RunbookError, reference: string): Promise<void>;
}

const BEGINNING = /^\uFEFF?\s*(?:<\?xml[^>]*>\s*)?<testsuite/;
const BEGINNING_BYTES = 256;

/**
 * Before anything else is done: what an earlier run left is removed, since nobody may take it for this one's.
 * @throws RunbookError `usage` (there is something that is no such file), `io`; nothing is touched then
 */
export async function openJunitFile(name: string, cwd: string): Promise<JunitFile> {
  const file = fileNamed(name, cwd);
  const base = path.basename(file).slice(0, 200);
  const draft = path.join(path.dirname(file), `.${base}.${randomBytes(6).toString('hex')}.tmp`);
  let isWritten = false;
  try {
    checkReplaceable(file, name);
    await (await open(draft, 'wx', 0o600)).close();
    await rm(draft);
    await rm(file, { force: true });
  } catch (error) {
    throw cannotWrite(name, error);
  }

  const write = async (terminal: Terminal, text: string): Promise<boolean> => {
    if (isWritten) return true;
    try {
      await writeFile(draft, text, { flag: 'wx', mode: 0o666, flush: true });
      checkReplaceable(file, name);
      await rename(draft, file);
      isWritten = true;
      return true;
    } catch (error) {
      await rm(draft, { force: true }).catch(() => {});
      terminal.say(`runbook: warning: ${inline(cannotWrite(name, error).message)}`);
      return false;
    }
  };
  return {
    write: async (terminal, report) => await write(terminal, junitOfRun(report)),
    refused: async (terminal, error, reference) => {
      await write(terminal, junitOfRefusal(error, reference));
    },
  };
}

/** As `openJunitFile`, for who only asks: nothing is written or removed, permissions tell. @throws as that */
export function checkJunitFile(name: string, cwd: string): void {
  const file = fileNamed(name, cwd);
  try {
    checkReplaceable(file, name);
    accessSync(path.dirname(file), constants.W_OK | constants.X_OK);
  } catch (error) {
    throw cannotWrite(name, error);
  }
}

function fileNamed(name: string, cwd: string): string {
  if (name === '') throw new RunbookError('usage', '--junit: no file is named.', { fix: 'Write `--junit run.xml`.' });
  return path.resolve(cwd, name);
}

/** As with `--record`: a link, a device, a key or the runbook itself is not replaced. */
function checkReplaceable(file: string, name: string): void {
  const facts = lstatSync(file, { throwIfNoEntry: false });
  if (facts === undefined) return;
  const fix = 'Name a file that is not there yet, or one that an earlier --junit has written.';
  if (!facts.isFile()) throw new RunbookError('usage', `--junit: ${name} is there and is not a regular file.`, { fix });
  if (!isReport(file)) throw new RunbookError('usage', `--junit: ${name} is there and is not a JUnit report.`, { fix });
}

/** Or empty, as `mktemp` makes it. */
function isReport(file: string): boolean {
  const descriptor = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    if (fstatSync(descriptor).size === 0) return true;
    const bytes = Buffer.alloc(BEGINNING_BYTES);
    return BEGINNING.test(bytes.toString('utf8', 0, readSync(descriptor, bytes, 0, BEGINNING_BYTES, 0)));
  } finally {
    closeSync(descriptor);
  }
}

function cannotWrite(name: string, cause: unknown): RunbookError {
  if (cause instanceof RunbookError) return cause;
  const why = codeOf(cause) === '' ? messageOf(cause) : codeOf(cause);
  return new RunbookError('io', `--junit: ${name} cannot be written (${why}).`, {
    fix: 'Name a file in a folder that is there, with room, and that you may write to.',
    cause,
  });
}
