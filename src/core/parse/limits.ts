/** `# Limits`: bounds of a run. The operator's own maxima are applied elsewhere. */
import type { Limits } from '../runbook.ts';
import { parseSize } from '../units.ts';
import { durationOf, knownEntries, textOf, wholeNumber } from './fields.ts';
import { type Problems, quote, type Replacement } from './problems.ts';
import type { YamlEntry, YamlMapping } from './yaml.ts';

const KEYS = ['timeout', 'max_output', 'concurrency', 'memory', 'processes'] as const;
const MAX_COUNT = 100_000;

export function readLimits(mapping: YamlMapping, problems: Problems): Limits {
  const entries = knownEntries(mapping, KEYS, [], problems);
  const timeoutMs = durationOf(entries.get('timeout'), problems);
  const maxOutputBytes = sizeOf(entries.get('max_output'), problems);
  const concurrency = countOf(entries.get('concurrency'), problems);
  const memoryBytes = sizeOf(entries.get('memory'), problems);
  const processes = countOf(entries.get('processes'), problems);
  return {
    ...(timeoutMs !== undefined && { timeoutMs }),
    ...(maxOutputBytes !== undefined && { maxOutputBytes }),
    ...(concurrency !== undefined && { concurrency }),
    ...(memoryBytes !== undefined && { memoryBytes }),
    ...(processes !== undefined && { processes }),
  };
}

function sizeOf(entry: YamlEntry | undefined, problems: Problems): number | undefined {
  const text = textOf(entry, problems);
  if (text === null || entry === undefined) return undefined;
  const bytes = parseSize(text);
  if (bytes !== null) return bytes;
  const number = /^(\d{1,9})\s*([KMG])?/i.exec(text);
  problems.add(
    'limit-size',
    entry.value.at,
    `${quote(text)} is not a size.`,
    `Write it with KiB, MiB or GiB, for example \`${number?.[1] ?? 10}${(number?.[2] ?? 'M').toUpperCase()}iB\`.`,
    undefined,
    withUnit(text),
  );
  return undefined;
}

/** `10 mib`: the unit is said. `10 MB` may mean either. */
function withUnit(text: string): Replacement | null {
  const [, digits, letter] = /^(\d{1,9})[ \t]*([kmg])ib$/i.exec(text) ?? [];
  if (digits === undefined || letter === undefined) return null;
  return { old: text, text: `${digits}${letter.toUpperCase()}iB` };
}

function countOf(entry: YamlEntry | undefined, problems: Problems): number | undefined {
  const text = textOf(entry, problems);
  if (text === null || entry === undefined) return undefined;
  const count = wholeNumber(text, 1, MAX_COUNT);
  if (count !== null) return count;
  problems.add(
    'limit-count',
    entry.value.at,
    `${quote(text)} is not a count.`,
    `Write a whole number from 1 to ${MAX_COUNT}.`,
  );
  return undefined;
}
