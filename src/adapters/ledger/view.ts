/** A ledger's file as an auditor sees it: opened to be read, one moment of it, whatever schema it has. */
import { tmpdir } from 'node:os';
import type Database from 'better-sqlite3';
import { parsed } from '../../core/chain.ts';
import type { ChainLink, ReadLink } from '../../core/chain.ts';
import { RunbookError } from '../../core/errors.ts';
import type { LedgerView } from '../../core/ports.ts';
import { isThere, isWritable, openAsIs, openCopy, openInPlace, peekHome } from './asked.ts';
import { notALedger, withLedgerErrors } from './database.ts';
import { discrepancies } from './discrepancies.ts';
import { isHome, placeOf, readHome } from './home.ts';
import { createListCheck } from './list-check.ts';
import { APPLICATION_ID, MIGRATIONS } from './migrations.ts';
import { isOutputGone, recordedFiles } from './recorded-files.ts';

const LINK = 'seq, run_id AS runId, state, at, record, prev, hash';
/** Read at once, which is faster than one by one. */
const PAGE = 100;

/** @param isCopy not the ledger of anybody's runs. @throws RunbookError `not-found`, `io`, `busy`, `unavailable` (not a ledger, damaged, of a newer program) */
export function openLedgerView(path: string, isCopy: boolean, scratch = tmpdir()): LedgerView {
  if (!withLedgerErrors(path, () => isThere(path)))
    throw new RunbookError('not-found', `There is no ledger ${path}.`, {
      fix: 'Name its folder with --state-dir, or the file of a copy with --ledger.',
    });
  return withLedgerErrors(path, () => {
    const db = connect(path, isCopy, scratch);
    try {
      return viewOf(path, db);
    } catch (error) {
      db.close();
      throw error;
    }
  });
}

function viewOf(path: string, db: Database.Database): LedgerView {
  const schema = Number(db.pragma('user_version', { simple: true }));
  if (db.pragma('application_id', { simple: true }) !== APPLICATION_ID || schema === 0) throw notALedger(path);
  if (schema > MIGRATIONS.length)
    throw new RunbookError('unavailable', `The ledger ${path} was written by a newer version of runbook.`, {
      fix: `Use that version (schema ${schema}; this one knows up to ${MIGRATIONS.length}).`,
    });
  db.pragma('trusted_schema = OFF');
  // All of it is of one moment; whoever writes meanwhile is not held up.
  db.exec('BEGIN');
  db.prepare('SELECT 1 FROM transitions').get();
  const hasOperations = schema > 2;
  const count = (table: string): number => Number(db.prepare(`SELECT count(*) FROM ${table}`).pluck().get());
  const withErrors = <T>(work: () => T): T => withLedgerErrors(path, work);
  let doLinksAgree = false;
  return {
    links: () =>
      guarded(path, () =>
        walk(db, hasOperations, (does) => {
          doLinksAgree = does;
        }),
      ),
    lastSeq: () => withErrors(() => Number(db.prepare('SELECT coalesce(max(seq), 0) FROM transitions').pluck().get())),
    operations: () =>
      guarded(path, () =>
        hasOperations
          ? db
              .prepare<[], ChainLink>(`SELECT ${LINK} FROM operations JOIN transitions USING (seq) ORDER BY seq`)
              .iterate()
          : [],
      ),
    discrepancies: () => guarded(path, () => discrepancies(db, schema, doLinksAgree)),
    copyOf: () =>
      withErrors(() => {
        const says = readHome(db);
        return says === null || isHome(says, placeOf(path)) ? null : says.path;
      }),
    counts: () =>
      withErrors(() => ({
        runs: count('runs'),
        operations: hasOperations ? count('operations') : 0,
        documents: count('documents'),
      })),
    recordedFiles: () =>
      guarded(path, () => {
        if (db.inTransaction) db.exec('COMMIT');
        return recordedFiles(db);
      }),
    isOutputGone: (runId) => withErrors(() => isOutputGone(db, hasOperations, runId)),
    close: () => {
      db.close();
    },
  };
}

/**
 * Who opens a ledger only to read leaves its side files behind, since they can only be put away by who may write. So a ledger
 * that is in use is opened to be written, and never is; a copy is not, nor what can only be read.
 */
function connect(path: string, isCopy: boolean, scratch: string): Database.Database {
  // Also a file that is called a copy may be one that others write.
  if (!isWritable(path) || (!isCopy && isCopyBySelf(path, scratch))) return openAsIs(path, scratch);
  return openInPlace(path, isCopy) ?? openCopy(path, scratch);
}

function isCopyBySelf(path: string, scratch: string): boolean {
  const says = peekHome(path, scratch);
  return says !== null && !isHome(says, placeOf(path));
}

/** @param onEnd told behind the last link whether runs and operations are listed as the chain has them */
function* walk(
  db: Database.Database,
  hasOperations: boolean,
  onEnd: (doesAgree: boolean) => void,
): Generator<ReadLink> {
  const lists = createListCheck(db, hasOperations);
  const page = db.prepare<[number], ChainLink>(
    `SELECT ${LINK} FROM transitions WHERE seq > ? ORDER BY seq LIMIT ${PAGE}`,
  );
  for (let rows = page.all(Number.MIN_SAFE_INTEGER); rows.length > 0; rows = page.all(rows.at(-1)?.seq ?? 0)) {
    for (const row of rows) {
      const link = { ...row, said: row.record === '' ? undefined : parsed(row.record) };
      lists.take(link);
      yield link;
    }
  }
  onEnd(lists.agrees());
}

function* guarded<T>(path: string, rows: () => Iterable<T>): Generator<T> {
  const iterator = withLedgerErrors(path, () => rows()[Symbol.iterator]());
  try {
    for (;;) {
      const next = withLedgerErrors(path, () => iterator.next());
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    iterator.return?.();
  }
}
