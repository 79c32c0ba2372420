/**
 * What can be said of a token before any cryptography: three canonical parts, two strict JSON objects, a header that
 * asks for nothing special. A signed token has exactly one spelling here, so its text and its meaning are one.
 */
import { PUBLIC_KEY_ALGORITHMS, SECRET_ALGORITHMS } from './algorithms.ts';
import { faulty, refused } from './refusal.ts';
import { parseStrictJson } from './strict-json.ts';
import type { JsonObject } from './strict-json.ts';

export const MAX_TOKEN_LENGTH = 8192;
const MAX_KEY_ID_LENGTH = 256;

/** The signature may be missing here, so that it is missed by its own name. */
const COMPACT = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*$/;
const KEY_ID = /^[\x20-\x7e]+$/;

/** They name keys or change what is signed (RFC 7515 4.1, RFC 7797). Nothing of a token may choose its own key. */
const REFUSED_HEADERS = ['crit', 'b64', 'jku', 'x5u', 'jwk', 'x5c', 'enc', 'zip'] as const;

export interface TokenHeader {
  readonly alg: string;
  readonly typ: string | null;
  readonly kid: string | null;
}

/** Not verified: only good for choosing the key. */
export interface TokenForm {
  readonly header: TokenHeader;
  readonly issuer: string | null;
}

/** @throws RunbookError `unauthenticated` */
export function readTokenForm(token: string): TokenForm {
  if (token.length > MAX_TOKEN_LENGTH) throw refused(`The token is longer than ${MAX_TOKEN_LENGTH} characters.`);
  if (!COMPACT.test(token)) {
    throw refused(
      'The token does not have the form of a JWT: three parts of base64url text with dots between them.',
      'Give the token alone: no "Bearer", no quotes, no spaces, no line end.',
      'form',
    );
  }
  const [header = '', payload = '', signature = ''] = token.split('.');
  const known = readHeader(readPart('header', header));
  checkSignatureForm(signature, known);
  return { header: known, issuer: issuerOf(readPart('payload', payload)) };
}

function readPart(name: 'header' | 'payload', part: string): JsonObject {
  const bytes = canonicalBytes(part);
  if (bytes === null) throw faulty(`${name} padding`, notCanonical(name));
  try {
    return parseStrictJson(bytes);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw faulty(name, `The token's ${name} ${error.message}.`);
  }
}

/** Decoders ignore the spare bits of the last character; here they must be what an encoder writes. @returns null where they are not */
function canonicalBytes(part: string): Buffer | null {
  const bytes = Buffer.from(part, 'base64url');
  return bytes.toString('base64url') === part ? bytes : null;
}

function notCanonical(name: string): string {
  return `The token's ${name} is not canonical base64url.`;
}

/** Whoever says `none` signs nothing; else a signature that is none is a wrong one. No key is asked for either. */
function checkSignatureForm(signature: string, { alg }: TokenHeader): void {
  const fault = PUBLIC_KEY_ALGORITHMS.includes(alg) || SECRET_ALGORITHMS.includes(alg) ? 'signature' : 'algorithm';
  if (signature === '') throw faulty(fault, 'The token is not signed.');
  if (canonicalBytes(signature) === null) throw faulty(fault, notCanonical('signature'));
}

function readHeader(header: JsonObject): TokenHeader {
  const special = REFUSED_HEADERS.find((name) => Object.hasOwn(header, name));
  if (special !== undefined) throw refused(`The token's header has "${special}", which is not accepted.`);
  const { alg, typ = null, kid = null } = header;
  if (typeof alg !== 'string') throw faulty('algorithm', 'The token\'s header has no algorithm ("alg").');
  if (typ !== null && typeof typ !== 'string') throw refused('The token\'s type ("typ") is not text.');
  if (kid !== null && !isKeyId(kid)) throw refused('The token\'s key id ("kid") is not a short printable text.');
  return { alg, typ, kid };
}

export function isKeyId(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_KEY_ID_LENGTH && KEY_ID.test(value);
}

function issuerOf(claims: JsonObject): string | null {
  const { iss = null } = claims;
  if (iss !== null && typeof iss !== 'string') throw faulty('wrong iss', 'The token\'s issuer ("iss") is not text.');
  return iss;
}
