/**
 * Runs and operations as they are listed, against the chain, while somebody walks it: each record is read once for both. It
 * says only whether all of it agrees; what does not is found, and named, by `discrepancies`.
 */
import type Database from 'better-sqlite3';
import type { ReadLink } from '../../core/chain.ts';
import { differences, expectedRow, impossibleNotes } from './listed-run.ts';
import type { Row, SaidLink } from './listed-run.ts';

export interface ListCheck {
  /** Every link, in order. */
  take(link: ReadLink): void;
  /** Behind the last one. */
  agrees(): boolean;
}

/** Of runs that are under way at the same time; with more of them somebody has to look. */
const MAX_OPEN = 5000;
const MAX_DIGESTS = 5000;

/** @param hasOperations whether the file has a list of them */
export function createListCheck(db: Database.Database, hasOperations: boolean): ListCheck {
  const rowOf = db.prepare<[string], Row>('SELECT * FROM runs WHERE run_id = ?');
  const countOf = (table: string): number => Number(db.prepare(`SELECT count(*) FROM ${table}`).pluck().get());
  const isOperation = hasOperations ? db.prepare<[number], number>('SELECT 1 FROM operations WHERE seq = ?') : null;
  const hasDocument = db.prepare<[string], number>('SELECT 1 FROM documents WHERE digest = ?');
  const open = new Map<string, SaidLink[]>();
  const digests = new Set<string>();
  let [runs, operations, isWell] = [0, 0, true];

  const isThere = (digest: string | null): boolean => {
    if (digest === null || digests.has(digest)) return true;
    if (digests.size === MAX_DIGESTS) digests.clear();
    digests.add(digest);
    return hasDocument.get(digest) !== undefined;
  };
  /** With its first record: a run that is told twice is listed once, and so does not agree. */
  const check = (runId: string, links: readonly SaidLink[]): boolean => {
    runs += 1;
    const row = rowOf.get(runId);
    const expected = expectedRow(links);
    return (
      row !== undefined &&
      expected !== null &&
      differences(row, expected).length === 0 &&
      impossibleNotes(row, links).length === 0 &&
      isThere(expected.digest)
    );
  };
  const takeRun = ({ seq, runId, state, said }: ReadLink): boolean => {
    const links = open.get(runId) ?? [];
    links.push({ seq, state, said });
    if (state === 'queued' || state === 'started') {
      open.set(runId, links);
      return open.size <= MAX_OPEN;
    }
    open.delete(runId);
    return check(runId, links);
  };

  return {
    take(link) {
      if (!isWell || (link.state === '' && link.runId === '')) return;
      if (link.state === 'done') {
        operations += 1;
        // One that calls itself by the name of a run would be read as a part of it.
        isWell = isOperation?.get(link.seq) !== undefined && rowOf.get(link.runId) === undefined;
      } else isWell = takeRun(link);
    },
    agrees: () =>
      isWell &&
      [...open].every(([runId, links]) => check(runId, links)) &&
      runs === countOf('runs') &&
      (!hasOperations || operations === countOf('operations')),
  };
}
