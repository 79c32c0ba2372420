/**
 * A JSON Web Key Set that may change while we run. Reading it is rare by construction: strangers who send tokens with
 * made-up key ids cause one read in 30 s at most.
 */
import { createPublicKey } from 'node:crypto';
import { createLocalJWKSet, errors } from 'jose';
import type { CryptoKey, JWK } from 'jose';
import { RunbookError } from '../../core/errors.ts';

import { algorithmsOf } from './algorithms.ts';
import type { KeySetSource } from './key-set-source.ts';
import { refused } from './refusal.ts';
import { isJsonObject, parseStrictJson } from './strict-json.ts';
import type { JsonObject } from './strict-json.ts';
import type { TokenHeader } from './token-form.ts';

const COOLDOWN_MS = 30_000;
/** A set of this age is read again. */
const FRESH_MS = 5 * 60_000;
/** How much longer it counts when reading it fails; keys that were withdrawn must die also behind a broken server. */
const STALE_MS = 10 * 60_000;

type Lookup = ReturnType<typeof createLocalJWKSet>;
type Read = 'done' | 'failed' | 'too soon';

/** @throws RunbookError `unauthenticated` (no key for this header), `unavailable` (no set that still counts) */
export function createKeySet(
  source: KeySetSource,
  algorithms: readonly string[],
  now: () => Date,
): (header: TokenHeader) => Promise<CryptoKey> {
  let loaded: { readonly lookup: Lookup; readonly stamp: string | null; goodAt: number } | null = null;
  let attempt: { readonly at: number; readonly stamp: string | null } | null = null;
  let pending: Promise<Read> | null = null;
  let problem = '';

  /** A clock that was set back must not make anything last longer. */
  function since(moment: number): number {
    const passed = now().getTime() - moment;
    return passed < 0 ? Number.POSITIVE_INFINITY : passed;
  }

  function read(stamp: string | null): Promise<Read> {
    if (pending !== null) return pending;
    if (attempt !== null && attempt.stamp === stamp && since(attempt.at) < COOLDOWN_MS)
      return Promise.resolve('too soon');
    attempt = { at: now().getTime(), stamp };
    pending = source
      .read()
      .then((bytes): Read => {
        loaded = { lookup: createLocalJWKSet({ keys: usableKeys(bytes, algorithms) }), stamp, goodAt: now().getTime() };
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

  async function current(): Promise<Lookup> {
    const stamp = await source.stamp();
    if (loaded !== null && stamp !== null && stamp === loaded.stamp) loaded.goodAt = now().getTime();
    if (loaded === null || stamp !== loaded.stamp || since(loaded.goodAt) > FRESH_MS) await read(stamp);
    if (loaded === null || since(loaded.goodAt) > FRESH_MS + STALE_MS) {
      throw new RunbookError('unavailable', `The key set ${source.name} cannot be used: ${problem}.`, {
        fix: 'Check that it is there and can be read from here, then try again in half a minute.',
      });
    }
    return loaded.lookup;
  }

  return async (header) => {
    const lookup = await current();
    try {
      return await find(lookup, header);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw notFound(error);
    }
    // Perhaps the issuer has changed its keys since.
    await read(await source.stamp());
    return find(await current(), header).catch((error: unknown) => {
      throw notFound(error);
    });
  };
}

function find(lookup: Lookup, { alg, kid }: TokenHeader): Promise<CryptoKey> {
  return lookup(kid === null ? { alg } : { alg, kid });
}

function notFound(error: unknown): RunbookError {
  return error instanceof errors.JWKSMultipleMatchingKeys
    ? refused('The token does not say which key signed it ("kid"), and several keys of its issuer fit.')
    : refused("The key set of the token's issuer has no key that fits the token.");
}

/** @throws SyntaxError for a document that is no key set, or that has two keys for one name */
export function usableKeys(bytes: Uint8Array, algorithms: readonly string[]): JWK[] {
  const { keys } = parseStrictJson(bytes);
  if (!Array.isArray(keys)) throw new SyntaxError('is not a key set: it has no list "keys"');
  const usable = keys.filter((key: unknown): key is JsonObject => isJsonObject(key) && isUsable(key, algorithms));
  const names = usable.flatMap(({ kid }) => (kid === undefined ? [] : [kid]));
  if (new Set(names).size < names.length) throw new SyntaxError('has two keys with the same "kid"');
  return usable;
}

/** Keys for other purposes are passed over, and so is a key whose private part is published. */
function isUsable(jwk: JsonObject, algorithms: readonly string[]): boolean {
  const { use, alg, kid } = jwk;
  if (['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv'].some((name) => Object.hasOwn(jwk, name))) return false;
  if ((use !== undefined && use !== 'sig') || (kid !== undefined && typeof kid !== 'string')) return false;
  const possible = keyAlgorithms(jwk).filter((algorithm) => algorithms.includes(algorithm));
  return alg === undefined ? possible.length > 0 : possible.some((algorithm) => algorithm === alg);
}

function keyAlgorithms(jwk: JsonObject): readonly string[] {
  try {
    return algorithmsOf(createPublicKey({ key: jwk, format: 'jwk' }));
  } catch {
    return [];
  }
}
