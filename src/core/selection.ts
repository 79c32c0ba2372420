/** Which runbooks of a folder are meant, and how well each of them fits. Pure. */
import { fuzzyScore } from './fuzzy.ts';
import type { Runbook } from './runbook.ts';

/** All of it must fit; nothing given fits everything. */
export interface RunbookQuery {
  /** Words in any order; every one of them must be found. */
  readonly search: readonly string[];
  readonly tags: readonly string[];
  readonly owners: readonly string[];
  readonly alerts: readonly string[];
}

/** A document, as far as it could be read. */
export interface Candidate {
  readonly name: string;
  readonly title: string | null;
  readonly runbook: Runbook | null;
}

/** What a word is worth where it is found, compared with the name. */
const IN_TITLE = 0.9;
const IN_METADATA = 0.6;
const IN_TEXT = 0.3;

/**
 * How well a document fits: higher is better, 0 where nothing is searched for, null where it does not fit. Metadata is
 * compared as a whole, whatever its case. Of a document that is not valid only name and title are known.
 */
export function fits({ name, title, runbook }: Candidate, query: RunbookQuery): number | null {
  const metadata = runbook?.metadata;
  const lacks = (wanted: readonly string[], has: readonly string[]): boolean => {
    const known = new Set(has.map(plain));
    return wanted.some((one) => !known.has(plain(one)));
  };
  if (lacks(query.tags, metadata?.tags ?? [])) return null;
  if (lacks(query.alerts, metadata?.alerts ?? [])) return null;
  if (lacks(query.owners, metadata?.owner === undefined ? [] : [metadata.owner])) return null;
  let sum = 0;
  for (const word of query.search.flatMap(wordsOf)) {
    const score = bestOf(word, name, title, runbook);
    if (score === null) return null;
    sum += score;
  }
  return sum;
}

function bestOf(word: string, name: string, title: string | null, runbook: Runbook | null): number | null {
  const { tags = [], alerts = [], owner = '', service = '' } = runbook?.metadata ?? {};
  const steps = runbook?.kind === 'steps' ? runbook.steps.map((step) => step.name) : [];
  const scores = [
    fuzzyScore(word, name),
    weigh(title === null ? null : fuzzyScore(word, title), IN_TITLE),
    ...[...tags, ...alerts, owner, service].map((text) =>
      weigh(text === '' ? null : fuzzyScore(word, text), IN_METADATA),
    ),
    // In a longer text every few letters stand somewhere in order, so there only what stands there as it is counts.
    ...[runbook?.description ?? '', ...steps].map((text) =>
      plain(text).includes(plain(word)) ? IN_TEXT * 1000 : null,
    ),
  ];
  return scores.reduce((best, score) => (score !== null && (best === null || score > best) ? score : best), null);
}

function weigh(score: number | null, weight: number): number | null {
  return score === null ? null : score * weight;
}

function wordsOf(text: string): readonly string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}

function plain(text: string): string {
  return text.trim().normalize('NFKC').toLowerCase();
}
