/**
 * The authenticators there are. Another one is a file of its own and a line here; none of them, nor what it needs, is
 * loaded before there is a token to check.
 */
import type { Authenticator } from '../../core/ports.ts';

import type { AuthSettings } from './issuers.ts';
import type { JwtDependencies } from './jwt.ts';
import type { KeyState } from './trust.ts';

interface Loaded extends Authenticator {
  ready(): Promise<void>;
  states(): readonly KeyState[];
  /** Reads again whatever the settings name. */
  reload(): Promise<void>;
}

interface Dependencies extends JwtDependencies {
  /** Told of each shared secret that is read, before anything is verified with it. */
  readonly onSecret?: (secret: string) => void;
}

type Create = (settings: AuthSettings, deps: Dependencies) => Promise<Loaded>;

const AUTHENTICATORS = {
  jwt: async (settings, deps) => {
    const [{ createJwtAuthenticator }, { trustedIssuers }, { reread }, { sharedSecrets }] = await Promise.all([
      import('./jwt.ts'),
      import('./issuers.ts'),
      import('./reread.ts'),
      import('./shared-secrets.ts'),
    ]);
    const { jwtPrivateHosts: privateHosts, jwksStaleMs: staleMs } = settings;
    const network = {
      ...(privateHosts === undefined ? {} : { privateHosts }),
      ...(staleMs === undefined ? {} : { staleMs }),
      ...deps.network,
    };
    const read = (given: AuthSettings): ReturnType<typeof trustedIssuers> => {
      const issuers = trustedIssuers(given);
      for (const secret of sharedSecrets(issuers)) deps.onSecret?.(secret);
      return issuers;
    };
    const authenticator = createJwtAuthenticator(read(settings), {
      ...deps,
      network,
      maxAgeMs: settings.jwtMaxAgeMs ?? null,
    });
    return { ...authenticator, reload: async () => await authenticator.replace(read(reread(settings))) };
  },
} as const satisfies Record<string, Create>;

export type AuthenticatorName = keyof typeof AUTHENTICATORS;
export type { AuthSettings, JwtDependencies, KeyState };

export interface LazyAuthenticator extends Authenticator {
  /** Reads and checks the settings, and the files that they name; fetches nothing. @throws RunbookError `settings` */
  load(): Promise<void>;
  /**
   * Loads and checks the settings now, as a server does at its start, and fetches key sets that are not there or too old;
   * cheap where nothing has to be fetched. @throws RunbookError `settings`; `unavailable` where no issuer has keys now
   */
  ready(): Promise<void>;
  /** One row for each key of each issuer; empty before anything is loaded. Asks nobody. */
  keyStates(): readonly KeyState[];
  /**
   * Reads files of keys, issuers and secrets again, and fetches key sets. A key set whose server is away stays as it was.
   * @throws RunbookError `settings` for a file that is wrong; then all keys stay as they were
   */
  reload(): Promise<void>;
}

export function createAuthenticator(
  name: AuthenticatorName,
  settings: AuthSettings,
  deps: Dependencies,
): LazyAuthenticator {
  let created: Promise<Loaded> | null = null;
  let states: (() => readonly KeyState[]) | null = null;
  let reloading: Promise<void> = Promise.resolve();
  const loaded = (): Promise<Loaded> =>
    (created ??= AUTHENTICATORS[name](settings, deps).then(
      (authenticator) => {
        states = () => authenticator.states();
        return authenticator;
      },
      (error: unknown) => {
        // What was wrong may be put right.
        created = null;
        throw error;
      },
    ));
  return {
    async load() {
      await loaded();
    },
    async ready() {
      await (await loaded()).ready();
    },
    async authenticate(token) {
      return (await loaded()).authenticate(token);
    },
    async recall(token) {
      return (await loaded()).recall(token);
    },
    keyStates: () => states?.() ?? [],
    reload() {
      // One after the other: the last request decides what counts in the end.
      const next = reloading.then(async () => await (await loaded()).reload());
      reloading = next.catch(() => undefined);
      return next;
    },
  };
}
