/** From an issuer's settings to the key for a token. Everything that is wrong with the settings shows here, at the start. */
import { createPublicKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { CryptoKey } from 'jose';

import { PUBLIC_KEY_ALGORITHMS, SECRET_ALGORITHMS, algorithmsOf } from './algorithms.ts';
import { createKeySet } from './key-set.ts';
import { fileSource, urlSource } from './key-set-source.ts';
import { quoted, wrongSetting } from './refusal.ts';
import { checkSecret } from './secret-strength.ts';
import type { TokenHeader } from './token-form.ts';
import type { TrustedIssuer } from './trusted-issuer.ts';

export type KeyFor = (header: TokenHeader) => Promise<CryptoKey | KeyObject | Uint8Array>;

/** @throws RunbookError `settings` */
export function keySource(issuer: TrustedIssuer, now: () => Date): KeyFor {
  const { key, algorithms } = issuer;
  switch (key.kind) {
    case 'secret': {
      checkAlgorithms(issuer, SECRET_ALGORITHMS, 'a shared secret');
      const secret = Uint8Array.from(key.secret);
      checkSecret(secret, `The secret of issuer ${quoted(issuer.issuer)}`, key.anyStrength);
      return () => Promise.resolve(secret);
    }
    case 'public-key': {
      const publicKey = readPublicKey(key.pem, issuer);
      checkAlgorithms(issuer, algorithmsOf(publicKey), 'its public key');
      return () => Promise.resolve(publicKey);
    }
    default:
      checkAlgorithms(issuer, PUBLIC_KEY_ALGORITHMS, 'a key set');
      return createKeySet(key.kind === 'jwks-url' ? urlSource(key.url) : fileSource(key.path), algorithms, now);
  }
}

function checkAlgorithms({ issuer, algorithms }: TrustedIssuer, possible: readonly string[], what: string): void {
  const odd = algorithms.find((algorithm) => !possible.includes(algorithm));
  if (odd === undefined && algorithms.length > 0) return;
  throw wrongSetting(
    `Issuer ${quoted(issuer)} has ${odd === undefined ? 'no algorithm' : `algorithm ${odd}`}, which ${what} cannot have.`,
    possible.length === 0
      ? 'Use an RSA key of at least 2048 bits, an EC key (P-256, P-384, P-521) or an Ed25519 key.'
      : `Set one or several of ${possible.join(', ')}.`,
  );
}

/** @throws RunbookError `settings`, also for a private key: the place where tokens are checked must not hold one */
export function readPublicKey(pem: string, { issuer }: Pick<TrustedIssuer, 'issuer'>): KeyObject {
  if (pem.includes('PRIVATE KEY')) {
    throw wrongSetting(
      `The key of issuer ${quoted(issuer)} is a private key.`,
      'Give its public half only: `openssl pkey -in key.pem -pubout`.',
    );
  }
  try {
    return createPublicKey(pem);
  } catch (cause) {
    throw wrongSetting(`The public key of issuer ${quoted(issuer)} cannot be read.`, 'Give it as PEM text.', cause);
  }
}
