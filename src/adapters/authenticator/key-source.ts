/** From an issuer's settings to its keys. Everything that is wrong with the settings shows here, at the start. */
import { createPublicKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

import { PUBLIC_KEY_ALGORITHMS, SECRET_ALGORITHMS, algorithmsOf } from './algorithms.ts';
import { fixedKeys } from './fixed-keys.ts';
import type { TimedKey } from './fixed-keys.ts';
import { createKeySet } from './key-set.ts';
import { discoverySource, fileSource, urlSource } from './key-set-source.ts';
import type { KeySetSource, Network } from './key-set-source.ts';
import { quoted, wrongSetting } from './refusal.ts';
import { checkSecret } from './secret-strength.ts';
import type { FetchedKey, GivenKey, TrustedIssuer } from './trusted-issuer.ts';
import { printOf, publicKeyPrint } from './verification-key.ts';
import type { KeySource, VerificationKey } from './verification-key.ts';

/** @throws RunbookError `settings` */
export function keySource(issuer: TrustedIssuer, now: () => Date, network: Network): KeySource {
  const { key, algorithms } = issuer;
  switch (key.kind) {
    case 'secret': {
      const secrets = key.previous === undefined ? [key.secret] : [key.secret, key.previous];
      const keys = secrets.map((secret, index) =>
        always(verificationKey(index === 0 ? 'current' : 'previous', { ...key, secret }, issuer)),
      );
      return fixedKeys(keys, false, 'secret', now);
    }
    case 'public-key':
      return fixedKeys([always(verificationKey('current', key, issuer))], false, 'file', now);
    case 'listed': {
      const keys = key.keys.map(({ kid, algorithm, key: given, ...times }) => ({
        ...verificationKey(kid, given, { issuer: issuer.issuer, algorithms: [algorithm] }),
        ...times,
      }));
      return fixedKeys(keys, true, 'file', now);
    }
    default:
      checkAlgorithms(issuer, PUBLIC_KEY_ALGORITHMS, 'a key set');
      return createKeySet(keySetSource(key, network), algorithms, now);
  }
}

function keySetSource(key: FetchedKey, network: Network): KeySetSource {
  switch (key.kind) {
    case 'jwks-url':
      return urlSource(key.url, network);
    case 'oidc':
      return discoverySource(key.issuer, network);
    default:
      return fileSource(key.path);
  }
}

const always = (key: VerificationKey): TimedKey => ({ ...key, notBefore: null, retireAt: null });

function verificationKey(
  name: string,
  given: GivenKey,
  issuer: Pick<TrustedIssuer, 'issuer' | 'algorithms'>,
): VerificationKey {
  if (given.kind === 'secret') {
    checkAlgorithms(issuer, SECRET_ALGORITHMS, 'a shared secret');
    // A copy: who clears his own afterwards does not clear ours.
    const key = Uint8Array.from(given.secret);
    checkSecret(key, `The secret of issuer ${quoted(issuer.issuer)}`, given.anyStrength);
    return { name, key, algorithms: issuer.algorithms, isSecret: true, print: printOf(key) };
  }
  const key = readPublicKey(given.pem, issuer);
  checkAlgorithms(issuer, algorithmsOf(key), 'its public key');
  return { name, key, algorithms: issuer.algorithms, isSecret: false, print: publicKeyPrint(key) };
}

function checkAlgorithms(
  { issuer, algorithms }: Pick<TrustedIssuer, 'issuer' | 'algorithms'>,
  possible: readonly string[],
  what: string,
): void {
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
