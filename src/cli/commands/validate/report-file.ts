/** `--output FILE`: the report as a file. There is a whole one, the earlier one, or none. */
import { lstatSync, realpathSync } from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { draftBeside } from '../../../app/files.ts';
import { RunbookError } from '../../../core/errors.ts';
import { codeOf, messageOf } from '../../../core/failures.ts';

/**
 * Before documents are read. @returns the path that is written, links resolved
 * @throws RunbookError `usage` where it is no file, or a markdown document: reports are none
 */
export function prepareReportFile(name: string, cwd: string): string {
  const fix = 'Name a file that is not there yet, or an earlier report.';
  if (name === '') throw new RunbookError('usage', '--output: no file is named.', { fix });
  let file = path.resolve(cwd, name);
  try {
    file = realpathSync(file);
  } catch {
    // It is not there yet.
  }
  if (file.endsWith('.md')) throw new RunbookError('usage', `--output: ${name} is a markdown document.`, { fix });
  const facts = lstatSync(file, { throwIfNoEntry: false });
  // A device or a pipe is written to as it is: `/dev/stdout`, `>(tool)`.
  if (facts?.isDirectory() === true) throw new RunbookError('usage', `--output: ${name} is a folder.`, { fix });
  return file;
}

/** @throws RunbookError `io`; an earlier report is as it was then */
export async function writeReport(file: string, name: string, text: string): Promise<void> {
  const draft = draftBeside(file);
  try {
    const facts = lstatSync(file, { throwIfNoEntry: false });
    if (facts !== undefined && !facts.isFile()) {
      await writeFile(file, text);
      return;
    }
    await writeFile(draft, text, { flag: 'wx', mode: facts === undefined ? 0o666 : facts.mode & 0o777 });
    await rename(draft, file);
  } catch (error) {
    const why = codeOf(error) === '' ? messageOf(error) : codeOf(error);
    throw new RunbookError('io', `--output: ${name} cannot be written (${why}).`, {
      fix: 'Name a file in a folder that is there, with room, and that you may write to.',
      cause: error,
    });
  } finally {
    await rm(draft, { force: true });
  }
}
