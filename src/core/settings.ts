/**
 * Every setting, in one table: type, default, who may set it, whether it is a secret, what it does. Pure: the faces bring
 * the texts (flags, environment, files), `resolveSettings` decides which one counts and says where it came from.
 */
import { RunbookError } from './errors.ts';
import { RUNGS } from './containment.ts';
import type { Rung } from './containment.ts';
import { KEY_SETTINGS } from './key-settings.ts';
import { age, choice, define, duration, integer, list, optionalText, place, size, text } from './setting.ts';
import type { Setting } from './setting.ts';

export type Origin = 'flag' | 'environment' | 'project file' | 'user file' | 'operator file' | 'default';

export const SETTINGS = {
  runbooksDir: place('folder', {
    scope: 'project',
    description: 'Folder of the runbooks; without it the nearest `runbooks/` up to the root of the repository.',
  }),
  stateDir: place('folder', {
    scope: 'user',
    description: 'Folder of the ledger and the outputs; without it `$XDG_STATE_HOME/runbook`.',
  }),
  executionDir: place('folder', {
    scope: 'user',
    description:
      'Folder in which the private work folders are made; without it the system’s folder for temporary files.',
  }),
  history: choice(['auto', 'file', 'ledger', 'none'], 'auto', {
    scope: 'user',
    description:
      'Where a run is recorded besides the ledger: in the document (`file`), nowhere else (`ledger`), by what is possible (`auto`), or not at all (`none`).',
  }),
  keepWorkdir: choice(['always', 'failed', 'never'], 'failed', {
    scope: 'user',
    description:
      'Whether the work folder of a run is kept: always, after a run of several steps that did not succeed (`failed`), or never.',
  }),
  timeout: duration(null, {
    scope: 'project',
    description: 'How long a run may take where the runbook declares nothing; none by default.',
  }),
  maxTimeout: duration(null, {
    scope: 'operator',
    aliases: ['MAX_TIMEOUT_SECONDS'],
    description: 'The longest time any run may take, whatever the runbook declares.',
  }),
  stopGrace: duration(5000, {
    scope: 'operator',
    aliases: ['STOP_GRACE_SECONDS'],
    description: 'Time between the polite and the forced end of a script.',
  }),
  containment: choice(['auto', ...RUNGS], 'auto', {
    scope: 'operator',
    description: 'What holds the processes of a run: the strongest there is (`auto`), or no stronger than this.',
  }),
  requireContainment: define<Rung | null>(
    `one of ${RUNGS.join(', ')}`,
    (value) => RUNGS.find((rung) => rung === value),
    null,
    {
      scope: 'operator',
      aliases: ['REQUIRE_CONTAINMENT'],
      description: 'A run that can only be held by less than this is refused.',
    },
  ),
  maxMemory: size(null, {
    scope: 'operator',
    aliases: ['MAX_MEMORY'],
    description: 'Memory of all processes of a run together, whatever the runbook declares.',
  }),
  maxProcesses: integer(null, 1, {
    scope: 'operator',
    aliases: ['MAX_PROCESSES'],
    description: 'Processes of a run at once, whatever the runbook declares.',
  }),
  maxFileSize: size(null, {
    scope: 'operator',
    aliases: ['MAX_FILE_SIZE'],
    description: 'Size of a file that a script may write.',
  }),
  maxOpenFiles: integer(null, 16, {
    scope: 'operator',
    aliases: ['MAX_OPEN_FILES'],
    description: 'Files that a process of a script may have open.',
  }),
  maxOutput: size(10 * 1024 ** 2, {
    scope: 'operator',
    description: 'Output of a run that is kept (first and last half); what goes to the terminal is not cut.',
  }),
  keepOutput: age(90 * 24 * 3_600_000, {
    scope: 'operator',
    description: 'How long output and artifacts of a run are kept; its record stays.',
  }),
  maxOutputStore: size(5 * 1024 ** 3, {
    scope: 'operator',
    description: 'Output and artifacts of all runs together; beyond that the oldest go. Records stay.',
  }),
  maxRecursionDepth: integer(50, 1, {
    scope: 'operator',
    description: 'How many runbooks may call each other in a row.',
  }),
  passEnv: list({
    scope: 'user',
    description:
      'Names or patterns (`AWS_*`) of your environment that scripts see although the runbook does not declare them.',
  }),
  token: optionalText('token', { scope: 'user', secret: true, description: 'The JWT that says who you are.' }),
  jwtSecret: optionalText('text of 32 bytes or more', {
    scope: 'operator',
    secret: true,
    aliases: ['JWT_SECRET'],
    description: 'Shared secret that signs tokens (HS256, HS384, HS512).',
  }),
  jwtPublicKeyFile: place('file', {
    scope: 'operator',
    aliases: ['JWT_PUBLIC_KEY_FILE'],
    description: 'PEM file of the public key that verifies tokens.',
  }),
  jwtJwks: place('file or https URL', {
    scope: 'operator',
    aliases: ['JWT_JWKS', 'JWT_JWKS_URL', 'JWT_JWKS_FILE'],
    description: 'Key set (JWKS) that verifies tokens.',
  }),
  jwtAlgorithm: optionalText('name', {
    scope: 'operator',
    aliases: ['JWT_ALGORITHM'],
    description: 'The algorithm tokens are signed with; HS256 with a secret, otherwise what the key says.',
  }),
  jwtIssuer: text('dev-idp', {
    scope: 'operator',
    aliases: ['JWT_ISSUER'],
    description: 'Issuer (`iss`) that tokens must name.',
  }),
  jwtAudience: text('dev-api', {
    scope: 'operator',
    aliases: ['JWT_AUDIENCE'],
    description: 'Audience (`aud`) that tokens must name; several separated by commas.',
  }),
  jwtRolesClaim: text('roles', {
    scope: 'operator',
    aliases: ['JWT_ROLES_CLAIM'],
    description: 'Claim that holds the roles; a path like `realm_access.roles` is allowed.',
  }),
  jwtSubjectClaim: text('sub', {
    scope: 'operator',
    aliases: ['JWT_SUBJECT_CLAIM'],
    description: 'Claim that names the person or machine.',
  }),
  jwtIssuersFile: place('YAML file', {
    scope: 'operator',
    aliases: ['JWT_ISSUERS_FILE'],
    description: 'Several issuers, each with its keys: see docs/tokens.md.',
  }),
  ...KEY_SETTINGS,
  apiProtocol: text('http', {
    scope: 'operator',
    description: 'Scheme of the address that scripts get as RUNBOOK_URL.',
  }),
  apiHost: text('localhost', {
    scope: 'operator',
    description: 'Host of the address that scripts get as RUNBOOK_URL.',
  }),
  apiPort: integer(8083, 1, { scope: 'operator', description: 'Port of the address that scripts get as RUNBOOK_URL.' }),
  mountDir: optionalText('folder', {
    scope: 'operator',
    description: 'The folder of work folders as the host sees it (scripts get RUNBOOK_EXEC_DIR_HOST).',
  }),
} as const;

export type SettingName = keyof typeof SETTINGS;
export type Settings = { readonly [K in SettingName]: (typeof SETTINGS)[K]['default'] };
export const SETTING_NAMES: readonly SettingName[] = Object.keys(SETTINGS).filter((name): name is SettingName =>
  Object.hasOwn(SETTINGS, name),
);

/** `jwtSecret` → `RUNBOOK_JWT_SECRET` */
export function environmentName(name: SettingName): string {
  return `RUNBOOK_${snake(name).toUpperCase()}`;
}
/** All names of the environment that set it, the stronger ones last; a secret also takes the path of a file. */
export function environmentNames(name: SettingName): readonly string[] {
  const names = [...SETTINGS[name].aliases, environmentName(name)];
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
  readonly origin: Exclude<Origin, 'default'>;
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
 * @throws RunbookError `settings`
 */
export function resolveSettings(sources: readonly SettingSource[]): ResolvedSettings {
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
      values[name] = setting.default;
      origins.set(name, { origin: 'default', label: null, text: null });
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
