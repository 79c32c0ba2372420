/**
 * Settings: which text counts, and what it means. Pure: the faces bring
 * the texts (flags, environment, files), `resolveSettings` decides which one counts and says where it came from.
 */
import { RunbookError } from './errors.ts';
import type { Setting } from './setting.ts';
import { SETTINGS } from './settings-table.ts';

export { SETTINGS };

export type Origin = 'flag' | 'environment' | 'project file' | 'user file' | 'operator file' | 'CI' | 'default';

/** A server reads names that are too common to mean anything elsewhere, and has defaults of its own. */
export type Face = 'cli' | 'server';
export type SettingName = keyof typeof SETTINGS;
export type Settings = { readonly [K in SettingName]: (typeof SETTINGS)[K]['default'] };
/** Where a server has another default. */
export const SERVER_DEFAULTS: Partial<Settings> = { timeout: 600_000 };
/** Where nobody sits in front of it (`CI=true`): a job that hangs costs until somebody looks. */
const CI_DEFAULTS: Partial<Settings> = { timeout: 600_000 };
export const SETTING_NAMES: readonly SettingName[] = Object.keys(SETTINGS).filter((name): name is SettingName =>
  Object.hasOwn(SETTINGS, name),
);

/** `jwtSecret` → `RUNBOOK_JWT_SECRET` */
export function environmentName(name: SettingName): string {
  return `RUNBOOK_${snake(name).toUpperCase()}`;
}
/** All names of the environment that set it, the stronger ones last; a secret also takes the path of a file. */
export function environmentNames(name: SettingName, face: Face = 'cli'): readonly string[] {
  const { aliases, serverAliases } = SETTINGS[name];
  const names = [...(face === 'server' ? serverAliases : []), ...aliases, environmentName(name)];
  return SETTINGS[name].secret ? names.flatMap((variable) => [variable, `${variable}_FILE`]) : names;
}
/** `jwtSecret` → `jwt_secret`, as in files. */
export function fileKey(name: SettingName): string {
  return snake(name);
}
function snake(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** Texts of one place, by setting. `label` is what a person would look for: a flag, a variable, a file with its line. */
export interface SettingSource {
  readonly origin: Exclude<Origin, 'default' | 'CI'>;
  readonly values: ReadonlyMap<SettingName, { readonly text: string; readonly label: string }>;
}
export interface ResolvedSettings {
  readonly settings: Settings;
  readonly origins: ReadonlyMap<
    SettingName,
    { readonly origin: Origin; readonly label: string | null; readonly text: string | null }
  >;
}

const PRECEDENCE: readonly Origin[] = ['flag', 'environment', 'project file', 'user file', 'operator file'];

/**
 * Flag > environment > project file > user file > operator file > default; but the operator's file wins for `operator`
 * settings, and a project's file may only set `project` ones: a cloned repository must not bring keys.
 * @param ci whether this is a pipeline, whose defaults have the origin `CI`
 * @throws RunbookError `settings`
 */
export function resolveSettings(sources: readonly SettingSource[], face: Face = 'cli', ci = false): ResolvedSettings {
  const origins = new Map<SettingName, { origin: Origin; label: string | null; text: string | null }>();
  const values: Partial<Record<SettingName, unknown>> = {};
  for (const name of SETTING_NAMES) {
    const setting: Setting<unknown> = SETTINGS[name];
    const order = setting.scope === 'operator' ? ['operator file', ...PRECEDENCE] : PRECEDENCE;
    const found = order.flatMap((origin) =>
      sources.filter((source) => source.origin === origin && source.values.has(name)),
    )[0];
    const given = found?.values.get(name);
    if (found === undefined || given === undefined) {
      const own = face === 'server' ? SERVER_DEFAULTS[name] : ci ? CI_DEFAULTS[name] : undefined;
      values[name] = own === undefined ? setting.default : own;
      const origin = own !== undefined && face === 'cli' ? 'CI' : 'default';
      origins.set(name, { origin, label: null, text: null });
      continue;
    }
    refuseForeignScope(name, setting, sources);
    const value = setting.parse(given.text);
    if (value === undefined) {
      const shown = setting.secret ? 'its value' : `“${given.text}”`;
      throw new RunbookError('settings', `${given.label}: ${shown} is not ${withArticle(setting.type)}.`, {
        fix: `Write ${withArticle(setting.type)}, or leave it out.`,
      });
    }
    values[name] = value;
    origins.set(name, { origin: found.origin, label: given.label, text: given.text });
  }
  // Every name has its parsed value or its default by now; the mapped type cannot be followed through the loop.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return { settings: values as Settings, origins };
}

function refuseForeignScope(name: SettingName, setting: Setting<unknown>, sources: readonly SettingSource[]): void {
  const wrong = sources.find(
    (source) => source.origin === 'project file' && source.values.has(name) && setting.scope !== 'project',
  );
  if (wrong === undefined) return;
  throw new RunbookError(
    'settings',
    `${wrong.values.get(name)?.label ?? ''}: a project’s file may not set \`${fileKey(name)}\`.`,
    {
      fix: 'Set it in your own configuration file or by an environment variable.',
    },
  );
}

function withArticle(type: string): string {
  if (type.startsWith('one of')) return type;
  return `${/^[aeiou]/i.test(type) ? 'an' : 'a'} ${type}`;
}
