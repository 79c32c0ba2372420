/**
 * What can be said of a token before any cryptography: three canonical parts, two strict JSON objects, a header that
 * asks for nothing special. A signed token has exactly one spelling here, so its text and its meaning are one.
 */
import { faulty, refused } from './refusal.ts';
import { parseStrictJson } from './strict-json.ts';
import type { JsonObject } from './strict-json.ts';

export const MAX_TOKEN_LENGTH = 8192;
const MAX_KEY_ID_LENGTH = 256;

const COMPACT = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;
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
  canonicalBytes('signature', signature);
  const claims = readPart('payload', payload);
  return { header: readHeader(readPart('header', header)), issuer: issuerOf(claims) };
}

function readPart(name: string, part: string): JsonObject {
  const bytes = canonicalBytes(name, part);
  try {
    return parseStrictJson(bytes);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw faulty(name === 'payload' ? 'payload' : 'form', `The token's ${name} ${error.message}.`);
  }
}

/** Decoders ignore the spare bits of the last character; here they must be what an encoder writes. */
function canonicalBytes(name: string, part: string): Buffer {
  const bytes = Buffer.from(part, 'base64url');
  if (bytes.toString('base64url') !== part) throw faulty('form', `The token's ${name} is not canonical base64url.`);
  return bytes;
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

function isKeyId(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_KEY_ID_LENGTH && KEY_ID.test(value);
}

function issuerOf(claims: JsonObject): string | null {
  const { iss = null } = claims;
  if (iss !== null && typeof iss !== 'string') throw faulty('wrong iss', 'The token\'s issuer ("iss") is not text.');
  return iss;
}
