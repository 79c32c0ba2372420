/** How the bytes of a stream are read before they are looked up: what counts as the same, and what does not count. */

export const LINE_FEED = 10;
export const CARRIAGE_RETURN = 13;

export interface Alphabet {
  /** For every byte the one it is looked up as. Patterns are written in these. */
  readonly fold: Uint8Array;
  /** The bytes that are looked up as another. */
  readonly folded: readonly (readonly [byte: number, as: number])[];
  /** Line ends between two bytes of a pattern are passed over, since `base64` and `xxd` wrap what they print. */
  readonly wraps: boolean;
}

function alphabet(wraps: boolean, same: Readonly<Record<string, string>>): Alphabet {
  const folded = Object.entries(same).map(([from, to]) => [from.charCodeAt(0), to.charCodeAt(0)] as const);
  const fold = Uint8Array.from({ length: 256 }, (_, byte) => byte);
  for (const [byte, as] of folded) fold[byte] = as;
  return { fold, folded, wraps };
}

export const PLAIN = alphabet(false, {});
/** base64 and base64url are one. */
export const BASE64 = alphabet(true, { '-': '+', _: '/' });
/** Digits are looked up in lower case. */
export const HEX = alphabet(true, { A: 'a', B: 'b', C: 'c', D: 'd', E: 'e', F: 'f' });
