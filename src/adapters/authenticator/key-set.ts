/**
 * A JSON Web Key Set that may change while we run. Reading it is rare by construction: strangers who send tokens with
 * made-up key ids cause one read in 30 s at most.
 */
import { RunbookError } from '../../core/errors.ts';

import { keysOf } from './key-set-content.ts';
import type { SetKey } from './key-set-content.ts';
import type { KeySetSource } from './key-set-source.ts';
import { refused } from './refusal.ts';
import type { TokenHeader } from './token-form.ts';
import type { KeySource, SourceState } from './verification-key.ts';

const COOLDOWN_MS = 30_000;
/** A set of this age is read again. */
const FRESH_MS = 5 * 60_000;

type Read = 'done' | 'failed' | 'too soon';

export function createKeySet(source: KeySetSource, algorithms: readonly string[], now: () => Date): KeySource {
  const freshMs = Math.min(FRESH_MS, source.staleMs);
  let loaded: { readonly keys: readonly SetKey[]; readonly stamp: string | null; goodAt: number } | null = null;
  let attempt: { readonly at: number; readonly stamp: string | null } | null = null;
  let pending: Promise<Read> | null = null;
  /** Why the last reading failed. */
  let problem: string | null = null;

  /** A clock that was set back must not make anything last longer. */
  function since(moment: number): number {
    const passed = now().getTime() - moment;
    return passed < 0 ? Number.POSITIVE_INFINITY : passed;
  }

  function read(stamp: string | null, isForced = false): Promise<Read> {
    if (pending !== null) return pending;
    if (!isForced && attempt !== null && attempt.stamp === stamp && since(attempt.at) < COOLDOWN_MS)
      return Promise.resolve('too soon');
    attempt = { at: now().getTime(), stamp };
    pending = source
      .read()
      .then((bytes): Read => {
        loaded = { keys: keysOf(bytes, algorithms), stamp, goodAt: now().getTime() };
        problem = null;
        return 'done';
      })
      .catch((error: unknown): Read => {
        problem = error instanceof Error ? error.message : 'unknown reason';
        return 'failed';
      })
      .finally(() => {
        pending = null;
      });
    return pending;
  }

  async function current(): Promise<readonly SetKey[]> {
    const stamp = await source.stamp();
    if (loaded !== null && stamp !== null && stamp === loaded.stamp) loaded.goodAt = now().getTime();
    if (loaded === null || stamp !== loaded.stamp || since(loaded.goodAt) > freshMs) {
      // While the server is known to be away, nobody waits for it who has keys that count.
      const isAway = source.kind === 'url' && problem !== null && loaded !== null && counts(loaded.goodAt);
      const reading = read(stamp);
      if (!isAway) await reading;
    }
    if (loaded === null || !counts(loaded.goodAt)) throw new RunbookError('unavailable', sentence(), { fix: FIX });
    return loaded.keys;
  }

  const counts = (goodAt: number): boolean => since(goodAt) <= source.staleMs;
  const sentence = (): string => `The key set ${source.name} cannot be used: ${problem ?? 'it has not been read'}.`;

  return {
    candidates: async (header) => {
      const known = fitting(await current(), header);
      if (known.length > 0) return onlyOne(known);
      // Perhaps the issuer has changed its keys since.
      await read(await source.stamp());
      return onlyOne(fitting(await current(), header));
    },
    keys: () => {
      const state: SourceState = {
        source: source.kind,
        fetchedAt: loaded === null ? null : new Date(loaded.goodAt),
        stale: loaded !== null && problem !== null && since(loaded.goodAt) > freshMs,
        problem: problem === null ? null : sentence(),
      };
      if (loaded === null) return [{ key: null, ...state }];
      if (loaded.keys.length === 0) return [{ key: null, ...state, problem: state.problem ?? emptySet(source.name) }];
      return loaded.keys.map((key) => Object.assign({ key }, state));
    },
    ready: async () => {
      await current();
    },
    reread: async () => {
      // One that has begun already may not see what is there now.
      if (pending !== null) await pending;
      return (await read(await source.stamp(), true)) === 'done' ? null : sentence();
    },
  };
}

const emptySet = (name: string): string => `The key set ${name} has no key that can be used here.`;
const FIX = 'Check that it is there and can be read from here, then try again in half a minute.';

function fitting(keys: readonly SetKey[], { alg, kid }: TokenHeader): readonly SetKey[] {
  return keys.filter((key) => (kid === null || key.kid === kid) && key.algorithms.includes(alg));
}

/** Keys of others are not tried one after the other: their issuer knows how to name them. */
function onlyOne(keys: readonly SetKey[]): readonly SetKey[] {
  if (keys.length === 1) return keys;
  throw keys.length > 1
    ? refused('The token does not say which key signed it ("kid"), and several keys of its issuer fit.')
    : refused("The key set of the token's issuer has no key that fits the token.");
}
