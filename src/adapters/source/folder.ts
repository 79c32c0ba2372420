/** Documents from a folder, or from a path that the local user names. Reads only regular files, each from one descriptor. */
import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { RunbookError } from '../../core/errors.ts';
import type { LoadedDocument, RunbookSource, UnreadableDocument } from '../../core/ports.ts';
import { didYouMean } from '../../core/spelling.ts';
import { LeadsOut } from '../system/beneath.ts';
import { stampOf } from '../system/stamp.ts';
import { NotRegular, openFolder, openNamed } from './open.ts';
import type { DocumentFolder, OpenDocument } from './open.ts';
import { readDocument } from './read.ts';
import { asRunbookError, noFolder, notThere } from './failures.ts';

/** A document's history grows; its head is bounded by the parser. */
const MAX_DOCUMENT_BYTES = 64 * 1024 ** 2;
/** Small documents are read one after the other; for so long nothing else is done in between. */
const SLICE_MS = 10;

export interface FolderSourceOptions {
  /** Where names are looked up; null: there is no such folder, only paths work. */
  readonly folder: string | null;
  /** What shown paths are relative to. */
  readonly cwd: string;
  /** For callers who may not name paths: a reference is one of the folder's own names, no dot first. */
  readonly namesOnly?: boolean;
}

/** References with a `/` or an ending `.md` that exist as they are written are paths; anything else is a name in the folder. */
export function createFolderSource({ folder, cwd, namesOnly = false }: FolderSourceOptions): RunbookSource {
  return {
    load: async (reference, extent) => {
      if (namesOnly && !isPlainName(reference)) throw notThere(reference);
      const { file, root } = await locate(reference, folder, cwd, namesOnly);
      if (root === null) return await read(file, cwd, null, async () => await openNamed(file), extent);
      const opened = await openFolder(root).catch((error: unknown) => Promise.reject(asRunbookError(error, root)));
      try {
        return await read(file, cwd, root, async () => await opened.open(path.basename(file)), extent);
      } finally {
        await opened.close();
      }
    },
    list: async () => {
      if (folder === null) throw noFolder();
      try {
        const opened = await openFolder(folder);
        try {
          return await readAll(opened, folder, cwd);
        } finally {
          await opened.close();
        }
      } catch (error) {
        throw asRunbookError(error, folder);
      }
    },
    count: async () => (await knownNames(folder)).length,
    names: async () => (await knownNames(folder)).map((name) => name.slice(0, -3)).sort(),
  };
}

async function knownNames(folder: string | null): Promise<string[]> {
  if (folder === null) throw noFolder();
  return await openableIn(folder).catch((error: unknown) => Promise.reject(asRunbookError(error, folder)));
}

async function namesIn(folder: string): Promise<string[]> {
  return (await readdir(folder)).filter(isDocumentName);
}

function isDocumentName(name: string): boolean {
  return name.endsWith('.md') && !name.startsWith('.');
}

/** Without folders, devices, and links that lead out or nowhere: `load` would open none of them. Only links are followed. */
async function openableIn(folder: string): Promise<string[]> {
  const entries = (await readdir(folder, { withFileTypes: true })).filter(({ name }) => isDocumentName(name));
  if (entries.every((entry) => entry.isFile())) return entries.map(({ name }) => name);
  const opened = await openFolder(folder);
  try {
    const names: string[] = [];
    for (const entry of entries) if (await isOpenable(opened, entry)) names.push(entry.name);
    return names;
  } finally {
    await opened.close();
  }
}

async function isOpenable(opened: DocumentFolder, entry: Dirent): Promise<boolean> {
  if (entry.isFile() || entry.isDirectory()) return entry.isFile();
  try {
    const { handle } = await opened.open(entry.name);
    try {
      return (await handle.stat()).isFile();
    } finally {
      await handle.close();
    }
  } catch {
    return false;
  }
}

async function readAll(
  opened: DocumentFolder,
  folder: string,
  cwd: string,
): Promise<readonly (LoadedDocument | UnreadableDocument)[]> {
  const documents: (LoadedDocument | UnreadableDocument)[] = [];
  let slice = performance.now();
  for (const fileName of (await namesIn(folder)).sort()) {
    const file = path.join(folder, fileName);
    if (performance.now() - slice > SLICE_MS) {
      await setImmediate();
      slice = performance.now();
    }
    const small = opened.readSmall(fileName);
    if (small !== null) {
      const { bytes, stamp, target } = small;
      documents.push({
        path: target,
        displayPath: display(file, cwd),
        fileName,
        folder: path.dirname(target),
        bytes,
        stamp,
      });
      continue;
    }
    documents.push(
      await read(file, cwd, folder, async () => await opened.open(fileName)).catch((error: unknown) => {
        if (error instanceof RunbookError)
          return { displayPath: display(file, cwd), fileName, bytes: null, problem: error.message };
        throw error;
      }),
    );
  }
  return documents;
}

