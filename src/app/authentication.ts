/** Whose tokens count, by the settings. */
import path from 'node:path';
import { checkSecret } from '../adapters/authenticator/secret-strength.ts';
import type { AuthSettings } from '../adapters/authenticator/index.ts';
import type { RunTokenAuthenticator } from '../adapters/authenticator/run-token.ts';
import type { Authenticator, Identity } from '../core/ports.ts';
import { RunbookError } from '../core/errors.ts';
import { SETTING_NAMES, SETTINGS } from '../core/settings.ts';
import type { Face, ResolvedSettings, SettingName, Settings } from '../core/settings.ts';

/** A run's own token is tried by who made it; every other one by whom it names. */
export function withRunTokens(authenticator: Authenticator, runTokens: RunTokenAuthenticator): Authenticator {
  const recall = async (token: string): Promise<Identity | null> =>
    runTokens.recall(token) ?? (await authenticator.recall(token));
  return {
    recall,
    authenticate: async (token) =>
      (await recall(token)) ?? (await runTokens.authenticate(token)) ?? (await authenticator.authenticate(token)),
  };
}

export function authSettings(
  { settings, origins }: ResolvedSettings,
  environment: ReadonlyMap<string, string>,
  cwd: string,
  face: Face,
): AuthSettings {
  /** The file that a secret was read from. */
  const fileOf = (name: SettingName): string | undefined => {
    const label = origins.get(name)?.label ?? '';
    const file = label.endsWith('_FILE') ? environment.get(label) : undefined;
    return file === undefined ? undefined : path.resolve(cwd, file);
  };
  return {
    jwtSecret: settings.jwtSecret ?? undefined,
    anyJwtSecret: isSecretFree(settings, face),
    jwtSecretFile: fileOf('jwtSecret'),
    jwtSecretPrevious: settings.jwtSecretPrevious ?? undefined,
    jwtSecretPreviousFile: fileOf('jwtSecretPrevious'),
    jwtSecretPreviousName: origins.get('jwtSecretPrevious')?.label ?? undefined,
    jwtKeysFile: settings.jwtKeysFile ?? undefined,
    jwtAlgorithm: settings.jwtAlgorithm ?? undefined,
    jwtPublicKeyFile: settings.jwtPublicKeyFile ?? undefined,
    jwtJwks: settings.jwtJwks ?? undefined,
    jwtIssuer: settings.jwtIssuer,
    jwtAudience: settings.jwtAudience,
    jwtRolesClaim: settings.jwtRolesClaim,
    jwtSubjectClaim: settings.jwtSubjectClaim,
    jwtIssuersFile: settings.jwtIssuersFile ?? undefined,
    oidcIssuers: settings.oidcIssuer,
    jwtPrivateHosts: settings.jwtPrivateHosts,
    jwksStaleMs: settings.jwksStale,
    jwtMaxAgeMs: settings.jwtMaxAge,
  };
}

/** Values of the settings that are secrets. */
export function secretsAmong(settings: Settings): Set<string> {
  const values = SETTING_NAMES.flatMap((name) => {
    const value = SETTINGS[name].secret ? settings[name] : null;
    return typeof value === 'string' ? [value] : [];
  });
  return new Set([...values, ...passwordIn(settings.redisUrl ?? '')]);
}

/** Of an address: it is as secret alone. */
function passwordIn(value: string): readonly string[] {
  const text = URL.canParse(value) ? new URL(value).password : '';
  if (text === '') return [];
  try {
    return [text, decodeURIComponent(text)];
  } catch {
    return [text];
  }
}

/** Whether there may be shared secrets in files that files name. */
export function namesSecretFiles({ jwtKeysFile, jwtIssuersFile }: AuthSettings): boolean {
  return jwtKeysFile !== undefined || jwtIssuersFile !== undefined;
}

/** Where a token is given to whoever asks, its secret guards nothing. */
export function isSecretFree({ enableLogin }: Settings, face: Face): boolean {
  return face === 'server' && enableLogin;
}

/** One sentence; null for a secret that nobody can guess. */
export function secretWeakness(secret: string): string | null {
  try {
    checkSecret(Buffer.from(secret, 'utf8'), 'JWT_SECRET');
    return null;
  } catch (error) {
    if (error instanceof RunbookError) return error.message;
    throw error;
  }
}
