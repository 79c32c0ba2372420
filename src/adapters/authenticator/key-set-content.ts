/** What counts of a JSON Web Key Set (RFC 7517). */
import { createPublicKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

import { algorithmsOf } from './algorithms.ts';
import { isJsonObject, parseStrictJson } from './strict-json.ts';
import type { JsonObject } from './strict-json.ts';
import { publicKeyPrint } from './verification-key.ts';
import type { VerificationKey } from './verification-key.ts';

export interface SetKey extends VerificationKey {
  /** As its issuer calls it; null: a token that names a key does not mean this one. */
  readonly kid: string | null;
}

const NAME_LENGTH = 12;
/** Of private and of shared keys (RFC 7518, section 6). */
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv'] as const;

/**
 * Keys for other purposes are passed over, and so is a key whose private part is published.
 * @throws SyntaxError for a document that is no key set, or that has two keys for one name
 */
export function keysOf(bytes: Uint8Array, algorithms: readonly string[]): SetKey[] {
  const { keys } = parseStrictJson(bytes);
  if (!Array.isArray(keys)) throw new SyntaxError('is not a key set: it has no list "keys"');
  const usable = keys.flatMap((jwk: unknown) => (isJsonObject(jwk) ? usableKey(jwk, algorithms) : []));
  const names = usable.flatMap(({ kid }) => kid ?? []);
  if (new Set(names).size < names.length) throw new SyntaxError('has two keys with the same "kid"');
  return usable;
}

function usableKey(jwk: JsonObject, algorithms: readonly string[]): readonly SetKey[] {
  const { use = 'sig', key_ops: purposes = ['verify'], alg, kid = null } = jwk;
  if (PRIVATE_MEMBERS.some((name) => Object.hasOwn(jwk, name))) return [];
  if (use !== 'sig' || !Array.isArray(purposes) || !purposes.includes('verify')) return [];
  if (kid !== null && typeof kid !== 'string') return [];
  const key = readKey(jwk);
  if (key === null) return [];
  const possible = algorithmsOf(key).filter((name) => algorithms.includes(name) && (alg === undefined || name === alg));
  const print = publicKeyPrint(key);
  const name = kid ?? print.slice(0, NAME_LENGTH);
  return possible.length === 0 ? [] : [{ kid, name, key, algorithms: possible, isSecret: false, print }];
}

function readKey(jwk: JsonObject): KeyObject | null {
  try {
    return createPublicKey({ key: jwk, format: 'jwk' });
  } catch {
    return null;
  }
}
