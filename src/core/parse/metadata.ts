/** `# Metadata`: what people want to know about the runbook; only `format` and `review_by` do anything. */
import type { Metadata } from '../runbook.ts';
import { knownEntries, textOf, textsOf, wholeNumber } from './fields.ts';
import { type Problems, quote } from './problems.ts';
import type { YamlEntry, YamlMapping } from './yaml.ts';

const KEYS = ['owner', 'service', 'tags', 'severity', 'alerts', 'review_by', 'links', 'format'] as const;
const FORMAT_VERSION = 1;
export const NO_METADATA: Metadata = { tags: [], alerts: [], links: [] };

/** @param today `YYYY-MM-DD`; undefined: `review_by` is not compared with anything */
export function readMetadata(mapping: YamlMapping, today: string | undefined, problems: Problems): Metadata {
  const entries = knownEntries(mapping, KEYS, [], problems);
  const texts = { owner: entries.get('owner'), service: entries.get('service'), severity: entries.get('severity') };
  const reviewBy = readReviewBy(entries.get('review_by'), today, problems);
  const format = readFormat(entries.get('format'), problems);
  const [owner, service, severity] = [texts.owner, texts.service, texts.severity].map((entry) =>
    textOf(entry, problems),
  );
  return {
    ...(typeof owner === 'string' && { owner }),
    ...(typeof service === 'string' && { service }),
    ...(typeof severity === 'string' && { severity }),
    ...(reviewBy !== null && { reviewBy }),
    ...(format !== null && { format }),
    tags: textsOf(entries.get('tags'), problems).map(({ text }) => text),
    alerts: textsOf(entries.get('alerts'), problems).map(({ text }) => text),
    links: readLinks(entries.get('links'), problems),
  };
}

function readReviewBy(entry: YamlEntry | undefined, today: string | undefined, problems: Problems): string | null {
  const text = textOf(entry, problems);
  if (text === null || entry === undefined) return null;
  if (!isDay(text)) {
    const padded = text.replace(/^(\d{4})-(\d{1,2})-(\d{1,2})$/, (_, year: string, month: string, day: string) =>
      [year, month.padStart(2, '0'), day.padStart(2, '0')].join('-'),
    );
    problems.add(
      'metadata-value',
      entry.value.at,
      `${quote(text)} is not a day.`,
      'Write it as `2027-03-01`.',
      undefined,
      isDay(padded) ? { old: text, text: padded } : null,
    );
    return null;
  }
  // Days in this form sort as text.
  if (today !== undefined && text < today) {
    problems.add(
      'review-overdue',
      entry.value.at,
      `The runbook was to be reviewed by ${text}.`,
      'Review it, then set a new day.',
    );
  }
  return text;
}

function isDay(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const time = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text);
}

function readFormat(entry: YamlEntry | undefined, problems: Problems): number | null {
  const text = textOf(entry, problems);
  if (text === null || entry === undefined) return null;
  const version = wholeNumber(text, 1, FORMAT_VERSION);
  if (version !== null) return version;
  problems.add(
    'format-unsupported',
    entry.value.at,
    `The document is written for format ${quote(text)}; this version reads format ${FORMAT_VERSION}.`,
    'Use a newer version of runbook, or write the document for this format.',
  );
  return null;
}

function readLinks(entry: YamlEntry | undefined, problems: Problems): readonly string[] {
  return textsOf(entry, problems).flatMap(({ text, at }) => {
    if (/^https?:\/\/[^\s]+$/.test(text)) return [text];
    problems.add('metadata-value', at, `${quote(text)} is not a web address.`, 'Write it with `https://`.');
    return [];
  });
}
