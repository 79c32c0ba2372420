/** The YAML file of this installation's own keys: each with its id, its algorithm and the times in which it counts. */
import { dirname, resolve } from 'node:path';
import { parsePeriod } from '../../core/moments.ts';

import { SECRET_ALGORITHMS, algorithmsOf } from './algorithms.ts';
import { publicKey, readSecret, secretKey } from './issuer-key.ts';
import { readPublicKey } from './key-source.ts';
import { keyPrint } from './verification-key.ts';
import { isKeyId } from './token-form.ts';
import type { GivenKey, ListedKey } from './trusted-issuer.ts';
import { readMappings } from './yaml-list.ts';
import type { Mapping } from './yaml-list.ts';

const KEY_KINDS = ['secret_file', 'public_key_file'] as const;
const FIELDS = ['kid', 'algorithm', ...KEY_KINDS, 'not_before', 'retire_at'] as const;
type Item = Mapping<(typeof FIELDS)[number]>;

/** A token without an id costs one signature for each of them. */
const MAX_KEYS = 16;
/** With its zone: what is midnight here is not midnight there. */
const ZONED = /^\d{4}-\d\d-\d\dT.*(?:Z|[+-]\d\d:\d\d)$/;

/** In the order of the file. @throws RunbookError `settings` */
export function readKeysFile(path: string): ListedKey[] {
  const items = readMappings(path, FIELDS, 'a key');
  const keys = items.map((item) => readKey(item, dirname(path)));
  const seen = new Map<string, string>();
  for (const [index, { kid, key }] of keys.entries()) {
    const item = items[index];
    if (keys.findIndex((other) => other.kid === kid) !== index)
      throw item?.wrong('this kid is given twice', 'Give each key an id of its own.', 'kid');
    // Whoever takes out a key that leaked must not leave it there under another name.
    const print = keyPrint(key);
    if (seen.has(print))
      throw item?.wrong(`this is the same key as ${seen.get(print) ?? ''}`, 'List each key once.', kindOf(item));
    seen.set(print, kid);
  }
  if (keys.length > MAX_KEYS)
    throw items.at(-1)?.wrong(`there are more than ${MAX_KEYS} keys`, 'Take out retired ones.');
  return keys;
}

function readKey(item: Item, folder: string): ListedKey {
  const kid = needed(item, 'kid');
  if (!isKeyId(kid)) throw item.wrong('kid is not a short printable text', 'Write something like 2026-10.', 'kid');
  const algorithm = needed(item, 'algorithm');
  const key = readGiven(item, folder);
  const possible =
    key.kind === 'secret'
      ? SECRET_ALGORITHMS
      : item.placed(() => algorithmsOf(readPublicKey(key.pem, { issuer: kid })), 'public_key_file');
  if (!possible.includes(algorithm)) {
    throw item.wrong(
      'this key cannot have the algorithm',
      possible.length === 0
        ? 'Use an RSA key of at least 2048 bits, P-256, P-384, P-521 or Ed25519.'
        : `Write one of ${possible.join(', ')}.`,
      'algorithm',
    );
  }
  const notBefore = readMoment(item, 'not_before');
  const retireAt = readMoment(item, 'retire_at');
  if (notBefore !== null && retireAt !== null && retireAt <= notBefore)
    throw item.wrong('retire_at is not after not_before', 'Let the key count for some time.', 'retire_at');
  return { kid, algorithm, key, notBefore, retireAt };
}

function needed(item: Item, field: 'kid' | 'algorithm'): string {
  const text = item.one(field);
  if (text === null) throw item.wrong(`${field} is missing`, 'Both kid and algorithm are needed for each key.');
  return text;
}

function readGiven(item: Item, folder: string): GivenKey {
  const kind = kindOf(item);
  if (kind === undefined || KEY_KINDS.every((name) => item.has(name)))
    throw item.wrong('there is not exactly one key', `Give one of ${KEY_KINDS.join(', ')}.`);
  const file = resolve(folder, item.one(kind) ?? '');
  return item.placed(() => (kind === 'secret_file' ? secretKey(readSecret(file), file) : publicKey(file)), kind);
}

function kindOf(item: Item): (typeof KEY_KINDS)[number] | undefined {
  return KEY_KINDS.find((kind) => item.has(kind));
}

function readMoment(item: Item, field: 'not_before' | 'retire_at'): Date | null {
  const text = item.one(field);
  if (text === null) return null;
  const period = ZONED.test(text) ? parsePeriod(text, new Date(0)) : null;
  if (period === null)
    throw item.wrong(`${field} is not a time with its zone`, 'Write it like 2026-10-01T00:00:00Z.', field);
  return period.from;
}