/** `root`: the folder that the document may not lead out of; null where the caller named a path. */
async function locate(
  reference: string,
  folder: string | null,
  cwd: string,
  namesOnly: boolean,
): Promise<{ readonly file: string; readonly root: string | null }> {
  if (reference === '' || reference.includes('\0')) {
    throw new RunbookError('usage', 'The name of the runbook is empty or has a NUL character.', {
      fix: 'Name a runbook or a path to one.',
    });
  }
  const asPath = path.resolve(cwd, reference);
  const isPath =
    !namesOnly && (/^\.{1,2}$|\//.test(reference) || (reference.endsWith('.md') && (await exists(asPath))));
  if (isPath) return { file: asPath, root: null };
  if (folder === null) throw noFolder(reference);
  const fileName = reference.endsWith('.md') ? reference : `${reference}.md`;
  const file = path.join(folder, fileName);
  if (await exists(file)) return { file, root: folder };
  const known = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith('.md'));
  const near = didYouMean(
    reference.replace(/\.md$/, ''),
    known.map((name) => name.slice(0, -3)),
  );
  throw new RunbookError('not-found', `There is no runbook “${reference}” in ${display(folder, cwd)}.`, {
    fix: near ?? '`runbook list` shows what there is; a path to a file works too.',
  });
}

async function read(
  file: string,
  cwd: string,
  root: string | null,
  openIt: () => Promise<OpenDocument>,
  extent?: 'whole',
): Promise<LoadedDocument> {
  const shown = display(file, cwd);
  try {
    const { handle, target } = await openIt();
    try {
      const facts = await handle.stat();
      if (facts.isDirectory())
        throw new RunbookError('usage', `${shown} is a folder, not a runbook.`, {
          fix: 'Name one of the documents in it.',
        });
      if (!facts.isFile()) throw new NotRegular();
      if (facts.size > MAX_DOCUMENT_BYTES) {
        throw new RunbookError(
          'runbook-invalid',
          `${shown} has ${facts.size} bytes; a runbook with its history may have 64 MiB.`,
          { fix: 'Move old entries of its history elsewhere.' },
        );
      }
      const bytes = await (extent === 'whole' ? handle.readFile() : readDocument(handle, facts.size));
      const stamp = stampOf(await handle.stat({ bigint: true }));
      return {
        path: target,
        displayPath: shown,
        fileName: path.basename(file),
        folder: path.dirname(target),
        bytes,
        stamp,
      };
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (error instanceof LeadsOut) {
      throw new RunbookError('usage', `${shown} is a link that leads out of ${display(root ?? '/', cwd)}.`, {
        fix: 'Name the document by its own path if you trust it.',
        cause: error,
      });
    }
    if (error instanceof NotRegular) {
      throw new RunbookError('usage', `${shown} is not a regular file.`, {
        fix: 'A runbook is a markdown file.',
        cause: error,
      });
    }
    throw asRunbookError(error, shown);
  }
}

function isPlainName(reference: string): boolean {
  return reference !== '' && !reference.startsWith('.') && !/[/\\\0]/.test(reference);
}

/** The nearest folder `runbooks/` from `start` up to the root of the repository (the folder with `.git`); else null. */
export async function findRunbooksFolder(start: string): Promise<string | null> {
  for (let folder = start; ; folder = path.dirname(folder)) {
    const candidate = path.join(folder, 'runbooks');
    if ((await stat(candidate).catch(() => null))?.isDirectory() === true) return candidate;
    if ((await exists(path.join(folder, '.git'))) || folder === path.dirname(folder)) return null;
  }
}

/** Where Stage0's images have them; null where there is no such folder. */
export async function mountedRunbooks(): Promise<string | null> {
  return (await stat('/runbooks').catch(() => null))?.isDirectory() === true ? '/runbooks' : null;
}

async function exists(file: string): Promise<boolean> {
  return (await stat(file).catch(() => null)) !== null;
}

function display(file: string, cwd: string): string {
  const relative = path.relative(cwd, file);
  return relative === '' || relative.startsWith('..') ? file : relative;
}
