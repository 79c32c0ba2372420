/** The door for settings: turns flags, environment and files into the texts that `core/settings.ts` decides about. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { inHome } from '../app/home.ts';
import { CONTRACT_NAMES } from '../core/contract.ts';
import { RunbookError } from '../core/errors.ts';
import { codeOf } from '../core/failures.ts';
import { environmentNames, fileKey, resolveSettings, SETTING_NAMES, SETTINGS } from '../core/settings.ts';
import type { Face, ResolvedSettings, SettingName, SettingSource } from '../core/settings.ts';
import { didYouMean } from '../core/spelling.ts';
import { absolute } from './places.ts';
import { readSecretFile } from './secret-file.ts';

type Values = Map<SettingName, { text: string; label: string }>;

export type SettingFlags = ReadonlyMap<SettingName, string>;

/** @throws RunbookError `settings` for a wrong value, an unknown `RUNBOOK_*` name, an unreadable file */
export async function loadSettings(
  flags: SettingFlags,
  environment: ReadonlyMap<string, string>,
  cwd: string,
  face: Face = 'cli',
  ci = false,
): Promise<ResolvedSettings> {
  const flagged = [...flags].map(([name, text]) => {
    const label = `--${fileKey(name).replaceAll('_', '-')}`;
    return [name, { text: absolute(name, text, cwd), label }] as const;
  });
  return resolveSettings(
    [
      { origin: 'flag', values: new Map(flagged) },
      { origin: 'environment', values: fromEnvironment(environment, cwd, face) },
      ...(await fromFile('project file', projectFile(cwd))),
      ...(await fromFile('user file', userFile(environment))),
      ...(await fromFile('operator file', '/etc/runbook/config.yaml')),
    ],
    face,
    ci,
  );
}

/** As a server would read them from its environment alone. @throws RunbookError `settings` */
export function serverSettings(environment: ReadonlyMap<string, string>): ResolvedSettings {
  return resolveSettings([{ origin: 'environment', values: fromEnvironment(environment, '/', 'server') }], 'server');
}

function fromEnvironment(environment: ReadonlyMap<string, string>, cwd: string, face: Face): Values {
  const values: Values = new Map();
  const known = new Set<string>(CONTRACT_NAMES);
  for (const name of SETTING_NAMES) {
    for (const variable of environmentNames(name, face)) {
      known.add(variable);
      // An empty variable counts as unset, as in Stage0.
      const given = environment.get(variable) ?? '';
      if (given === '') continue;
      const isFile = SETTINGS[name].secret && variable.endsWith('_FILE');
      const other = values.get(name);
      if (isFile && other !== undefined && !other.label.endsWith('_FILE')) throw bothSet(other.label, variable);
      const value = withUnit(variable, given, SETTINGS[name].serverAliases.includes(variable));
      if (value === null) continue;
      const text = isFile ? readSecretFile(path.resolve(cwd, given), variable) : absolute(name, value, cwd);
      // `RUNBOOK_…` is stronger than any of the other names; of these none is stronger than another.
      if (other !== undefined && other.text !== text && !variable.startsWith('RUNBOOK_'))
        throw bothSet(other.label, variable);
      values.set(name, { text, label: variable });
    }
  }
  for (const name of environment.keys()) {
    if (!name.startsWith('RUNBOOK_') || known.has(name)) continue;
    throw new RunbookError('settings', `${name} is not a setting.`, {
      fix:
        didYouMean(
          name,
          [...known].filter((one) => !CONTRACT_NAMES.has(one)),
        ) ?? '`runbook config` shows all settings; unset this one.',
    });
  }
  return values;
}

function bothSet(one: string, other: string): RunbookError {
  return new RunbookError('settings', `${one} and ${other} are both set.`, { fix: 'Set one of them.' });
}

/** Some names say their unit. @returns null where Stage0 takes its default: nothing, or less */
function withUnit(variable: string, given: string, isStage0: boolean): string | null {
  if (variable === 'LOGGING_LEVEL') return LEVELS.has(given.toUpperCase()) ? given.toUpperCase() : null;
  if (!/^-?\d+$/.test(given)) return given;
  const unit = UNITS.find(([ending]) => variable.endsWith(ending))?.[1];
  if (unit === undefined) return given;
  return Number(given) <= 0 && isStage0 ? null : unit(Number(given));
}
const LEVELS = new Set(['DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL']);
const UNITS: readonly (readonly [string, (value: number) => string])[] = [
  ['_SECONDS', (value) => `${value}s`],
  ['_MINUTES', (value) => `${value}m`],
  ['_SIZE_BYTES', (value) => `${value} B`],
];

/** The nearest `.runbook.yaml` up to the root of the repository. */
function* projectFile(cwd: string): Generator<string> {
  for (let folder = cwd; ; folder = path.dirname(folder)) {
    yield path.join(folder, '.runbook.yaml');
    if (folder === path.dirname(folder) || isRepositoryRoot(folder)) return;
  }
}
function isRepositoryRoot(folder: string): boolean {
  return readIfThere(path.join(folder, '.git')) !== null;
}

/** None where nobody is at home. */
function userFile(environment: ReadonlyMap<string, string>): readonly string[] {
  const base = inHome(environment, 'XDG_CONFIG_HOME', '.config');
  return base === null ? [] : [path.join(base, 'runbook', 'config.yaml')];
}

async function fromFile(
  origin: SettingSource['origin'],
  candidates: string | Iterable<string>,
): Promise<readonly SettingSource[]> {
  for (const file of typeof candidates === 'string' ? [candidates] : candidates) {
    const text = readIfThere(file);
    if (typeof text !== 'string') continue;
    // The YAML library is loaded only where there is a file.
    const { parseSettingsFile } = await import('./settings-file.ts');
    return [{ origin, values: parseSettingsFile(file, text) }];
  }
  return [];
}

/** @returns null where there is nothing; `true` for a folder */
function readIfThere(file: string): string | true | null {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'EISDIR') return true;
    if (['ENOENT', 'ENOTDIR'].includes(codeOf(error))) return null;
    throw new RunbookError('settings', `${file} cannot be read.`, {
      fix: 'Make it readable, or remove it.',
      cause: error,
    });
  }
}
