/** Whose tokens count, by the settings. */
import type { AuthSettings } from '../adapters/authenticator/index.ts';
import type { RunTokenAuthenticator } from '../adapters/authenticator/run-token.ts';
import type { Authenticator } from '../core/ports.ts';
import type { Settings } from '../core/settings.ts';

/** A run's own token is tried by who made it; every other one by whom it names. */
export function withRunTokens(authenticator: Authenticator, runTokens: RunTokenAuthenticator): Authenticator {
  return {
    authenticate: async (token) => (await runTokens.authenticate(token)) ?? (await authenticator.authenticate(token)),
  };
}

export function authSettings(settings: Settings): AuthSettings {
  return {
    jwtSecret: settings.jwtSecret ?? undefined,
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
