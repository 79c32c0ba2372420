/** From verified claims to an identity. Stricter than the token library: see docs/adr/0003-token-checks.md. */
import type { RunbookError } from '../../core/errors.ts';
import type { Identity } from '../../core/ports.ts';

import { faulty, refused } from './refusal.ts';
import { isJsonObject } from './strict-json.ts';
import type { JsonObject } from './strict-json.ts';
import type { TrustedIssuer } from './trusted-issuer.ts';
import type { VerificationKey } from './verification-key.ts';

/** Marks tokens of `runbook token mint`; it counts only under this installation's own secret. */
export const SELF_MADE_CLAIM = 'runbook_self_made';

const MAX_NAME_LENGTH = 1024;
/** End of the year 9999: beyond it dates have no common form. */
const MAX_NUMERIC_DATE = 253_402_300_799;
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;

interface Times {
  readonly nowMs: number;
  readonly toleranceMs: number;
  /** How long ago it may have been made; null: that is not asked. */
  readonly maxAgeMs: number | null;
}

/** @throws RunbookError `unauthenticated` */
export function identityFrom(
  claims: JsonObject,
  key: Pick<VerificationKey, 'name' | 'isSecret'>,
  issuer: TrustedIssuer,
  { nowMs, toleranceMs, maxAgeMs }: Times,
): Identity {
  const expiresMs = momentOf(claims, 'exp');
  if (expiresMs === null) throw faulty('missing exp', 'The token has no end ("exp").');
  if (expiresMs <= nowMs - toleranceMs) throw faulty('expired', 'The token has expired.');
  for (const name of ['iat', 'nbf']) {
    if ((momentOf(claims, name) ?? 0) > nowMs + toleranceMs) {
      throw notYetValid(name);
    }
  }
  if (maxAgeMs !== null) checkAge(momentOf(claims, 'iat'), nowMs - maxAgeMs - toleranceMs);
  nameOf(claims['sub'], 'sub');
  const roles = claimAt(claims, issuer.rolesClaim);
  return {
    subject: nameOf(claimAt(claims, issuer.subjectClaim), issuer.subjectClaim),
    claims: issuer.rolesClaim === 'roles' ? claims : withRoles(claims, roles),
    roles: rolesOf(roles, issuer.rolesClaim),
    issuer: issuer.issuer,
    keyId: key.name,
    tokenId: claims['jti'] === undefined ? null : nameOf(claims['jti'], 'jti'),
    expiresAt: new Date(expiresMs),
    selfMade: issuer.own && key.isSecret && claims[SELF_MADE_CLAIM] === true,
  };
}

/** Who steals a token that holds for a year has it for no longer than this. */
function checkAge(madeMs: number | null, earliestMs: number): void {
  if (madeMs === null) throw faulty('missing iat', 'The token does not say when it was made ("iat").');
  if (madeMs < earliestMs) throw faulty('old iat', 'The token was made too long ago ("iat").');
}

export function notYetValid(name: string): RunbookError {
  return refused(
    `The token is not valid yet ("${name}").`,
    'Check the clocks of this machine and of the issuer.',
    `early ${name}`,
  );
}

/** The whole name wins over the path; only own members count on the way. */
export function claimAt(claims: JsonObject, path: string): unknown {
  if (Object.hasOwn(claims, path)) return claims[path];
  let value: unknown = claims;
  for (const name of path.split('.')) {
    if (!isJsonObject(value) || !Object.hasOwn(value, name)) return undefined;
    value = value[name];
  }
  return value;
}

/** A `roles` that the issuer does not mean must not count, so it goes also where the meant claim is missing. */
function withRoles({ roles: _other, ...claims }: JsonObject, roles: unknown): JsonObject {
  return roles === undefined ? claims : { ...claims, roles };
}

/** One text is one role: it is never split, so nobody becomes two roles by a comma in a name. */
function rolesOf(value: unknown, name: string): readonly string[] {
  if (value === undefined || value === null) return [];
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (!list.every((role) => typeof role === 'string')) {
    throw faulty(`wrong ${name}`, `The token's roles ("${name}") are neither text nor a list of texts.`);
  }
  return list;
}

function momentOf(claims: JsonObject, name: string): number | null {
  const value = claims[name];
  if (value === undefined) return null;
  if (typeof value !== 'number' || !(value >= 0 && value <= MAX_NUMERIC_DATE)) {
    throw faulty(`wrong ${name}`, `The token's "${name}" is not a point in time.`);
  }
  return value * 1000;
}

function nameOf(value: unknown, name: string): string {
  if (!isName(value))
    throw faulty(`wrong ${name}`, `The token's "${name}" is missing or is not a plain, printable text.`);
  return value;
}

/** Two names that look alike on a terminal must not be two people: nothing invisible, no space around it. */
export function isName(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    value !== '' &&
    value === value.trim() &&
    value.length <= MAX_NAME_LENGTH &&
    !UNPRINTABLE.test(value)
  );
}
