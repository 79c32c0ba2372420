/** The YAML file of trusted issuers, each with its own keys. */
import { dirname, resolve } from 'node:path';

import { defaultAlgorithms, keySet, publicKey, readSecret, secretKey } from './issuer-key.ts';
import type { IssuerKey, TrustedIssuer } from './trusted-issuer.ts';
import { readMappings } from './yaml-list.ts';
import type { Mapping } from './yaml-list.ts';

const KEYS = ['issuer', 'audience', 'algorithms', 'roles_claim', 'subject_claim'] as const;
const KEY_KINDS = ['secret_file', 'public_key_file', 'jwks', 'oidc'] as const;
const FIELDS = [...KEYS, ...KEY_KINDS] as const;
type Item = Mapping<(typeof FIELDS)[number]>;

/** @throws RunbookError `settings` */
export function readIssuersFile(path: string): TrustedIssuer[] {
  return readMappings(path, FIELDS, 'an issuer').map((item) => readIssuer(item, dirname(path)));
}

function readIssuer(item: Item, folder: string): TrustedIssuer {
  const issuer = item.one('issuer');
  const audience = item.list('audience');
  if (issuer === null || audience === undefined) {
    throw item.wrong(`${issuer === null ? 'issuer' : 'audience'} is missing`, 'Both are needed for each issuer.');
  }
  const key = item.placed(() => readKey(item, issuer, folder));
  return {
    issuer,
    audience,
    algorithms: item.list('algorithms') ?? item.placed(() => defaultAlgorithms(key, issuer)),
    key,
    rolesClaim: item.one('roles_claim') ?? 'roles',
    subjectClaim: item.one('subject_claim') ?? 'sub',
    own: false,
  };
}

function readKey(item: Item, issuer: string, folder: string): IssuerKey {
  const kinds = KEY_KINDS.filter((kind) => item.has(kind));
  const [kind] = kinds;
  if (kind === undefined || kinds.length > 1) {
    throw item.wrong('there is not exactly one key', `Give one of ${KEY_KINDS.join(', ')}.`);
  }
  const text = item.one(kind) ?? '';
  const file = resolve(folder, text);
  switch (kind) {
    case 'secret_file':
      return secretKey(readSecret(file), file);
    case 'public_key_file':
      return publicKey(file);
    case 'oidc':
      if (text !== 'true') throw item.wrong('oidc is not true', 'Write "oidc: true", or leave it out.', 'oidc');
      return { kind: 'oidc', issuer };
    default:
      return keySet(text.includes('://') ? text : file);
  }
}
