/** Which documents are meant: names, files, folders and patterns. */
import { glob, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import type { App } from '../../../app.ts';
import { RunbookError } from '../../../core/errors.ts';
import { STDIN } from './options.ts';

/** As `source.load` takes them; the documents of the folder where nothing is named. @throws RunbookError `not-found` */
export async function referencesOf(
  app: Pick<App, 'source'>,
  documents: readonly string[],
  cwd: string,
): Promise<readonly string[]> {
  const references =
    documents.length > 0
      ? await expand(documents, cwd)
      : (await app.source.list()).map(({ displayPath }) => path.resolve(cwd, displayPath));
  if (references.length > 0) return references;
  throw new RunbookError('not-found', 'There is no document to check.', {
    fix: 'Name documents, a folder or a pattern; `runbook list` shows the folder of the runbooks.',
  });
}

/** A folder means its documents, a pattern what it matches; anything else stays as it is, also `-`. */
async function expand(documents: readonly string[], cwd: string): Promise<readonly string[]> {
  const references: string[] = [];
  for (const document of documents) {
    if (document === STDIN) {
      references.push(document);
      continue;
    }
    const absolute = path.resolve(cwd, document);
    const facts = await stat(absolute).catch(() => null);
    if (facts?.isDirectory() === true) {
      const names = (await readdir(absolute)).filter(isDocumentName);
      references.push(
        ...found(
          document,
          names.map((name) => shown(path.join(absolute, name), cwd)),
        ),
      );
    } else if (facts === null && isPattern(document)) {
      const matches = await Array.fromAsync(glob(document, { cwd }));
      references.push(
        ...found(
          document,
          matches.map((match) => shown(path.resolve(cwd, match), cwd)),
        ),
      );
    } else {
      references.push(document);
    }
  }
  return references;
}

/** A path also where it begins with a name, and as short as messages show it. */
function shown(file: string, cwd: string): string {
  const relative = path.relative(cwd, file);
  return relative.startsWith('..') ? file : `.${path.sep}${relative}`;
}

export function isDocumentName(name: string): boolean {
  return name.endsWith('.md') && !name.startsWith('.');
}

/** Where nothing is called so. */
export function isPattern(document: string): boolean {
  return /[*?[{]/.test(document);
}

function found(document: string, matches: readonly string[]): readonly string[] {
  if (matches.length > 0) return matches.toSorted();
  throw new RunbookError('not-found', `Nothing matches ${document}.`, {
    fix: 'Check the pattern; `runbook list` shows the folder of the runbooks.',
  });
}
