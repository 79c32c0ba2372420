/** Keys as settings name them: a text, a file, an address. */
import { readFileSync, statSync } from 'node:fs';

import { DEFAULT_KEY_SET_ALGORITHMS, algorithmsOf } from './algorithms.ts';
import { readPublicKey } from './key-source.ts';
import { quoted, wrongSetting } from './refusal.ts';
import { checkSecret } from './secret-strength.ts';
import type { IssuerKey } from './trusted-issuer.ts';

/** @param name of the setting or file, for messages */
export function secretKey(text: string, name: string, anyStrength = false): IssuerKey {
  const secret = Buffer.from(text, 'utf8');
  checkSecret(secret, name, anyStrength);
  return anyStrength ? { kind: 'secret', secret, anyStrength } : { kind: 'secret', secret };
}

export function publicKey(path: string): IssuerKey {
  return { kind: 'public-key', pem: readText(path) };
}

/** A missing file would only show with the first token. */
export function keySet(pathOrUrl: string): IssuerKey {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(pathOrUrl)) return { kind: 'jwks-url', url: pathOrUrl };
  if (statSync(pathOrUrl, { throwIfNoEntry: false })?.isFile() !== true) {
    throw wrongSetting(`There is no key set ${quoted(pathOrUrl)}.`, 'Give the path of a file, or an https address.');
  }
  return { kind: 'jwks-file', path: pathOrUrl };
}

export function defaultAlgorithms(key: IssuerKey, issuer: string): readonly string[] {
  switch (key.kind) {
    case 'secret':
      return ['HS256'];
    case 'public-key':
      return algorithmsOf(readPublicKey(key.pem, { issuer })).slice(0, 1);
    default:
      return DEFAULT_KEY_SET_ALGORITHMS;
  }
}

export function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw wrongSetting(`The file ${quoted(path)} cannot be read.`, 'Check the path and its permissions.', cause);
  }
}

export function listOf(text: string): readonly string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}
