/** Where a user is at home. */
import { userInfo } from 'node:os';

/**
 * `$HOME`, as it is; where it is unset or empty, what the system has for this user. Null where nobody knows: a container's
 * arbitrary uid has no entry in /etc/passwd.
 */
export function homeOf(environment: ReadonlyMap<string, string>): string | null {
  const home = environment.get('HOME') ?? '';
  if (home !== '') return home;
  try {
    return userInfo().homedir;
  } catch {
    return null;
  }
}
