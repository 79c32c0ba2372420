/**
 * The YAML file of trusted issuers: a list of mappings. Text only, no anchors, no unknown key, and every complaint with
 * file and line, since a slip here decides who gets in.
 */
import { dirname, resolve } from 'node:path';
import { LineCounter, isMap, isScalar, isSeq, parseDocument } from 'yaml';
import type { Node, YAMLMap } from 'yaml';
import { RunbookError } from '../../core/errors.ts';

import { defaultAlgorithms, keySet, listOf, publicKey, readText, secretKey } from './issuer-key.ts';
import { wrongSetting } from './refusal.ts';
import type { IssuerKey, TrustedIssuer } from './trusted-issuer.ts';

const KEYS = ['issuer', 'audience', 'algorithms', 'roles_claim', 'subject_claim'] as const;
const KEY_KINDS = ['secret_file', 'public_key_file', 'jwks'] as const;
const FIELDS = [...KEYS, ...KEY_KINDS] as const;
type Field = (typeof FIELDS)[number];

/** A value with the place where it stands. */
interface Entry {
  readonly values: readonly string[];
  readonly node: Node;
}
type Fields = ReadonlyMap<Field, Entry>;

/** @throws RunbookError `settings` */
export function readIssuersFile(path: string): TrustedIssuer[] {
  const lines = new LineCounter();
  const document = parseDocument(readText(path), { schema: 'failsafe', lineCounter: lines });
  const at = (offset: number): string => `${path}:${Math.max(1, lines.linePos(offset).line)}`;
  const wrong = (node: Node | null, what: string, fix: string): RunbookError =>
    wrongSetting(`${at(node?.range?.[0] ?? 0)}: ${what}.`, fix);

  const [broken] = document.errors;
  if (broken !== undefined)
    throw wrongSetting(`${at(broken.pos[0])}: this is not YAML.`, broken.message.split('\n', 1)[0] ?? '');
  const list = document.contents;
  if (!isSeq(list) || list.items.length === 0) throw wrong(list, 'there is no list of issuers', 'Write "- issuer: …".');
  return list.items.map((item) => {
    if (!isMap(item)) throw wrong(list, 'an issuer is not a mapping', 'Write "- issuer: …".');
    return readIssuer(item);
  });

  function readIssuer(map: YAMLMap): TrustedIssuer {
    const fields = readFields(map);
    const one = (field: Field): string | null => {
      const entry = fields.get(field);
      if (entry !== undefined && entry.values.length !== 1)
        throw wrong(entry.node, `${field} is not one text`, 'Give one.');
      return entry?.values[0] ?? null;
    };
    const issuer = one('issuer');
    const audience = fields.get('audience')?.values;
    if (issuer === null || audience === undefined) {
      throw wrong(map, `${issuer === null ? 'issuer' : 'audience'} is missing`, 'Both are needed for each issuer.');
    }
    const kinds = KEY_KINDS.filter((kind) => fields.has(kind));
    const [kind] = kinds;
    if (kind === undefined || kinds.length > 1) {
      throw wrong(map, 'there is not exactly one key', `Give one of ${KEY_KINDS.join(', ')}.`);
    }
    return placed(map, () => {
      const key = readKey(kind, one(kind) ?? '');
      return {
        issuer,
        audience,
        algorithms: fields.get('algorithms')?.values ?? defaultAlgorithms(key, issuer),
        key,
        rolesClaim: one('roles_claim') ?? 'roles',
        subjectClaim: one('subject_claim') ?? 'sub',
        own: false,
      };
    });
  }

  function readFields(map: YAMLMap): Fields {
    const fields = new Map<Field, Entry>();
    for (const { key, value } of map.items) {
      if (!isScalar(key)) throw wrong(map, 'a key is not plain text', `Keys are ${FIELDS.join(', ')}.`);
      const field = FIELDS.find((known) => known === key.value);
      if (field === undefined) throw wrong(key, 'unknown key', `Keys are ${FIELDS.join(', ')}.`);
      const items: readonly unknown[] = isSeq(value) ? value.items : [value];
      const texts = items.map((item) => (isScalar(item) && typeof item.value === 'string' ? item.value.trim() : ''));
      if (texts.length === 0 || texts.includes('')) throw wrong(key, `${field} is not text`, 'Write it as plain text.');
      const listed = field === 'audience' || field === 'algorithms';
      fields.set(field, { values: listed && !isSeq(value) ? listOf(texts[0] ?? '') : texts, node: key });
    }
    return fields;
  }

  function readKey(kind: (typeof KEY_KINDS)[number], text: string): IssuerKey {
    const file = resolve(dirname(path), text);
    switch (kind) {
      case 'secret_file':
        return secretKey(readText(file).trimEnd(), file);
      case 'public_key_file':
        return publicKey(file);
      default:
        return keySet(text.includes('://') ? text : file);
    }
  }

  /** What is wrong with a key is said without a place below; here it is known. */
  function placed<T>(node: Node, read: () => T): T {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof RunbookError)) throw error;
      throw wrongSetting(`${at(node.range?.[0] ?? 0)}: ${error.message}`, error.fix, error);
    }
  }
}
