/** Tokens that have to be accepted, however odd they look. */
import { withClaims, withHeader, withPayloadText } from './token-makers.ts';
import type { Row } from './token-makers.ts';
import type { Setup } from './token-setups.ts';
import { AUDIENCE, NOW_S, token } from './tokens.ts';

/** Exactly as long as is allowed. */
function longest({ alg, key }: Setup): string {
  for (const name of ['a', 'ab', 'abc']) {
    for (let length = 5000; length < 6200; length++) {
      const made = token(alg, key, { filler: 'x'.repeat(length) }, { x: name });
      if (made.length === 8192) return made;
    }
  }
  throw new Error('no token of 8192 characters');
}

export const GOOD: readonly Row[] = [
  ['plain', ({ alg, key }) => token(alg, key)],
  ['aud list with ours', withClaims({ aud: ['other', AUDIENCE] })],
  ['iat now', withClaims({ iat: NOW_S })],
  ['nbf now', withClaims({ nbf: NOW_S })],
  ['no iat', withClaims({ iat: undefined })],
  ['exp in a second', withClaims({ exp: NOW_S + 1 })],
  ['fractions of seconds', withClaims({ iat: NOW_S - 0.25, exp: NOW_S + 0.75 })],
  ['exp at the end of the calendar', withClaims({ exp: 253_402_300_799 })],
  ['one role as text', withClaims({ roles: 'sre' })],
  ['no roles', withClaims({ roles: undefined })],
  ['roles null', withClaims({ roles: null })],
  ['no typ', withHeader({ typ: undefined })],
  ['typ in lower case', withHeader({ typ: 'jwt' })],
  ['kid of the key', withHeader({ kid: 'key-1' })],
  ['thumbprint of a certificate', withHeader({ x5t: 'abc' })],
  ['name of another script', withClaims({ sub: 'Zoë Ωμέγα 李' })],
  ['address as name', withClaims({ sub: 'system:serviceaccount:ops:runner@example.org' })],
  ['jti', withClaims({ jti: 'b6c1f7a2' })],
  [
    'other claims',
    withClaims({ realm_access: { roles: ['x'] }, n: [1, true, null, { a: {} }], constructor: 'x', toString: 'y' }),
  ],
  ['the same key in different objects', withClaims({ a: { b: 1 }, c: [{ b: 1 }, { b: 1 }], d: { a: { a: 1 } } })],
  ['JSON inside of text', withClaims({ text: '{"a":1,"a":2,"__proto__":{}} \\" \\\\": {[' })],
  [
    'spaces between members',
    withPayloadText((payload) => payload.replaceAll('":', '" :\n ').replaceAll(',"', ' ,\t"')),
  ],
  ['as long as allowed', longest],
];
