/** Which signature algorithms (RFC 7518, RFC 8037, RFC 9864) a key can verify. The token never decides this. */
import type { KeyObject } from 'node:crypto';

export const SECRET_ALGORITHMS: readonly string[] = ['HS256', 'HS384', 'HS512'];

const RSA = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'] as const;
const EDWARDS = ['EdDSA', 'Ed25519'] as const;
const CURVES: ReadonlyMap<string, string> = new Map([
  ['prime256v1', 'ES256'],
  ['secp384r1', 'ES384'],
  ['secp521r1', 'ES512'],
]);

export const PUBLIC_KEY_ALGORITHMS: readonly string[] = [...RSA, ...CURVES.values(), ...EDWARDS];

const MIN_RSA_BITS = 2048;

/** Empty for private keys and for keys that are of no use here (RSA below 2048 bits, other curves). */
export function algorithmsOf(key: KeyObject): readonly string[] {
  if (key.type !== 'public') return [];
  const { modulusLength = 0, namedCurve = '' } = key.asymmetricKeyDetails ?? {};
  switch (key.asymmetricKeyType) {
    case 'rsa':
      return modulusLength >= MIN_RSA_BITS ? RSA : [];
    case 'ec': {
      const algorithm = CURVES.get(namedCurve);
      return algorithm === undefined ? [] : [algorithm];
    }
    case 'ed25519':
      return EDWARDS;
    default:
      return [];
  }
}
