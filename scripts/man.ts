/**
 * The pages of the manual, from the same definitions as `--help`: `runbook(1)`, and one for each command
 * (`man runbook-execute`), into `dist/man`. Dates and paths of a machine are in none, so that a build is the same everywhere.
 */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Command } from 'commander';
import { manualPages } from '../src/cli/program/manual.ts';
import { createProgram } from '../src/cli/program.ts';
import { createTerminal } from '../src/cli/terminal.ts';

/** @param folder made anew */
export async function writeManual(folder: string, version: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const program: Command = createProgram(createTerminal(), async () => {});
  const pages = manualPages(program, version);
  for (const [name, text] of pages) await writeFile(path.join(folder, name), text);
}
