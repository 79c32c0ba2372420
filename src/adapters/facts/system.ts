/** What is true on this machine: input files, interpreters, the state of the git work tree. */
import { constants } from 'node:fs';
import { access, lstat, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { interpreterOf } from '../../core/interpreters.ts';
import type { FactsSource, FileFact } from '../../core/ports.ts';
import { isInside } from '../source/folder.ts';

export function createSystemFacts(): FactsSource {
  return {
    inputs: async (folder, files) => {
      const facts = new Map<string, FileFact>();
      for (const file of files) facts.set(file.path, await inputFact(folder, file.path));
      return facts;
    },
    interpreter: async (name, searchPath) => {
      for (const program of interpreterOf(name).programs) {
        const found = await findProgram(program, searchPath);
        if (found !== null) return found;
      }
      return null;
    },
    git: readGitFacts,
  };
}

async function inputFact(folder: string, relative: string): Promise<FileFact> {
  const written = path.resolve(folder, relative);
  if (!isInside(folder, written)) return 'outside';
  try {
    const target = await realpath(written);
    if (!isInside(folder, target)) return 'outside';
    const facts = await stat(target);
    if (!facts.isFile() && !facts.isDirectory()) return 'special';
    await access(target, facts.isDirectory() ? constants.R_OK | constants.X_OK : constants.R_OK);
    return facts.isDirectory() ? 'directory' : 'file';
  } catch (error) {
    return error instanceof Error && 'code' in error && (error.code === 'EACCES' || error.code === 'EPERM')
      ? 'unreadable'
      : 'missing';
  }
}

/** Absolute path of the first executable regular file of that name on `searchPath`. Relative entries of PATH do not count. */
async function findProgram(name: string, searchPath: string): Promise<string | null> {
  if (name.startsWith('/')) return (await isProgram(name)) ? name : null;
  for (const folder of searchPath.split(':')) {
    const file = path.join(folder, name);
    if (path.isAbsolute(folder) && (await isProgram(file))) return file;
  }
  return null;
}
async function isProgram(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK);
    return (await stat(file)).isFile();
  } catch {
    return false;
  }
}

/** Commit of the work tree that holds the document, and whether the document differs from it. Null outside of one. */
async function readGitFacts(documentPath: string): Promise<{ commit: string; dirty: boolean } | null> {
  const folder = path.dirname(documentPath);
  if (!(await insideWorkTree(folder))) return null;
  // execa only here: most documents of a run outside a work tree never pay for loading it.
  const { execa } = await import('execa');
  const git = async (...args: string[]): Promise<string | null> => {
    const result = await execa('git', ['-C', folder, ...args], {
      reject: false,
      timeout: 2000,
      stdin: 'ignore',
      env: { GIT_OPTIONAL_LOCKS: '0' },
    });
    return result.failed ? null : result.stdout;
  };
  const [commit, status] = await Promise.all([
    git('rev-parse', 'HEAD'),
    git('status', '--porcelain', '--', documentPath),
  ]);
  return commit === null || status === null ? null : { commit, dirty: status !== '' };
}

async function insideWorkTree(start: string): Promise<boolean> {
  for (let folder = start; ; folder = path.dirname(folder)) {
    if ((await lstat(path.join(folder, '.git')).catch(() => null)) !== null) return true;
    if (folder === path.dirname(folder)) return false;
  }
}
