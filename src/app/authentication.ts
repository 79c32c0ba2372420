/** Whose tokens count, by the settings. */
import { checkSecret } from '../adapters/authenticator/secret-strength.ts';
import type { AuthSettings } from '../adapters/authenticator/index.ts';
import type { RunTokenAuthenticator } from '../adapters/authenticator/run-token.ts';
import type { Authenticator } from '../core/ports.ts';
import { RunbookError } from '../core/errors.ts';
import type { Face, Settings } from '../core/settings.ts';

/** A run's own token is tried by who made it; every other one by whom it names. */
export function withRunTokens(authenticator: Authenticator, runTokens: RunTokenAuthenticator): Authenticator {
  return {
    authenticate: async (token) => (await runTokens.authenticate(token)) ?? (await authenticator.authenticate(token)),
  };
}

export function authSettings(settings: Settings, face: Face): AuthSettings {
  return {
    jwtSecret: settings.jwtSecret ?? undefined,
    anyJwtSecret: isSecretFree(settings, face),
    jwtAlgorithm: settings.jwtAlgorithm ?? undefined,
    jwtPublicKeyFile: settings.jwtPublicKeyFile ?? undefined,
    jwtJwks: settings.jwtJwks ?? undefined,
    jwtIssuer: settings.jwtIssuer,
    jwtAudience: settings.jwtAudience,
    jwtRolesClaim: settings.jwtRolesClaim,
    jwtSubjectClaim: settings.jwtSubjectClaim,
    jwtIssuersFile: settings.jwtIssuersFile ?? undefined,
  };
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
