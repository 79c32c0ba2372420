/** The runbooks of a folder as a person looks for them: those that fit, in order, each with how its last run ended. */
import { RunbookError } from '../core/errors.ts';
import { endOf } from '../core/latest-run.ts';
import type { LatestRun, RunLedger } from '../core/ports.ts';
import { fits } from '../core/selection.ts';
import type { RunbookQuery } from '../core/selection.ts';
import { listRunbooks } from './queries.ts';
import type { DocumentView } from './queries.ts';
import type { EnginePorts } from './ports.ts';

export interface ListedRunbook {
  /** File name without its ending. */
  readonly name: string;
  readonly view: DocumentView;
  /** Null: it has not run yet, or nobody knows. */
  readonly last: LatestRun | null;
}

export interface Listing {
  readonly runbooks: readonly ListedRunbook[];
  /** Names of documents that are not valid, so that nobody knows whether they fit. */
  readonly unknown: readonly string[];
  /** How many documents there are. */
  readonly of: number;
  /** Why nobody knows of runs; null where that is known. */
  readonly unreadable: RunbookError | null;
}

/** `last`: what did not succeed first, then what succeeded, then what never ran. `age`: the newest run first. */
export type ListOrder = 'best' | 'name' | 'last' | 'age';

export interface ListingPorts extends Pick<EnginePorts, 'source' | 'clock'> {
  /** Null: there is no ledger. */
  peek(): Promise<Pick<RunLedger, 'latestOf'> | null>;
}

/** A ledger that cannot be read hides no runbook. @throws RunbookError `not-found` where there is no folder */
export async function findRunbooks(ports: ListingPorts, query: RunbookQuery, order: ListOrder): Promise<Listing> {
  const views = await listRunbooks(ports);
  const isFiltered = [query.tags, query.owners, query.alerts].some(({ length }) => length > 0);
  const found = views.flatMap((view) => {
    const name = nameOf(view);
    const score = fits({ name, title: view.parsed?.title ?? null, runbook: view.parsed?.runbook ?? null }, query);
    return score === null ? [] : [{ name, view, score }];
  });
  const { latest, unreadable } = await latestRuns(ports, found);
  const listed = found.map(({ name, view, score }): Scored => {
    const last = latest.get(view.document?.path ?? '') ?? null;
    return { name, view, score, last };
  });
  const invalid = isFiltered
    ? views.filter((view) => view.parsed?.runbook === undefined || view.parsed.runbook === null)
    : [];
  return {
    runbooks: inOrder(listed, order).map(({ name, view, last }) => ({ name, view, last })),
    unknown: invalid.map(nameOf),
    of: views.length,
    unreadable,
  };
}

export function nameOf({ fileName }: Pick<DocumentView, 'fileName'>): string {
  return fileName.replace(/\.md$/, '');
}

async function latestRuns(
  ports: ListingPorts,
  found: readonly { readonly view: DocumentView }[],
): Promise<{ readonly latest: ReadonlyMap<string, LatestRun>; readonly unreadable: RunbookError | null }> {
  const paths = found.flatMap(({ view }) => (view.document === null ? [] : [view.document.path]));
  try {
    const ledger = paths.length === 0 ? null : await ports.peek();
    return { latest: (await ledger?.latestOf(paths)) ?? new Map(), unreadable: null };
  } catch (error) {
    if (!(error instanceof RunbookError)) throw error;
    return { latest: new Map(), unreadable: error };
  }
}

interface Scored extends ListedRunbook {
  readonly score: number;
}

/** What is equal stays in the order of names. */
function inOrder(listed: readonly Scored[], order: ListOrder): readonly Scored[] {
  switch (order) {
    case 'best':
      return listed.toSorted((a, b) => b.score - a.score);
    case 'last':
      return listed.toSorted((a, b) => urgency(a.last) - urgency(b.last));
    case 'age':
      return listed.toSorted((a, b) => (b.last?.startedAt ?? '').localeCompare(a.last?.startedAt ?? ''));
    default:
      return listed;
  }
}

function urgency(last: LatestRun | null): number {
  if (last === null) return 3;
  const end = endOf(last);
  if (end === 'started') return 1;
  return end === 'succeeded' ? 2 : 0;
}
