/**
 * From dates to places in the order of arrival. Runs are listed in that order, because clocks may step; so a range of dates
 * is not a range of places, but it lies within one that is found without walking there. `late` marks a run that says an
 * earlier time than one that arrived before it: all others are in the order of both.
 */
import type Database from 'better-sqlite3';
import type { RunFilter } from '../../core/ports.ts';
import { once } from './file.ts';

/** With the places that its dates leave over. `from` is the first of them; `before` stands behind the last. */
export type PlacedFilter = RunFilter & { readonly from?: number };

/** The function finds the same runs with a filter as with what it gives for it. */
export function createPlacing(db: Database.Database): (filter: RunFilter) => PlacedFilter {
  const edge = (sql: string): Database.Statement<[object], number | null> => db.prepare<[object], number>(sql).pluck();
  const statements = once(() => ({
    first: edge('SELECT first_seq FROM runs WHERE late = 0 AND enqueued_at >= @since ORDER BY enqueued_at LIMIT 1'),
    last: edge(
      `SELECT first_seq FROM runs WHERE late = 0 AND enqueued_at < @until
       ORDER BY enqueued_at DESC, first_seq DESC LIMIT 1`,
    ),
    firstLate: edge(
      `SELECT min(first_seq) FROM runs WHERE late = 1 AND enqueued_at >= @since AND enqueued_at < @until`,
    ),
    lastLate: edge(`SELECT max(first_seq) FROM runs WHERE late = 1 AND enqueued_at >= @since AND enqueued_at < @until`),
  }));
  return (filter) => {
    if (filter.since === undefined && filter.until === undefined) return filter;
    const { first, last, firstLate, lastLate } = statements();
    // Behind every time that is written in this way.
    const range = { since: filter.since ?? '', until: filter.until ?? '~' };
    const from = Math.min(first.get(range) ?? Infinity, firstLate.get(range) ?? Infinity);
    const to = Math.max(last.get(range) ?? 0, lastLate.get(range) ?? 0);
    // Nothing has a number of 2^53; there is none at all before 1.
    return {
      ...filter,
      from: Math.min(from, Number.MAX_SAFE_INTEGER),
      before: Math.min(filter.before ?? Number.MAX_SAFE_INTEGER, to + 1),
    };
  };
}
