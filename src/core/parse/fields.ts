/** Reading the entries of a mapping: known keys, and values of the shapes that keys ask for. */
import { parseDuration } from '../units.ts';
import { type Problems, quote, type Replacement } from './problems.ts';
import { nearestName, onlyNearName } from './lookalikes.ts';
import type { YamlEntry, YamlMapping, YamlText, YamlValue } from './yaml.ts';

/** The known entries of `mapping` by key. Reports unknown and reserved ones. */
export function knownEntries<Key extends string>(
  mapping: YamlMapping,
  known: readonly Key[],
  reserved: readonly string[],
  problems: Problems,
): ReadonlyMap<Key, YamlEntry> {
  const found = new Map<Key, YamlEntry>();
  for (const entry of mapping.entries) {
    const key = known.find((name) => name === entry.key);
    if (key !== undefined) {
      found.set(key, entry);
    } else if (reserved.includes(entry.key)) {
      problems.add(
        'key-reserved',
        entry.at,
        `${quote(entry.key)} will be understood by a later version; this one cannot carry it out.`,
        'Remove it.',
      );
    } else {
      const near = nearestName(entry.key, known);
      problems.add(
        'key-unknown',
        entry.at,
        `${quote(entry.key)} is not a key that is known here.`,
        near === null ? `Known are: ${known.join(', ')}.` : `Write \`${near}\`.`,
        undefined,
        renamed(entry, mapping, known),
      );
    }
  }
  return found;
}

/** Certain only where no other key of the mapping is, or wants to be, the one that was meant. */
function renamed(entry: YamlEntry, { entries }: YamlMapping, known: readonly string[]): Replacement | null {
  const name = onlyNearName(entry.key, known);
  const isOnly = entries.every((other) => other === entry || nearestName(other.key, known) !== name);
  return name !== null && isOnly ? { old: entry.key, text: name } : null;
}

/** Text of an entry; null when the entry is absent, has no value, or (reported) has another shape. */
export function textOf(entry: YamlEntry | undefined, problems: Problems): string | null {
  if (entry === undefined || entry.value.kind === 'none') return null;
  if (entry.value.kind === 'text') return entry.value.text;
  problems.add('value-shape', entry.value.at, `${quote(entry.key)} must be text.`, 'Write one value on the same line.');
  return null;
}

/** Texts of an entry: `a, b` and `[a, b]` mean the same. Items of a list are taken whole; empty items are reported. */
export function textsOf(entry: YamlEntry | undefined, problems: Problems): readonly YamlText[] {
  if (entry === undefined || entry.value.kind === 'none') return [];
  const texts = splitTexts(entry.value);
  if (texts !== null) return texts;
  problems.add(
    'value-shape',
    entry.value.at,
    `${quote(entry.key)} must be a list of texts, none of them empty.`,
    'Write `a, b` or `[a, b]`.',
  );
  return [];
}

/** The texts of `a, b` or `[a, b]`; null when there is none, when one is empty, or when one is not text. */
export function splitTexts(value: YamlValue): readonly YamlText[] | null {
  const items: readonly YamlValue[] =
    value.kind === 'text'
      ? value.text.split(',').map((text) => ({ kind: 'text', text, at: value.at }))
      : value.kind === 'list'
        ? value.items
        : [];
  const texts = items.flatMap((item) => (item.kind === 'text' ? [{ ...item, text: item.text.trim() }] : []));
  return items.length > 0 && texts.length === items.length && texts.every(({ text }) => text !== '') ? texts : null;
}

/** `true` or `false` and nothing else; absent is false. */
export function booleanOf(entry: YamlEntry | undefined, problems: Problems): boolean {
  const text = textOf(entry, problems);
  if (text === null || text === 'false') return false;
  if (text !== 'true' && entry !== undefined) {
    problems.add(
      'value-shape',
      entry.value.at,
      `${quote(entry.key)} must be true or false.`,
      'Write `true` or `false`.',
      undefined,
      /^(?:true|false)$/i.test(text) ? { old: text, text: text.toLowerCase() } : null,
    );
  }
  return text === 'true';
}

/** Milliseconds of a duration; undefined when absent or (reported) wrong. */
export function durationOf(entry: YamlEntry | undefined, problems: Problems): number | undefined {
  const text = textOf(entry, problems);
  if (text === null || entry === undefined) return undefined;
  const ms = parseDuration(text);
  if (ms !== null) return ms;
  problems.add(
    'limit-duration',
    entry.value.at,
    `${quote(text)} is not a duration from one second to 24 days.`,
    /^\d{1,9}$/.test(text) ? `Write \`${text}s\` if seconds are meant.` : 'Write it as `90s`, `10m` or `1h30m`.',
    undefined,
    inShortUnits(text),
  );
  return undefined;
}

/** `10 minutes`, `1 h 30 min`: the unit is said, only in other words. */
function inShortUnits(text: string): Replacement | null {
  const short = text
    .replaceAll(/(\d)[ \t]*(hours?|hrs?|minutes?|mins?|seconds?|secs?)\b/g, (_, digit: string, unit: string) =>
      digit.concat(unit.charAt(0)),
    )
    .replaceAll(/[ \t]+/g, '');
  return parseDuration(short) === null ? null : { old: text, text: short };
}

/** Whole number between the bounds; null when it is not one. */
export function wholeNumber(text: string, min: number, max: number): number | null {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  return value >= min && value <= max ? value : null;
}
