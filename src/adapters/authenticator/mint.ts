/** Makes tokens with this installation's own secret, for development and for runs of its own. */
import { randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';
import { RunbookError } from '../../core/errors.ts';
import { messageOf } from '../../core/failures.ts';
import type { Claims } from '../../core/claims.ts';

import { SECRET_ALGORITHMS } from './algorithms.ts';
import { SELF_MADE_CLAIM, isName } from './identity.ts';
import { wrongSetting } from './refusal.ts';
import { checkSecret } from './secret-strength.ts';
import { parseStrictJson } from './strict-json.ts';
import { MAX_TOKEN_LENGTH } from './token-form.ts';

export const MAX_MINTED_TTL_MS = 12 * 60 * 60_000;

/** They have parameters of their own, or are ours to set. */
const RESERVED = ['iss', 'aud', 'sub', 'exp', 'nbf', 'iat', 'jti', 'roles', SELF_MADE_CLAIM, '__proto__'] as const;

export interface MintRequest {
  readonly secret: Uint8Array;
  /** Also with one that can be guessed. */
  readonly anyStrength?: boolean;
  /** HS256 where nothing is said. */
  readonly algorithm?: string;
  /** The name of the key, where keys have names. */
  readonly keyId?: string | null;
  /** The key counts for nothing from then on. */
  readonly retireAt?: Date | null;
  readonly issuer: string;
  readonly audience: string;
  readonly subject: string;
  readonly roles: readonly string[];
  /** Further claims. */
  readonly claims: Claims;
  /** Cut down to whole seconds. */
  readonly ttlMs: number;
  readonly now: Date;
}

/** @throws RunbookError `usage` (lifetime, subject, reserved claim, too large), `settings` (secret, algorithm) */
export async function mintToken(request: MintRequest): Promise<string> {
  const {
    secret,
    algorithm = 'HS256',
    keyId = null,
    retireAt = null,
    issuer,
    audience,
    subject,
    roles,
    claims,
    ttlMs,
    now,
  } = request;
  checkSecret(secret, 'The secret that signs tokens', request.anyStrength);
  if (!SECRET_ALGORITHMS.includes(algorithm)) {
    throw wrongSetting('Tokens can only be made with a shared secret.', `Use ${SECRET_ALGORITHMS.join(', ')}.`);
  }
  if (!(ttlMs >= 1000 && ttlMs <= MAX_MINTED_TTL_MS)) {
    throw usage('The lifetime of the token is out of range.', 'Choose between 1 second and 12 hours.');
  }
  if (!isName(subject))
    throw usage('The subject is not a plain, printable text.', 'Give the name of a person or a job.');
  const reserved = RESERVED.find((name) => Object.hasOwn(claims, name));
  if (reserved !== undefined) throw usage(`The claim "${reserved}" cannot be given freely.`, 'Leave it out.');
  checkReadable(claims);
  const issuedAt = Math.floor(now.getTime() / 1000);
  const expiresAt = issuedAt + Math.floor(ttlMs / 1000);
  if (retireAt !== null && expiresAt * 1000 > retireAt.getTime()) {
    throw usage('The key that signs tokens is retired before the token would end.', 'Choose a shorter lifetime.');
  }
  const token = await new SignJWT({ ...claims, roles: [...roles], [SELF_MADE_CLAIM]: true })
    .setProtectedHeader({ alg: algorithm, typ: 'JWT', ...(keyId === null ? {} : { kid: keyId }) })
    .setIssuer(issuer)
    .setAudience(audience)
    .setSubject(subject)
    .setJti(randomUUID())
    .setIssuedAt(issuedAt)
    .setExpirationTime(expiresAt)
    .sign(secret);
  if (token.length > MAX_TOKEN_LENGTH) throw usage('The token would be too large.', 'Give fewer or shorter claims.');
  return token;
}

function usage(message: string, fix: string): RunbookError {
  return new RunbookError('usage', message, { fix });
}

/** What our own reader would refuse (a nested `__proto__`, say) is not signed. */
function checkReadable(claims: Claims): void {
  try {
    parseStrictJson(new TextEncoder().encode(JSON.stringify(claims)));
  } catch (error) {
    throw new RunbookError('usage', `The claims cannot be read back: a token that ${messageOf(error)}.`, {
      fix: 'Give plain names and values.',
      cause: error,
    });
  }
}
