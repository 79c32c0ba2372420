/** Logging in to servers, and the tokens that are kept of it. */
import { createLoginStore } from '../adapters/login/store.ts';
import type { Clock } from '../core/ports.ts';
import { isFresh } from '../core/login.ts';
import type { LoginStore, StoredLogin } from '../core/login.ts';
import { originOf } from '../core/server-address.ts';

export { createLoginStore } from '../adapters/login/store.ts';

/**
 * A token for that server, renewed where that is possible; null where nobody has logged in, or the login has ended: then nothing
 * of it is kept. @throws RunbookError `io`, `unavailable` where the issuer is away
 */
export async function loginToken(stateDir: string, clock: Clock, server: string): Promise<string | null> {
  const store = createLoginStore(stateDir);
  const login = await store.read(originOf(server));
  if (login === null) return null;
  if (isFresh(login, clock.now())) return login.accessToken;
  const renewed = await renewLogin(store, clock, login);
  if (renewed !== null) return renewed.accessToken;
  // Another process may have renewed it meanwhile, and with it ended this refresh token.
  const other = await store.read(login.origin);
  if (other !== null && other.accessToken !== login.accessToken && isFresh(other, clock.now()))
    return other.accessToken;
  await store.remove(login.origin);
  return null;
}

async function renewLogin(store: LoginStore, clock: Clock, login: StoredLogin): Promise<StoredLogin | null> {
  const { renewal, refreshToken } = login;
  if (renewal === null || refreshToken === null) return null;
  const { renew } = await import('../adapters/login/issuer.ts');
  const tokens = await renew(renewal, refreshToken, () => clock.now());
  if (tokens === null) return null;
  const next = { ...login, ...tokens };
  await store.write(next);
  return next;
}

/** All that must not be seen of logins: tokens, and what makes a JWT hold. */
export async function loginSecrets(stateDir: string): Promise<readonly string[]> {
  const logins = await createLoginStore(stateDir).all();
  return logins
    .flatMap(({ accessToken, refreshToken }) => [accessToken, refreshToken])
    .flatMap((token) => (token === null ? [] : [token, token.split('.').at(-1) ?? '']));
}
