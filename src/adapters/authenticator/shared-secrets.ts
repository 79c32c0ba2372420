/** What of the keys nobody may see: with it tokens are not only verified but signed. */
import type { GivenKey, IssuerKey, TrustedIssuer } from './trusted-issuer.ts';

/** Shared secrets of all issuers, as texts. */
export function sharedSecrets(issuers: readonly TrustedIssuer[]): readonly string[] {
  return issuers.flatMap(({ key }) => secretsOf(key)).map((secret) => Buffer.from(secret).toString('utf8'));
}

function secretsOf(key: IssuerKey | GivenKey): readonly Uint8Array[] {
  switch (key.kind) {
    case 'secret':
      return 'previous' in key && key.previous !== undefined ? [key.secret, key.previous] : [key.secret];
    case 'listed':
      return key.keys.flatMap((listed) => secretsOf(listed.key));
    default:
      return [];
  }
}
