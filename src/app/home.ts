/** The home of the user, and what lies there where nothing else is said. */
import path from 'node:path';
import { homeOf } from '../adapters/system/home.ts';
import { RunbookError } from '../core/errors.ts';

/**
 * XDG Base Directory Specification: `$XDG_STATE_HOME`, else `~/.local/state`.
 * @throws RunbookError `settings`: the home is no absolute path, so the record would lie somewhere else in each folder
 */
export function defaultStateDir(environment: ReadonlyMap<string, string>): string {
  const base = inHome(environment, 'XDG_STATE_HOME', '.local/state');
  if (base !== null) return path.join(base, 'runbook');
  const given = environment.get('HOME') ?? '';
  const what = given === '' ? 'HOME is not set, and the system knows no home' : 'HOME is not an absolute path';
  throw new RunbookError('settings', `${what}, so there is no place for the record of runs.`, {
    fix: 'Set HOME to an absolute path, or name the folder with --state-dir.',
  });
}

/** What a variable names (a relative path counts as none), else a folder below the home. Null where there is no home. */
export function inHome(environment: ReadonlyMap<string, string>, variable: string, otherwise: string): string | null {
  const named = environment.get(variable) ?? '';
  if (path.isAbsolute(named)) return named;
  const home = homeFolder(environment);
  return home === null ? null : path.join(home, otherwise);
}

/** Null where there is none, or what HOME says is no absolute path. */
export function homeFolder(environment: ReadonlyMap<string, string>): string | null {
  const home = homeOf(environment);
  return home !== null && path.isAbsolute(home) ? home : null;
}
