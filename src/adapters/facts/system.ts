/** What is true on this machine: input files, interpreters, the state of the git work tree. */
import { accessSync, constants, statSync } from 'node:fs';
import { access, readdir, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { codeOf } from '../../core/failures.ts';
import { interpreterOf } from '../../core/interpreters.ts';
import { isInside } from '../../core/paths.ts';
import type { FactsSource, FileFact } from '../../core/ports.ts';
import { freeBytes } from '../system/free-bytes.ts';
import { readCommit } from './git-head.ts';
import { findWorkTree } from '../system/work-tree.ts';
import { homeOf } from '../system/home.ts';

/** `environment`: of it git gets what it needs to run, and nothing that would show it another repository. */
export function createSystemFacts(environment: ReadonlyMap<string, string>): FactsSource {
  return {
    inputs: async (folder, files) => {
      const facts = new Map<string, FileFact>();
      for (const file of files) facts.set(file.path, await inputFact(folder, file.path));
      return facts;
    },
    programs: programsIn,
    interpreter: async (name, searchPath) => {
      for (const program of interpreterOf(name).programs) {
        const found = findProgram(program, searchPath);
        if (found !== null) return found;
      }
      return null;
    },
    commit: readCommit,
    git: async (documentPath) => await readGitFacts(documentPath, environment),
    freeBytes,
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
    return ['EACCES', 'EPERM'].includes(codeOf(error)) ? 'unreadable' : 'missing';
  }
}

/** Absolute path of the first executable regular file of that name on `searchPath`. Relative entries of PATH do not count. */
function findProgram(name: string, searchPath: string): string | null {
  if (name.startsWith('/')) return isProgram(name) ? name : null;
  for (const folder of searchPath.split(':')) {
    const file = path.join(folder, name);
    if (path.isAbsolute(folder) && isProgram(file)) return file;
  }
  return null;
}
async function programsIn(folder: string): Promise<readonly string[] | null> {
  const names = await readdir(folder).catch(() => null);
  if (names === null) return null;
  const found: string[] = [];
  for (const name of names.sort()) if (isProgram(path.join(folder, name))) found.push(name);
  return found;
}
function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/** Commit of the work tree that holds the document, and whether the document differs from it. Null outside of one. */
async function readGitFacts(
  documentPath: string,
  environment: ReadonlyMap<string, string>,
): Promise<{ commit: string; dirty: boolean } | null> {
  const folder = path.dirname(documentPath);
  if (findWorkTree(folder) === null) return null;
  // Loaded only here: runs outside of a work tree never pay for it.
  const { execa } = await import('execa');
  const env = { PATH: environment.get('PATH') ?? '', HOME: homeOf(environment) ?? '/', GIT_OPTIONAL_LOCKS: '0' };
  const git = async (...args: readonly string[]): Promise<string | null> => {
    // A repository's own configuration may name programs: none of them is started for a look at a file.
    const safe = ['-C', folder, '-c', 'core.fsmonitor=false', '-c', 'core.hooksPath=/dev/null'];
    const result = await execa('git', [...safe, ...args], {
      reject: false,
      timeout: 2000,
      stdin: 'ignore',
      env,
      extendEnv: false,
    });
    return result.failed ? null : result.stdout;
  };
  const [commit, status] = await Promise.all([
    git('rev-parse', 'HEAD'),
    git('status', '--porcelain', '--', documentPath),
  ]);
  return commit === null || status === null ? null : { commit, dirty: status !== '' };
}
