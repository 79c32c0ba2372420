/**
 * Signatures that were checked and held, so that the same token is not checked with each request. Nothing else is
 * remembered: whether its key still counts, and whether its time has come or passed, is asked each time.
 */
import { hash } from 'node:crypto';

import type { JsonObject } from './strict-json.ts';
import { MAX_TOKEN_LENGTH } from './token-form.ts';
import type { TokenForm } from './token-form.ts';
import type { TrustedIssuer } from './trusted-issuer.ts';
import type { VerificationKey } from './verification-key.ts';

export interface VerifiedToken {
  readonly form: TokenForm;
  /** As it was then; another one of the same name is another one. */
  readonly issuer: TrustedIssuer;
  readonly key: VerificationKey;
  readonly claims: JsonObject;
}

export interface VerifiedTokens {
  /** Null: nothing is known of it. */
  formOf(token: string): TokenForm | null;
  /** Null where it is not known under this issuer and one of these keys. */
  claimsOf(
    token: string,
    issuer: TrustedIssuer,
    keys: readonly VerificationKey[],
  ): Pick<VerifiedToken, 'key' | 'claims'> | null;
  add(token: string, verified: VerifiedToken): void;
  remove(token: string): void;
  clear(): void;
}

/** Together about 10 MiB. */
const MAX_TOKENS = 2000;
const MAX_CHARACTERS = 2 * 1024 ** 2;

/** Those that were used last. */
export function createVerifiedTokens(maxTokens = MAX_TOKENS, maxCharacters = MAX_CHARACTERS): VerifiedTokens {
  const known = new Map<string, VerifiedToken & { readonly length: number }>();
  let characters = 0;

  // Of all of it: a token that differs in one bit is another one.
  const nameOf = (token: string): string => hash('sha256', token);

  function drop(name: string): void {
    characters -= known.get(name)?.length ?? 0;
    known.delete(name);
  }

  return {
    formOf: (token) => (token.length > MAX_TOKEN_LENGTH ? null : (known.get(nameOf(token))?.form ?? null)),
    claimsOf: (token, issuer, keys) => {
      const name = nameOf(token);
      const found = known.get(name);
      if (found === undefined) return null;
      const key = keys.find(({ print }) => print === found.key.print);
      if (key === undefined || found.issuer !== issuer) {
        drop(name);
        return null;
      }
      known.delete(name);
      known.set(name, found);
      return { key, claims: found.claims };
    },
    add: (token, verified) => {
      const name = nameOf(token);
      drop(name);
      known.set(name, { ...verified, length: token.length });
      characters += token.length;
      for (const [oldest] of known) {
        if (known.size <= maxTokens && characters <= maxCharacters) break;
        drop(oldest);
      }
    },
    remove: (token) => {
      drop(nameOf(token));
    },
    clear: () => {
      known.clear();
      characters = 0;
    },
  };
}
