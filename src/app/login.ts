/** Logging in to servers, and the tokens that are kept of it. */
import { createLoginStore } from '../adapters/login/store.ts';
import type { Clock } from '../core/ports.ts';
import { RunbookError } from '../core/errors.ts';
import { isFresh } from '../core/login.ts';
import type { LoginStore, StoredLogin } from '../core/login.ts';
import { originOf } from '../core/server-address.ts';

export { createLoginStore } from '../adapters/login/store.ts';

/**
 * The token of a login at that server (its origin counts), renewed where that is possible; null where nobody has logged in.
 * @throws RunbookError `unauthenticated` where the login has ended, `io`, `busy`, `unavailable` where the issuer is away
 */
export async function loginToken(stateDir: string, clock: Clock, server: string): Promise<string | null> {
  const store = createLoginStore(stateDir);
  const origin = originOf(server);
  const login = await store.read(origin);
  if (login === null || isFresh(login, clock.now())) return login?.accessToken ?? null;
  return await store.inTurn(async () => await renewed(store, clock, server));
}

async function renewed(store: LoginStore, clock: Clock, server: string): Promise<string | null> {
  // Another process may have renewed it meanwhile, or given it up.
  const login = await store.read(originOf(server));
  if (login === null || isFresh(login, clock.now())) return login?.accessToken ?? null;
  const { renewal, refreshToken } = login;
  if (renewal === null || refreshToken === null) throw ended(server, login);
  const { renew } = await import('../adapters/login/issuer.ts');
  const tokens = await renew(renewal, refreshToken, () => clock.now());
  // What is left says until `runbook logout` that there was a login, and when it ended.
  await store.write({ ...login, ...(tokens ?? { refreshToken: null, renewal: null }) });
  if (tokens === null) throw ended(server, login);
  return tokens.accessToken;
}

function ended(server: string, { expiresAt }: StoredLogin): RunbookError {
  return new RunbookError(
    'unauthenticated',
    `The login at ${server} has ended (${expiresAt ?? 'its issuer says so'}).`,
    {
      fix: `Log in again: \`runbook login --server ${server}\`.`,
    },
  );
}

/** All that must not be seen of logins: tokens, and what makes a JWT hold. */
export async function loginSecrets(stateDir: string): Promise<readonly string[]> {
  const logins = await createLoginStore(stateDir).all();
  return logins
    .flatMap(({ accessToken, refreshToken }) => [accessToken, refreshToken])
    .flatMap((token) => (token === null ? [] : [token, token.split('.').at(-1) ?? '']));
}
