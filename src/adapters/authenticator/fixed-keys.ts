/** Keys that are written down: one, the current and the previous one, or a list with ids and times. */
import type { KeySource, SourceState, VerificationKey } from './verification-key.ts';
import { refused } from './refusal.ts';

/** One that counts at some times only. */
export interface TimedKey extends VerificationKey {
  readonly notBefore: Date | null;
  readonly retireAt: Date | null;
}

const NEW_TOKEN = 'Get a new token: the keys that tokens are signed with have changed.';

/**
 * @param haveIds then a token that names a key is verified by that one only, and by none where there is no such key.
 * Otherwise the names are ours, and what a token calls its key means nothing.
 */
export function fixedKeys(
  keys: readonly TimedKey[],
  haveIds: boolean,
  source: SourceState['source'],
  now: () => Date,
): KeySource {
  return {
    // Without `await` inside: refusals become rejections all the same.
    candidates: async ({ alg, kid }) => {
      const moment = now();
      if (kid !== null && haveIds) {
        const named = keys.find(({ name }) => name === kid);
        if (named === undefined) throw refused('There is no key here with the id that the token names.', NEW_TOKEN);
        if (!named.algorithms.includes(alg)) throw refused('The token is not signed as its key signs.');
        const when = outside(named, moment);
        if (when !== null) throw refused(`The key that the token names ${when}.`, NEW_TOKEN);
        return [named];
      }
      const fitting = keys.filter((key) => key.algorithms.includes(alg) && outside(key, moment) === null);
      if (fitting.length === 0) throw refused('No key that counts now can have signed the token.', NEW_TOKEN);
      return fitting;
    },
    keys: () => keys.map((key) => ({ key, source, fetchedAt: null, stale: false, problem: null })),
    ready: () => Promise.resolve(),
    reread: () => Promise.resolve(null),
  };
}

function outside({ notBefore, retireAt }: TimedKey, moment: Date): string | null {
  if (notBefore !== null && moment < notBefore) return 'does not count yet';
  return retireAt !== null && moment >= retireAt ? 'has been retired' : null;
}
