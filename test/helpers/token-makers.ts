/** Ways to make a token that is right but for one thing. */
import type { Setup } from './token-setups.ts';
import { claims, part, rawToken, token } from './tokens.ts';

export type Row = readonly [name: string, make: (setup: Setup) => string];

export const withHeader =
  (header: Record<string, unknown>) =>
  ({ alg, key }: Setup): string =>
    token(alg, key, {}, header);
export const withClaims =
  (changes: Record<string, unknown>) =>
  ({ alg, key }: Setup): string =>
    token(alg, key, changes);
export const withHeaderText =
  (change: (header: string) => string | Uint8Array) =>
  ({ alg, key }: Setup): string =>
    rawToken(alg, key, change(JSON.stringify({ alg, typ: 'JWT' })), JSON.stringify(claims()));
export const withPayloadText =
  (change: (payload: string) => string | Uint8Array) =>
  ({ alg, key }: Setup): string =>
    rawToken(alg, key, JSON.stringify({ alg, typ: 'JWT' }), change(JSON.stringify(claims())));
export const changed =
  (change: (good: string, parts: readonly [string, string, string], setup: Setup) => string) =>
  (setup: Setup): string => {
    const good = token(setup.alg, setup.key);
    const [header = '', payload = '', sig = ''] = good.split('.');
    return change(good, [header, payload, sig], setup);
  };
export const unsigned = (alg: string): string =>
  `${part(JSON.stringify({ alg, typ: 'JWT' }))}.${part(JSON.stringify(claims()))}.`;

/** The same bytes to a lenient decoder: one spare bit of the last character set. */
export function spareBit(text: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const last = alphabet.indexOf(text.at(-1) ?? '');
  return text.slice(0, -1) + (alphabet[last ^ 1] ?? '');
}

/** A part whose last character has spare bits. */
export function padded(value: Record<string, unknown>): string {
  const text = JSON.stringify(value);
  return text.length % 3 === 0 ? `${text} ` : text;
}
