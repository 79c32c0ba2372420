/** `runbook validate`: every problem of every document at once; exit 65 if one of them is invalid. */
import { glob, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { ERRORS, RunbookError } from '../../core/errors.ts';
import { listRunbooks, validateRunbook } from '../../engine/queries.ts';
import type { Validation } from '../../engine/queries.ts';
import { printJson, withApp } from '../context.ts';
import type { CommonOptions } from '../context.ts';
import { renderProblem } from '../render.ts';
import type { Style } from '../render.ts';
import type { Terminal } from '../terminal.ts';

export interface ValidateOptions extends CommonOptions {
  readonly ready?: boolean;
}

export async function validateCommand(
  terminal: Terminal,
  documents: readonly string[],
  options: ValidateOptions,
): Promise<number> {
  return await withApp(terminal, options, async ({ app, style, printStyle }) => {
    const references =
      documents.length > 0
        ? await expand(documents, terminal.cwd)
        : (await listRunbooks(app)).map((view) => path.resolve(terminal.cwd, view.displayPath));
    if (references.length === 0)
      throw new RunbookError('not-found', 'There is no document to check.', {
        fix: 'Name documents, a folder or a pattern; `runbook list` shows the folder of the runbooks.',
      });
    const results: Validation[] = [];
    for (const reference of references) results.push(await validateRunbook(app, reference, options.ready === true));
    const invalid = results.filter((result) => !result.valid);
    const unready = results.filter((result) => result.ready === false);

    if (options.json === true) {
      await printJson(terminal, 'validate', {
        valid: invalid.length === 0,
        documents: results.map(({ displayPath, ...result }) => ({ path: displayPath, ...result })),
      });
    } else {
      for (const { displayPath, problems } of results)
        for (const problem of problems) await terminal.print(`${renderProblem(printStyle, displayPath, problem)}\n`);
      if (options.quiet !== true) terminal.say(verdict(style, results.length, invalid.length, unready.length));
    }
    if (invalid.length > 0) return ERRORS['runbook-invalid'].exit;
    return unready.length > 0 ? ERRORS['requirements-unmet'].exit : 0;
  });
}

function verdict(style: Style, all: number, invalid: number, unready: number): string {
  if (invalid > 0) return style.red(`${invalid} of ${count(all)} invalid`);
  return unready > 0
    ? style.red(`${count(all)} valid, ${unready} not ready to run`)
    : style.green(`${count(all)} valid`);
}

function count(documents: number): string {
  return `${documents} ${documents === 1 ? 'document' : 'documents'}`;
}

/** A folder means its documents, a pattern what it matches; anything else stays as it is. */
async function expand(documents: readonly string[], cwd: string): Promise<readonly string[]> {
  const references: string[] = [];
  for (const document of documents) {
    const absolute = path.resolve(cwd, document);
    const facts = await stat(absolute).catch(() => null);
    if (facts?.isDirectory() === true) {
      const names = (await readdir(absolute)).filter((name) => name.endsWith('.md') && !name.startsWith('.'));
      references.push(
        ...found(
          document,
          names.map((name) => path.join(absolute, name)),
        ),
      );
    } else if (facts === null && /[*?[{]/.test(document)) {
      const matches = await Array.fromAsync(glob(document, { cwd }));
      references.push(
        ...found(
          document,
          matches.map((match) => path.resolve(cwd, match)),
        ),
      );
    } else {
      references.push(document);
    }
  }
  return references;
}

function found(document: string, matches: readonly string[]): readonly string[] {
  if (matches.length > 0) return matches.toSorted();
  throw new RunbookError('not-found', `Nothing matches ${document}.`, {
    fix: 'Check the pattern; `runbook list` shows the folder of the runbooks.',
  });
}
