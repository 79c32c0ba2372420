/** What is looked at while the chain is walked says “all agrees” only where nobody who looks closely finds anything. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import Database from 'better-sqlite3';
import * as fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeLedger } from '../../../bench/ledger-maker.ts';
import { discrepancies } from '../../../src/adapters/ledger/discrepancies.ts';
import { createListCheck } from '../../../src/adapters/ledger/list-check.ts';
import { MIGRATIONS } from '../../../src/adapters/ledger/migrations.ts';
import { openSqliteLedger } from '../../../src/adapters/ledger/sqlite.ts';
import { parsed } from '../../../src/core/chain.ts';
import type { ChainLink } from '../../../src/core/chain.ts';
import { tries } from '../../helpers/property.ts';
import {
  DOCUMENT,
  interruptionOf,
  operationOf,
  OWNER,
  queuedRun,
  REAPER,
  recordRun,
  resultOf,
  runIdOf,
} from '../../helpers/records.ts';

let folder = '';
let file = '';
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'list-check-'));
  file = path.join(folder, 'ledger.sqlite');
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function doesAgree(db: Database.Database): boolean {
  const check = createListCheck(db, true);
  const links = db.prepare<[], ChainLink>(
    'SELECT seq, run_id AS runId, state, at, record, prev, hash FROM transitions ORDER BY seq',
  );
  for (const link of links.all()) check.take({ ...link, said: parsed(link.record) });
  return check.agrees();
}

/** What is found of lists by who looks at each run in the file. */
function found(db: Database.Database): readonly string[] {
  return [...discrepancies(db, MIGRATIONS.length, false)]
    .filter(({ fault }) => fault === 'run' || fault === 'operation' || fault === 'document')
    .map(({ message }) => message);
}

/** Ends of every kind, runs that overlap, some under way, operations, and two that were taken out. */
async function someLedger(): Promise<void> {
  const ledger = openSqliteLedger(file);
  for (const n of [1, 2, 3]) await recordRun(ledger, n, n === 2 ? { historyMode: 'file' } : {});
  for (const n of [4, 5, 6, 7]) await ledger.enqueue(queuedRun(n), OWNER, DOCUMENT);
  for (const n of [6, 5])
    await ledger.begin(runIdOf(n), { startedAt: queuedRun(n).enqueuedAt, containment: REAPER }, null);
  await ledger.pause(operationOf(8, 'pause'));
  await ledger.interrupt(runIdOf(5), interruptionOf(5));
  await ledger.finish(runIdOf(4), resultOf(4, { outcome: 'canceled' }));
  const refusal = { code: 'forbidden', message: 'It needs the role sre.' } as const;
  await ledger.refuse(queuedRun(9, { state: 'refused', refusal, historyMode: 'file' }), DOCUMENT, OWNER);
  await ledger.prune([runIdOf(1), runIdOf(3)], operationOf(10, 'prune'));
  ledger.close();
}

test('all agrees in ledgers that nobody has touched, so that nothing is read twice', async () => {
  await someLedger();
  const small = new Database(file);
  expect([doesAgree(small), found(small)]).toEqual([true, []]);
  small.close();
  const large = path.join(folder, 'large.sqlite');
  await makeLedger(large, 1000);
  const db = new Database(large);
  expect([doesAgree(db), found(db)]).toEqual([true, []]);
  db.close();
});

test('whatever is changed, what is found by looking closely is never said to agree', async () => {
  await someLedger();
  const db = new Database(file);
  db.pragma('foreign_keys = OFF');
  for (const name of db.prepare<[], string>("SELECT name FROM sqlite_schema WHERE type = 'trigger'").pluck().all())
    db.exec(`DROP TRIGGER ${name}`);
  const columns = db
    .prepare<[], { name: string }>('PRAGMA table_info(runs)')
    .all()
    .map(({ name }) => name);
  const seqs = db.prepare<[], number>("SELECT seq FROM transitions WHERE state <> ''").pluck().all();
  const run = fc.constantFrom(...[2, 4, 5, 6, 7, 9].map((n) => `'${runIdOf(n)}'`));
  const value = fc.constantFrom(
    "'x'",
    'NULL',
    '0',
    '1',
    '4',
    "''",
    "'gone'",
    "'large'",
    "'written'",
    "'pending'",
    "'finished'",
    "'refused'",
  );
  const seq = fc.constantFrom(...seqs.map(String));
  const text = fc.constantFrom(
    'alice',
    'bob',
    'queued',
    'started',
    'finished',
    'Restart',
    'file',
    'ledger',
    '"result"',
    '"who"',
    'true',
    'null',
  );
  const state = fc.constantFrom('queued', 'started', 'finished', 'interrupted', 'refused', 'done', '', 'odd');
  const change = fc.oneof(
    fc
      .tuple(fc.constantFrom(...columns), value, run)
      .map(([column, to, of]) => `UPDATE OR IGNORE runs SET ${column} = ${to} WHERE run_id = ${of}`),
    run.map((of) => `DELETE FROM runs WHERE run_id = ${of}`),
    fc.constant(
      "INSERT INTO runs (first_seq, run_id, enqueued_at, runbook, state) VALUES (999, 'X', '2026', 'X', 'finished')",
    ),
    seq.map((of) => `DELETE FROM transitions WHERE seq = ${of}`),
    fc.tuple(seq, state).map(([of, to]) => `UPDATE transitions SET state = '${to}' WHERE seq = ${of}`),
    fc.tuple(seq, run).map(([of, to]) => `UPDATE transitions SET run_id = ${to} WHERE seq = ${of}`),
    fc
      .tuple(seq, text, text)
      .map(([of, from, to]) => `UPDATE transitions SET record = replace(record, '${from}', '${to}') WHERE seq = ${of}`),
    fc
      .tuple(seq, state, run)
      .map(
        ([of, to, id]) =>
          `INSERT INTO transitions SELECT 1000 + seq, ${id}, '${to}', at, record, hash, hash FROM transitions WHERE seq = ${of}`,
      ),
    fc.constant('DELETE FROM operations'),
    seq.map((of) => `INSERT OR IGNORE INTO operations VALUES (${of})`),
    fc.constant('DELETE FROM documents'),
  );
  const seen = { agrees: 0, differs: 0, careful: 0 };
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), (changes) => {
      db.exec('BEGIN');
      try {
        for (const one of changes) tryTo(db, one);
        const messages = found(db);
        const agrees = doesAgree(db);
        if (agrees) expect(messages).toEqual([]);
        seen[agrees ? 'agrees' : messages.length > 0 ? 'differs' : 'careful'] += 1;
      } finally {
        db.exec('ROLLBACK');
      }
    }),
    tries(120, 3000),
  );
  db.close();
  console.log(`lists: ${seen.agrees} agree, ${seen.differs} do not, ${seen.careful} were looked at for nothing`);
  expect(seen.differs).toBeGreaterThan(20);
});

/** The file itself refuses some: a text where a number belongs. */
function tryTo(db: Database.Database, sql: string): void {
  try {
    db.exec(sql);
  } catch (error) {
    expect(String(error)).toMatch(/constraint failed|datatype mismatch|cannot store/);
  }
}
