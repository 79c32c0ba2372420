/** The door for settings: turns flags, environment and files into the texts that `core/settings.ts` decides about. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { CONTRACT_NAMES } from '../core/contract.ts';
import { RunbookError } from '../core/errors.ts';
import { environmentName, fileKey, resolveSettings, SETTING_NAMES, SETTINGS } from '../core/settings.ts';
import type { ResolvedSettings, SettingName, SettingSource } from '../core/settings.ts';
import { nearest } from '../core/spelling.ts';

type Values = Map<SettingName, { text: string; label: string }>;

export type SettingFlags = ReadonlyMap<SettingName, string>;

/** @throws RunbookError `settings` for a wrong value, an unknown `RUNBOOK_*` name, an unreadable file */
export async function loadSettings(
  flags: SettingFlags,
  environment: ReadonlyMap<string, string>,
  cwd: string,
): Promise<ResolvedSettings> {
  return resolveSettings([
    {
      origin: 'flag',
      values: new Map(
        [...flags].map(([name, text]) => [name, { text, label: `--${fileKey(name).replaceAll('_', '-')}` }]),
      ),
    },
    { origin: 'environment', values: fromEnvironment(environment) },
    ...(await fromFile('project file', projectFile(cwd))),
    ...(await fromFile('user file', userFile(environment))),
    ...(await fromFile('operator file', '/etc/runbook/config.yaml')),
  ]);
}

function fromEnvironment(environment: ReadonlyMap<string, string>): Values {
  const values: Values = new Map();
  const known = new Set<string>(CONTRACT_NAMES);
  for (const name of SETTING_NAMES) {
    const setting = SETTINGS[name];
    for (const variable of [...setting.aliases, environmentName(name)]) {
      known.add(variable);
      // An empty variable counts as unset, as in Stage0.
      const text = environment.get(variable);
      if (text !== undefined && text !== '') values.set(name, { text, label: variable });
      if (!setting.secret) continue;
      known.add(`${variable}_FILE`);
      const file = environment.get(`${variable}_FILE`);
      if (file !== undefined && file !== '')
        values.set(name, { text: readSecret(file, `${variable}_FILE`), label: `${variable}_FILE` });
    }
  }
  for (const name of environment.keys()) {
    if (!name.startsWith('RUNBOOK_') || known.has(name)) continue;
    const near = nearest(name, [...known]);
    throw new RunbookError('settings', `${name} is not a setting.`, {
      fix: near === null ? '`runbook config` shows all settings; unset this one.' : `Did you mean ${near}?`,
    });
  }
  return values;
}

function readSecret(file: string, label: string): string {
  try {
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    throw new RunbookError('settings', `${label}: ${file} cannot be read.`, {
      fix: 'Name a file that you may read, with the secret as its only line.',
      cause: error,
    });
  }
}

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

function userFile(environment: ReadonlyMap<string, string>): string {
  const xdg = environment.get('XDG_CONFIG_HOME');
  const base = xdg !== undefined && path.isAbsolute(xdg) ? xdg : path.join(environment.get('HOME') ?? '/', '.config');
  return path.join(base, 'runbook', 'config.yaml');
}

async function fromFile(
  origin: SettingSource['origin'],
  candidates: string | Iterable<string>,
): Promise<readonly SettingSource[]> {
  for (const file of typeof candidates === 'string' ? [candidates] : candidates) {
    const text = readIfThere(file);
    if (typeof text !== 'string') continue;
    return [{ origin, values: await parseFile(file, text) }];
  }
  return [];
}

/** @returns null where there is nothing; `true` for a folder */
function readIfThere(file: string): string | true | null {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : '';
    if (code === 'EISDIR') return true;
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw new RunbookError('settings', `${file} cannot be read.`, {
      fix: 'Make it readable, or remove it.',
      cause: error,
    });
  }
}

async function parseFile(file: string, text: string): Promise<Values> {
  const { isMap, isScalar, isSeq, LineCounter, parseDocument } = await import('yaml');
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { schema: 'failsafe', uniqueKeys: true, lineCounter });
  const at = (offset: number): string => `${file}:${String(lineCounter.linePos(offset).line)}`;
  const fail = (offset: number, message: string, fix: string): never => {
    throw new RunbookError('settings', `${at(offset)}: ${message}`, { fix });
  };
  const [problem] = [...document.errors, ...document.warnings];
  if (problem !== undefined) fail(problem.pos[0], problem.message.split('\n')[0] ?? '', 'Write `name: value` lines.');
  const values: Values = new Map();
  if (document.contents === null) return values;
  if (!isMap(document.contents)) return fail(0, 'the file is not a mapping.', 'Write `name: value` lines.');
  for (const { key, value } of document.contents.items) {
    if (!isScalar(key)) return fail(0, 'a key is not a name.', 'Write `name: value` lines.');
    const offset = key.range?.[0] ?? 0;
    const name = SETTING_NAMES.find((candidate) => fileKey(candidate) === key.value);
    if (name === undefined) {
      const near = nearest(String(key.value), SETTING_NAMES.map(fileKey));
      return fail(
        offset,
        `${String(key.value)} is not a setting.`,
        near === null ? '`runbook config` shows all settings.' : `Did you mean ${near}?`,
      );
    }
    const items = isSeq(value) ? value.items : [value];
    const texts = items.flatMap((item) => (isScalar(item) && typeof item.value === 'string' ? [item.value] : []));
    if (texts.length !== items.length) {
      return fail(offset, `${fileKey(name)} needs a text or a list of texts.`, 'Write `name: value`.');
    }
    values.set(name, { text: texts.join(','), label: `${at(offset)} ${fileKey(name)}` });
  }
  return values;
}
