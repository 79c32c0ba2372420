/** How reports for machines name documents: relative to the root of what was checked out. */
import { realpathSync } from 'node:fs';
import path from 'node:path';
import type { Terminal } from '../../terminal.ts';

/** How a document that came on stdin is named; it lies nowhere. */
export const STDIN_NAME = '<stdin>';

/** Whether this is a job of GitHub Actions, or of a runner that understands the same. */
export function isActionsJob({ environment }: Pick<Terminal, 'environment'>): boolean {
  return environment.get('GITHUB_ACTIONS') === 'true';
}

/**
 * From a shown path to one that is relative to the workspace (in a job of GitHub Actions) or to the working folder, with
 * `/`; a document outside of it keeps its absolute path.
 */
export function workspacePaths(terminal: Pick<Terminal, 'environment' | 'cwd'>): (shown: string) => string {
  const given = isActionsJob(terminal) ? terminal.environment.get('GITHUB_WORKSPACE') : undefined;
  const root = given !== undefined && path.isAbsolute(given) ? resolved(given) : terminal.cwd;
  return (shown) => {
    if (shown === STDIN_NAME) return shown;
    const absolute = path.resolve(terminal.cwd, shown);
    const relative = path.relative(root, absolute);
    const isOutside = relative === '..' || relative.startsWith(`..${path.sep}`) || path.isAbsolute(relative);
    return (isOutside ? absolute : relative).replaceAll(path.sep, '/');
  };
}

/** The working folder has its links resolved, so the workspace has to be as well. */
function resolved(folder: string): string {
  try {
    return realpathSync(folder);
  } catch {
    return folder;
  }
}
