/** The kinds of key that the table of tokens is tried with. */
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { GivenKey, TrustedIssuer } from '../../src/adapters/authenticator/trusted-issuer.ts';

import { EC, ED, OTHER_EC, OTHER_ED, OTHER_RSA, RSA, SECRET, jwk, pem, trustedIssuer } from './tokens.ts';
import type { KeyPair, SigningKey } from './tokens.ts';

const folder = mkdtempSync(join(tmpdir(), 'runbook-jwt-'));

export function removeSetups(): void {
  rmSync(folder, { recursive: true });
}

export interface Setup {
  readonly name: string;
  readonly alg: string;
  readonly key: SigningKey;
  readonly otherKey: SigningKey;
  /** Right signatures with this algorithm are possible, but it is not configured. */
  readonly otherAlg: string;
  /** What everybody knows. */
  readonly published: Uint8Array;
  readonly issuer: TrustedIssuer;
  readonly keySet: boolean;
}

function pemSetup(alg: string, pair: KeyPair, other: KeyPair, otherAlg: string): Setup {
  const text = pem(pair.publicKey);
  return {
    name: `${alg}, public key`,
    alg,
    key: pair.privateKey,
    otherKey: other.privateKey,
    otherAlg,
    published: Buffer.from(text),
    issuer: trustedIssuer({ algorithms: [alg], key: { kind: 'public-key', pem: text } }),
    keySet: false,
  };
}

function keySetSetup(alg: string, pair: KeyPair, other: KeyPair, otherAlg: string): Setup {
  const path = join(folder, `${alg}.json`);
  writeFileSync(path, JSON.stringify({ keys: [jwk(pair.publicKey, { kid: 'key-1', use: 'sig' })] }));
  return {
    ...pemSetup(alg, pair, other, otherAlg),
    name: `${alg}, key set`,
    issuer: trustedIssuer({ algorithms: [alg], key: { kind: 'jwks-file', path } }),
    keySet: true,
  };
}

export const SETUPS: readonly Setup[] = [
  {
    name: 'HS256, secret',
    alg: 'HS256',
    key: SECRET,
    otherKey: Buffer.from('b8e7053fa61d2e8b94c07a56f1d2c9a46f1d2c9a4b8e7053fa61d2e8b94c07a5'),
    otherAlg: 'HS512',
    published: Buffer.alloc(0),
    issuer: trustedIssuer(),
    keySet: false,
  },
  pemSetup('RS256', RSA, OTHER_RSA, 'PS256'),
  pemSetup('ES256', EC, OTHER_EC, 'ES384'),
  pemSetup('EdDSA', ED, OTHER_ED, 'Ed25519'),
  keySetSetup('RS256', RSA, OTHER_RSA, 'RS512'),
  keySetSetup('ES256', EC, OTHER_EC, 'ES512'),
  keySetSetup('EdDSA', ED, OTHER_ED, 'Ed25519'),
];

/** Neither the key nor the other one of a setup. */
const SPARE: Readonly<Record<string, GivenKey>> = {
  HS256: { kind: 'secret', secret: Buffer.from('4b8e7053fa61d2e8b94c07a5c07a56f1') },
  RS256: { kind: 'public-key', pem: pem(generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey) },
  ES256: { kind: 'public-key', pem: pem(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey) },
  EdDSA: { kind: 'public-key', pem: pem(generateKeyPairSync('ed25519').publicKey) },
};

/** The same keys, written down with an id: two of each kind, so that a token without an id has to be looked at. */
export const LISTED_SETUPS: readonly Setup[] = SETUPS.filter(({ keySet }) => !keySet).map(listedSetup);

function listedSetup(setup: Setup): Setup {
  const { key } = setup.issuer;
  if (key.kind !== 'secret' && key.kind !== 'public-key') throw new Error(`${setup.name} cannot be listed`);
  const common = { algorithm: setup.alg, notBefore: null, retireAt: null };
  const keys = [
    { ...common, kid: 'another', key: SPARE[setup.alg] ?? key },
    { ...common, kid: 'key-1', key },
  ];
  const issuer = trustedIssuer({ algorithms: [setup.alg], key: { kind: 'listed', keys }, own: key.kind === 'secret' });
  return { ...setup, name: `${setup.alg}, listed`, issuer, keySet: true };
}
