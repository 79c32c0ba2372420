/**
 * The authenticators there are. Another one is a file of its own and a line here; none of them, nor what it needs, is
 * loaded before there is a token to check.
 */
import type { Authenticator } from '../../core/ports.ts';

import type { AuthSettings } from './issuers.ts';
import type { JwtDependencies } from './jwt.ts';

type Create = (settings: AuthSettings, deps: JwtDependencies) => Promise<Authenticator>;

const AUTHENTICATORS = {
  jwt: async (settings, deps) => {
    const [{ createJwtAuthenticator }, { trustedIssuers }] = await Promise.all([
      import('./jwt.ts'),
      import('./issuers.ts'),
    ]);
    return createJwtAuthenticator(trustedIssuers(settings), deps);
  },
} as const satisfies Record<string, Create>;

export type AuthenticatorName = keyof typeof AUTHENTICATORS;
export type { AuthSettings, JwtDependencies };

export interface LazyAuthenticator extends Authenticator {
  /** Loads and checks the settings now, as a server does at its start. @throws RunbookError `settings` */
  ready(): Promise<void>;
}

export function createAuthenticator(
  name: AuthenticatorName,
  settings: AuthSettings,
  deps: JwtDependencies,
): LazyAuthenticator {
  let created: Promise<Authenticator> | null = null;
  const loaded = (): Promise<Authenticator> => (created ??= AUTHENTICATORS[name](settings, deps));
  return {
    async ready() {
      await loaded();
    },
    async authenticate(token) {
      return (await loaded()).authenticate(token);
    },
  };
}
