/** What a server looks at before it takes the first request: what is unsafe is refused or said, each in one sentence. */
import { randomBytes } from 'node:crypto';
import { RunbookError } from '../core/errors.ts';
import type { ResolvedSettings, Settings } from '../core/settings.ts';

export interface Prepared {
  readonly resolved: ResolvedSettings;
  readonly warnings: readonly string[];
}

/** @throws RunbookError `settings` */
export function prepareSettings(resolved: ResolvedSettings): Prepared {
  const { settings } = resolved;
  const warnings: string[] = [];
  const hasOtherKeys = [settings.jwtPublicKeyFile, settings.jwtJwks, settings.jwtIssuersFile].some(
    (value) => value !== null,
  );
  if (settings.enableLogin) {
    if (hasOtherKeys) {
      throw wrong(
        'ENABLE_LOGIN is on together with an issuer: whoever asks would get a token beside it.',
        'Unset ENABLE_LOGIN, or the issuer’s keys.',
      );
    }
    if (settings.env === 'production') {
      throw wrong(
        'ENABLE_LOGIN is on and RUNBOOK_ENV is production.',
        'Unset ENABLE_LOGIN, and set the keys of an identity provider.',
      );
    }
    warnings.push(
      'POST /dev-login gives a token with any roles to whoever asks (ENABLE_LOGIN): never leave this on where others reach it.',
    );
  } else if (settings.jwtSecret === null && !hasOtherKeys) {
    throw wrong(
      'No key is set to verify tokens with, so nobody could use the server.',
      'Set JWT_SECRET (`openssl rand -hex 32`), or the keys of an identity provider; ENABLE_LOGIN=true for a first try.',
    );
  }
  if (settings.adminClaim === null) warnings.push('ADMIN_CLAIM is not set: nobody is an administrator.');
  return { resolved: { ...resolved, settings: withSecret(settings, warnings) }, warnings };
}

/** A secret for this start only, where a token is given to whoever asks anyway. */
function withSecret(settings: Settings, warnings: string[]): Settings {
  if (!settings.enableLogin || settings.jwtSecret !== null) return settings;
  warnings.push('JWT_SECRET is not set: one was made for this start, and tokens do not outlive it.');
  return { ...settings, jwtSecret: randomBytes(32).toString('hex') };
}

function wrong(message: string, fix: string): RunbookError {
  return new RunbookError('settings', message, { fix });
}
