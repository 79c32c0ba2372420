/** Whether verified claims fulfil what a runbook requires. Pure; the token's text is never split at commas. */
import type { ClaimAlternative } from './runbook.ts';

/** The claims of a verified token, as signed, plus `roles` where a setting names another path for them. */
export type Claims = Readonly<Record<string, unknown>>;

export type Decision =
  | { readonly allowed: true }
  /** `missing` belongs to the alternative that lacks least. */
  | { readonly allowed: false; readonly missing: readonly MissingClaim[]; readonly alternatives: number };

export interface MissingClaim {
  readonly claim: string;
  readonly required: readonly string[];
  /** Null: the token does not have the claim. */
  readonly actual: readonly string[] | null;
}

/**
 * All claims of one alternative must match, any listed value of each. A token's value counts as it is: text, or a list of
 * texts; numbers and booleans compare by their JSON text; anything else never matches.
 * `required` null (no section) is not decided here: who may run an unprotected runbook is the face's policy.
 */
export function authorize(claims: Claims | null, required: readonly ClaimAlternative[]): Decision {
  let best: readonly MissingClaim[] | null = null;
  for (const alternative of required) {
    const missing = alternative.flatMap(({ claim, anyOf }): MissingClaim[] => {
      const actual = claims === null ? null : claimValues(claims, claim);
      return actual !== null && anyOf.some((value) => actual.includes(value))
        ? []
        : [{ claim, required: anyOf, actual }];
    });
    // An alternative without a single claim would let everybody in: the parser refuses it, and so do we.
    if (missing.length === 0 && alternative.length > 0) return { allowed: true };
    if (alternative.length > 0 && (best === null || missing.length < best.length)) best = missing;
  }
  return { allowed: false, missing: best ?? [], alternatives: required.length };
}

function claimValues(claims: Claims, name: string): readonly string[] | null {
  if (!Object.hasOwn(claims, name)) return null;
  const value = claims[name];
  return (Array.isArray(value) ? value : [value]).flatMap((item: unknown) =>
    typeof item === 'string'
      ? [item]
      : typeof item === 'number' || typeof item === 'boolean'
        ? [JSON.stringify(item)]
        : [],
  );
}
