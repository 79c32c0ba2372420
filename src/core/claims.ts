/** Whether verified claims fulfil what a runbook requires. Pure; the token's text is never split at commas. */
import type { ClaimAlternative } from './runbook.ts';

/** The claims of a verified token, as signed, plus `roles` where a setting names another path for them. */
export type Claims = Readonly<Record<string, unknown>>;

export type Decision =
  | { readonly allowed: true }
  /** `missing` belongs to the alternative that lacks least. */
  | {
      readonly allowed: false;
      readonly missing: readonly MissingClaim[];
      readonly alternatives: number;
      /** There was no token at all. */
      readonly anonymous: boolean;
    };

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
  return { allowed: false, missing: best ?? [], alternatives: required.length, anonymous: claims === null };
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

/** As Stage0 words it: `roles=developer (required: sre, api), team (not present)`. Bounded, on one line. */
export function listMissing(missing: readonly MissingClaim[]): string {
  const text = missing
    .map(({ claim, required, actual }) =>
      actual === null ? `${claim} (not present)` : `${claim}=${actual.join(', ')} (required: ${required.join(', ')})`,
    )
    .join(', ')
    .replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, '\u{fffd}');
  return text.length > MAX_LIST_SHOWN ? `${text.slice(0, MAX_LIST_SHOWN).toWellFormed()}…` : text;
}
const MAX_LIST_SHOWN = 400;

const MAX_CLAIMS_SHOWN = 3;
const MAX_VALUES_SHOWN = 4;
const MAX_TEXT_SHOWN = 60;

/**
 * One sentence (no capital, no full stop) that says what is needed and what the token has, e.g.
 * `needs roles = sre or dba; your token has roles = developer`. Bounded, and safe to print: values come from documents and
 * tokens of strangers. Empty for a decision that allows.
 */
export function explainMissing(decision: Decision): string {
  if (decision.allowed) return '';
  const { missing, anonymous } = decision;
  const actual = anonymous
    ? 'no token was given'
    : `your token has ${shorten(missing.map(showActual), MAX_CLAIMS_SHOWN, 'and')}`;
  return missing.length === 0 ? explainNeeded(decision) : `${explainNeeded(decision)}; ${actual}`;
}

/** The first half of it: `needs roles = sre or dba`. */
export function explainNeeded(decision: Decision): string {
  if (decision.allowed) return '';
  const { missing, alternatives } = decision;
  if (missing.length === 0) return 'needs claims, but the runbook names none that could be met';
  const needed = shorten(
    missing.map(({ claim, required }) => `${show(claim)} = ${showValues(required, 'or')}`),
    MAX_CLAIMS_SHOWN,
    'and',
  );
  const nearest = alternatives > 1 ? ` (the nearest of ${alternatives} alternatives)` : '';
  return `needs ${needed}${nearest}`;
}

function showActual({ claim, actual }: MissingClaim): string {
  if (actual === null) return `no ${show(claim)}`;
  return actual.length === 0 ? `no value in ${show(claim)}` : `${show(claim)} = ${showValues(actual, 'and')}`;
}

function showValues(values: readonly string[], word: 'or' | 'and'): string {
  return shorten(values.map(show), MAX_VALUES_SHOWN, word);
}

/** `a`, `a or b`, `a, b or c`, `a, b or 7 more`. */
function shorten(items: readonly string[], most: number, word: string): string {
  const shown = items.length > most ? [...items.slice(0, most), `${items.length - most} more`] : items;
  const last = shown.at(-1) ?? '';
  return shown.length < 2 ? last : `${shown.slice(0, -1).join(', ')} ${word} ${last}`;
}

/** Plain words as they are; all else in quotes, with everything that a terminal or a reader could misread escaped. */
function show(text: string): string {
  let shown = '';
  for (const character of text) {
    const piece = /[\p{C}\p{Zl}\p{Zp}"\\]/u.test(character)
      ? `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`
      : character;
    if (shown.length + piece.length > MAX_TEXT_SHOWN) {
      shown += '…';
      break;
    }
    shown += piece;
  }
  return /^[\w.:@/+-]+…?$/.test(shown) ? shown : `"${shown}"`;
}
