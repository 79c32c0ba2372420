/** Of a Stage0 deployment: what its variables mean here. Each sentence is one of docs/stage0-compatibility.md. */
import { secretWeakness } from '../../../app/authentication.ts';
import { RunbookError } from '../../../core/errors.ts';
import { environmentNames, SETTING_NAMES, SETTINGS } from '../../../core/settings.ts';
import type { SettingName } from '../../../core/settings.ts';
import { serverSettings } from '../../settings.ts';
import { note, ok, problem } from '../finding.ts';
import type { Finding } from '../finding.ts';
import type { Said } from './compose.ts';

/** What a service sets, from its files and itself. */
export type Environment = ReadonlyMap<string, Said<string | null> & { readonly file: string }>;

const SETTING_OF: ReadonlyMap<string, SettingName> = new Map(
  SETTING_NAMES.flatMap((name) => environmentNames(name, 'server').map((variable) => [variable, name] as const)),
);

/** Read by Stage0, its server or what it is built on, and by nobody here. */
const IGNORED = /^(?:RATE_LIMIT_.*|GUNICORN_.*|WEB_CONCURRENCY|FLASK_.*|PYTHON[A-Z]+|PIPENV_.*)$/;

const DIFFERENT: Readonly<Record<string, string>> = {
  SCRIPT_TIMEOUT_SECONDS: 'a timeout ends every process of the run, and is 124 instead of -9',
  MAX_OUTPUT_SIZE_BYTES:
    'it counts both streams together; the stream of events has all output, the record its first and last half',
  MAX_RECURSION_DEPTH: 'the chain is what a script’s own token holds, not what a header says',
  RATE_LIMIT_PER_MINUTE:
    'it counts who has no token, by address; RATE_LIMIT_AUTHENTICATED_PER_MINUTE is for the others',
  RATE_LIMIT_EXECUTE_PER_MINUTE: 'it counts subjects instead of addresses',
  EXECUTION_DIR: 'it may be missing; the system’s temporary folder is used then',
  MOUNT_DIR: 'it may be missing; scripts get the path inside of the container then',
};

export function examineVariables(environment: Environment): readonly Finding[] {
  const found = [...environment].flatMap(([name, said]) => {
    const place = `${said.file}:${said.line}`;
    return judge(name, said.value, place);
  });
  return [...found, ...examineKeys(environment)];
}

function judge(name: string, value: string | null, place: string): readonly Finding[] {
  const setting = SETTING_OF.get(name);
  if (setting === undefined && IGNORED.test(name)) {
    const text = `${name} means nothing here`;
    return [note('variable', text, 'Take it out; nothing reads it.', place)];
  }
  if (setting === undefined) {
    if (!name.startsWith('RUNBOOK_')) return [];
    return wrong(() => serverSettings(new Map([[name, value ?? '']])), place);
  }
  if (value === null && setting !== 'jwtSecret') {
    const text = `${name} comes from outside and is not set there now, so its default counts`;
    return [note('variable', text, 'Set it where the file is used, or take it out.', place)];
  }
  if (value === null || value === '') return [];
  // Its file is in the container.
  if (SETTINGS[setting].secret && name.endsWith('_FILE')) return [ok('variable', `${name} is known`, place)];
  const problems = wrong(() => serverSettings(new Map([[name, value]])), place);
  if (problems.length > 0) return problems;
  const different = DIFFERENT[name];
  if (different !== undefined) return [note('variable', `${name} is known; ${different}`, '', place)];
  return [ok('variable', `${name} is known`, place)];
}

function wrong(read: () => unknown, place: string): readonly Finding[] {
  try {
    read();
    return [];
  } catch (error) {
    if (!(error instanceof RunbookError)) throw error;
    return [problem('variable', error.message.replace(/\.$/, ''), error.fix, place)];
  }
}

/** Whose tokens would count, and whether a server starts with that. */
function examineKeys(environment: Environment): readonly Finding[] {
  const valueOf = (
    setting: SettingName,
  ): (Said<string | null> & { readonly file: string; readonly name: string }) | null => {
    const [last] = environmentNames(setting, 'server')
      .toReversed()
      .flatMap((name) => {
        const said = environment.get(name);
        return said === undefined || said.value === '' ? [] : [{ ...said, name }];
      });
    return last ?? null;
  };
  const isOn = valueOf('enableLogin')?.value?.toLowerCase() === 'true';
  const issuer = (['oidcIssuer', 'jwtPublicKeyFile', 'jwtJwks', 'jwtIssuersFile'] as const).map(valueOf).find(Boolean);
  const secret = valueOf('jwtSecret');
  const login = valueOf('enableLogin');
  const found: Finding[] = [];
  if (isOn && login !== null) {
    const place = `${login.file}:${login.line}`;
    found.push(
      issuer
        ? problem(
            'keys',
            'ENABLE_LOGIN is on together with an issuer, so the server does not start',
            'Unset ENABLE_LOGIN, or the issuer’s keys.',
            place,
          )
        : note(
            'keys',
            'ENABLE_LOGIN gives a token with any roles to whoever asks',
            'Unset it where others reach the server.',
            place,
          ),
    );
  }
  if (secret === null) {
    if (!isOn && !issuer && valueOf('jwtKeysFile') === null)
      found.push(
        problem(
          'keys',
          'no key is set to verify tokens with, so the server does not start',
          'Set JWT_SECRET_FILE to a file with what `openssl rand -hex 32` prints.',
        ),
      );
    return found;
  }
  const place = `${secret.file}:${secret.line}`;
  if (secret.name.endsWith('_FILE')) return found;
  if (secret.value === null)
    return [
      ...found,
      note(
        'keys',
        `${secret.name} comes from outside and is not set there now`,
        'Set it to what `openssl rand -hex 32` prints; a short or well-known one is refused.',
        place,
      ),
    ];
  const weakness = secretWeakness(secret.value);
  if (weakness !== null) {
    const text = weakness.replace(/\.$/, '');
    found.push(
      isOn
        ? note(
            'keys',
            `${text}; without ENABLE_LOGIN the server does not start with it`,
            'Make one: openssl rand -hex 32.',
            place,
          )
        : problem('keys', `${text}, so the server does not start`, 'Make one: openssl rand -hex 32.', place),
    );
  }
  if (!secret.name.endsWith('_FILE'))
    found.push(
      note(
        'keys',
        `scripts with the server’s own user can read ${secret.name} from its memory`,
        'Give it by JWT_SECRET_FILE, in a file that this user cannot read again.',
        place,
      ),
    );
  return found;
}

/** Variables that are no settings: a script sees them where its runbook declares them. */
export function othersOf(environment: Environment): ReadonlySet<string> {
  return new Set([...environment.keys()].filter((name) => !SETTING_OF.has(name) && !IGNORED.test(name)));
}

/** Settings that Stage0's scripts saw as they were in its environment. */
export function settingsOf(environment: Environment): ReadonlySet<string> {
  return new Set([...environment.keys()].filter((name) => SETTING_OF.has(name)));
}
