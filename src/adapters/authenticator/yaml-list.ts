/**
 * A YAML file that is a list of mappings of text: no anchors, no unknown key, and every complaint with file and line,
 * since a slip in such a file decides who gets in.
 */
import { LineCounter, isMap, isScalar, isSeq, parseDocument } from 'yaml';
import type { Node, YAMLMap } from 'yaml';
import { RunbookError } from '../../core/errors.ts';

import { listOf, readText } from './issuer-key.ts';
import { wrongSetting } from './refusal.ts';

/** One item of the list. */
export interface Mapping<F extends string> {
  has(field: F): boolean;
  /** The only text of a field; null where it is missing. @throws RunbookError `settings` for a list */
  one(field: F): string | null;
  /** The texts of a list, or of one text with commas; undefined where it is missing. */
  list(field: F): readonly string[] | undefined;
  /** Stands at the field, or at the item. */
  wrong(what: string, fix: string, field?: F): RunbookError;
  /** Whatever `read` has to complain about gets the place of the field, or of the item. */
  placed<T>(read: () => T, field?: F): T;
}

interface Entry {
  readonly values: readonly string[];
  readonly isList: boolean;
  readonly node: Node;
}

/** @param what an item is: `an issuer`  @throws RunbookError `settings` */
export function readMappings<F extends string>(path: string, fields: readonly F[], what: string): Mapping<F>[] {
  const lines = new LineCounter();
  const document = parseDocument(readText(path), { schema: 'failsafe', lineCounter: lines });
  const at = (offset: number): string => `${path}:${Math.max(1, lines.linePos(offset).line)}`;
  const place = (node: Node | null): string => at(node?.range?.[0] ?? 0);
  const wrong = (node: Node | null, problem: string, fix: string): RunbookError =>
    wrongSetting(`${place(node)}: ${problem}.`, fix);
  const example = `Write "- ${fields[0] ?? ''}: …".`;

  const [broken] = document.errors;
  if (broken !== undefined)
    throw wrongSetting(`${at(broken.pos[0])}: this is not YAML.`, broken.message.split('\n', 1)[0] ?? '');
  const list = document.contents;
  if (!isSeq(list) || list.items.length === 0)
    throw wrong(list, 'there is no list', `${example.slice(0, -1)} for each item.`);
  return list.items.map((item) => {
    if (!isMap(item)) throw wrong(list, `${what} is not a mapping`, example);
    return mappingOf(item, readFields(item));
  });

  function readFields(map: YAMLMap): ReadonlyMap<F, Entry> {
    const entries = new Map<F, Entry>();
    for (const { key, value } of map.items) {
      if (!isScalar(key)) throw wrong(map, 'a key is not plain text', `Keys are ${fields.join(', ')}.`);
      const field = fields.find((known) => known === key.value);
      if (field === undefined) throw wrong(key, 'unknown key', `Keys are ${fields.join(', ')}.`);
      const items: readonly unknown[] = isSeq(value) ? value.items : [value];
      const texts = items.map((item) => (isScalar(item) && typeof item.value === 'string' ? item.value.trim() : ''));
      if (texts.length === 0 || texts.includes('')) throw wrong(key, `${field} is not text`, 'Write it as plain text.');
      entries.set(field, { values: texts, isList: isSeq(value), node: key });
    }
    return entries;
  }

  function mappingOf(map: YAMLMap, entries: ReadonlyMap<F, Entry>): Mapping<F> {
    const nodeOf = (field?: F): Node => (field === undefined ? undefined : entries.get(field)?.node) ?? map;
    return {
      has: (field) => entries.has(field),
      one: (field) => {
        const entry = entries.get(field);
        if (entry !== undefined && entry.values.length !== 1)
          throw wrong(entry.node, `${field} is not one text`, 'Give one.');
        return entry?.values[0] ?? null;
      },
      list: (field) => {
        const entry = entries.get(field);
        return entry === undefined || entry.isList ? entry?.values : listOf(entry.values[0] ?? '');
      },
      wrong: (problem, fix, field) => wrong(nodeOf(field), problem, fix),
      placed: (read, field) => {
        try {
          return read();
        } catch (error) {
          if (!(error instanceof RunbookError)) throw error;
          throw wrongSetting(`${place(nodeOf(field))}: ${error.message}`, error.fix, error);
        }
      },
    };
  }
}
