/**
 * Makes tokens of any shape, also impossible ones, with Node's own cryptography: the library that verifies them has no
 * part in it.
 */
import { constants, createHmac, generateKeyPairSync, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { TrustedIssuer } from '../../src/adapters/authenticator/trusted-issuer.ts';

export const NOW = new Date('2026-01-01T00:00:00Z');
export const NOW_S = NOW.getTime() / 1000;
export const ISSUER = 'dev-idp';
export const AUDIENCE = 'dev-api';
export const SECRET = Buffer.from('6f1d2c9a4b8e7053fa61d2e8b94c07a56f1d2c9a4b8e7053fa61d2e8b94c07a5');
/** In every payload; no message may show it. */
export const MARKER = 'zq-marker-7f31';

export type Text = string | Uint8Array;
export type SigningKey = KeyObject | Uint8Array;

export interface KeyPair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

export const RSA: KeyPair = generateKeyPairSync('rsa', { modulusLength: 2048 });
export const OTHER_RSA: KeyPair = generateKeyPairSync('rsa', { modulusLength: 2048 });
export const EC: KeyPair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
export const OTHER_EC: KeyPair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
export const ED: KeyPair = generateKeyPairSync('ed25519');
export const OTHER_ED: KeyPair = generateKeyPairSync('ed25519');

export const part = (text: Text): string => Buffer.from(text).toString('base64url');

export function pem(key: KeyObject): string {
  return key.export({ type: 'spki', format: 'pem' }).toString();
}

export function jwk(key: KeyObject, members: Record<string, unknown> = {}): Record<string, unknown> {
  return { ...key.export({ format: 'jwk' }), ...members };
}

export function signature(alg: string, input: string, key: SigningKey): string {
  const data = Buffer.from(input);
  const hash = alg === 'EdDSA' || alg === 'Ed25519' ? null : `sha${alg.slice(2)}`;
  if (key instanceof Uint8Array)
    return createHmac(hash ?? 'sha256', key)
      .update(data)
      .digest('base64url');
  const bytes = alg.startsWith('PS')
    ? sign(hash, data, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST })
    : sign(hash, data, { key, dsaEncoding: 'ieee-p1363' });
  return bytes.toString('base64url');
}

/** Header and payload as they are given, byte for byte; the signature is right. */
export function rawToken(alg: string, key: SigningKey, header: Text, payload: Text): string {
  const input = `${part(header)}.${part(payload)}`;
  return `${input}.${signature(alg, input, key)}`;
}

/** Without a member where its value is undefined. */
export function claims(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    iss: ISSUER,
    aud: AUDIENCE,
    sub: 'alice',
    iat: NOW_S - 60,
    exp: NOW_S + 3600,
    roles: ['sre'],
    marker: MARKER,
    ...changes,
  };
}

export function token(
  alg: string,
  key: SigningKey,
  payload: Record<string, unknown> = {},
  header: Record<string, unknown> = {},
): string {
  return rawToken(alg, key, JSON.stringify({ alg, typ: 'JWT', ...header }), JSON.stringify(claims(payload)));
}

export function trustedIssuer(changes: Partial<TrustedIssuer> = {}): TrustedIssuer {
  return {
    issuer: ISSUER,
    audience: [AUDIENCE],
    algorithms: ['HS256'],
    key: { kind: 'secret', secret: SECRET },
    rolesClaim: 'roles',
    subjectClaim: 'sub',
    own: changes.key === undefined,
    ...changes,
  };
}
