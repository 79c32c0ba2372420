/** Asking a large ledger: what is found is what is there, clocks or not, and nothing is found by walking over all of it. */
import Database from 'better-sqlite3';
import * as fc from 'fast-check';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeLedger } from '../../bench/ledger-maker.ts';
import { createCare } from '../../src/adapters/ledger/care.ts';
import { createEntries } from '../../src/adapters/ledger/entries.ts';
import { openFile } from '../../src/adapters/ledger/file.ts';
import { createOperations } from '../../src/adapters/ledger/operations.ts';
import { createQueries, createRunReader } from '../../src/adapters/ledger/runs.ts';
import { openSqliteLedger } from '../../src/adapters/ledger/sqlite.ts';
import { createTransitions } from '../../src/adapters/ledger/transitions.ts';
import { verifyChain } from '../../src/core/chain.ts';
import type { RunFilter, RunLedger } from '../../src/core/ports.ts';
import type { StoredRun } from '../../src/core/run.ts';
import { tries } from '../helpers/property.ts';
import { DOCUMENT, OWNER, queuedRun, REAPER, resultOf, runIdOf, timeOf } from '../helpers/records.ts';

let folder = '';
let file = '';
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'ledger-'));
  file = path.join(folder, 'ledger.sqlite');
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('dates', () => {
  const time = fc.integer({ min: 0, max: 12 });
  const optional = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(value, { nil: undefined });
  const filter = fc.record({
    since: optional(time.map(timeOf)),
    until: optional(time.map(timeOf)),
    subject: optional(fc.constantFrom('alice', 'bob')),
    outcome: optional(fc.constantFrom('succeeded', 'failed')),
    outcomes: optional(fc.subarray(['succeeded', 'failed', 'queued', 'refused'], { minLength: 1 })),
    before: optional(fc.integer({ min: 1, max: 60 })),
    limit: fc.integer({ min: 1, max: 30 }),
  });

  test('find the same runs whatever the clocks said when they arrived', async () => {
    let found = 0;
    const run = fc.record({
      time,
      subject: fc.constantFrom('alice', 'bob'),
      end: fc.constantFrom('succeeded', 'failed', null),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(run, { minLength: 5, maxLength: 20 }),
        fc.array(filter, { minLength: 40, maxLength: 40 }),
        async (runs, filters) => {
          const ledger = openSqliteLedger(file);
          try {
            for (const [n, { time: at, subject, end }] of runs.entries()) {
              const record = queuedRun(n, { enqueuedAt: timeOf(at) });
              await ledger.enqueue({ ...record, who: { ...record.who, subject } }, OWNER, DOCUMENT);
              if (end === null) continue;
              await ledger.begin(runIdOf(n), { startedAt: timeOf(at), containment: REAPER }, null);
              await ledger.finish(runIdOf(n), resultOf(n, { outcome: end }));
            }
            const places = placesOf(ledger);
            const all = await ledger.list({ limit: 1000 });
            expect(all).toHaveLength(runs.length);
            for (const one of filters) {
              const wanted = all.filter((each) => fits(each, places.get(each.runId) ?? 0, one)).slice(0, one.limit);
              expect(ids(await ledger.list(defined(one)))).toEqual(ids(wanted));
              found += wanted.length;
            }
          } finally {
            ledger.close();
            for (const suffix of ['', '-wal', '-shm']) rmSync(file + suffix, { force: true });
          }
        },
      ),
      tries(15, 1000),
    );
    expect(found).toBeGreaterThan(100);
  });

  test('of a month far back are found in their place', async () => {
    const made = await makeLedger(file, 1000);
    const ledger = openSqliteLedger(file);
    const month = { since: '2024-06-01T00:00:00.000Z', until: '2024-07-01T00:00:00.000Z' };
    const db = new Database(file, { readonly: true });
    const { place } = createRunReader(openFile(file, db, () => false));
    expect(verifyChain(ledger.links())).toBeNull();
    const all = await ledger.list({ limit: made.runs });
    const inMonth = all.filter(({ enqueuedAt }) => enqueuedAt >= month.since && enqueuedAt < month.until);
    expect(ids(await ledger.list({ ...month, limit: 100 }))).toEqual(ids(inMonth));
    const { from = 0, before = 0 } = place({ ...month, limit: 50 });
    const looked = [...placesOf(ledger).values()].filter((first) => first >= from && first < before);
    expect(inMonth.length).toBeGreaterThan(20);
    expect(looked.length).toBeLessThanOrEqual(inMonth.length + 5);
    db.close();
    ledger.close();
  });
});

test('no statement walks over all runs or all transitions, but for the newest runs', async () => {
  openSqliteLedger(file).close();
  const db = new Database(file);
  const said = new Set<string>();
  const prepare = db.prepare.bind(db);
  // What is prepared is what will be carried out; SQLite itself says how.
  Object.assign(db, { prepare: (sql: string) => (said.add(sql), prepare(sql)) });
  const opened = openFile(file, db, () => false);
  const reader = createRunReader(opened);
  createTransitions(opened);
  createCare(opened, reader);
  createEntries(opened, reader);
  createOperations(opened);
  const { list } = createQueries(opened, reader);
  const dates = { since: timeOf(0), until: timeOf(9) };
  const filters: readonly Omit<RunFilter, 'limit'>[] = [
    dates,
    { subject: 'alice' },
    { ...dates, subject: 'alice' },
    { runbook: 'Restart', outcome: 'failed', ...dates },
    { path: '/srv/Restart.md', incomplete: true },
    { incident: 'INC-7' },
    { outcome: 'canceled' },
    { outcomes: ['limit-exceeded'] },
    { outcomes: ['interrupted'] },
    { outcomes: ['failed', 'timed-out', 'refused'] },
    { outcomes: ['failed'], subject: 'alice' },
    { state: 'refused' },
    { idPrefix: '01JRUN' },
    { before: 100 },
  ];
  for (const filter of filters) await list({ ...filter, limit: 50 });
  const plans = [...said].map((sql) => ({ sql, plan: planOf(prepare, sql) }));
  expect(plans.length).toBeGreaterThan(30);
  for (const { sql, plan } of plans.filter((one) => !one.sql.endsWith(' LIMIT 1')))
    expect(`${sql}\n${plan}`).not.toMatch(/^SCAN (?!CONSTANT ROW)(?!operations$)/m);
  // The order of arrival is that of the index: nothing is sorted, however much fits.
  for (const { sql, plan } of plans.filter((one) => one.sql.includes('ORDER BY first_seq DESC')))
    if (!sql.includes('run_id >=')) expect(`${sql}\n${plan}`).not.toContain('TEMP B-TREE');
  const withDates = plans.filter((one) => one.sql.includes('@from'));
  expect(withDates).toHaveLength(3);
  for (const { sql, plan } of withDates) expect(`${sql}\n${plan}`).toContain('rowid>? AND rowid<?');
  await list({ limit: 50 });
  expect(planOf(prepare, [...said].at(-1) ?? '')).toBe('SCAN runs');
  db.close();
});

type MayBe<T> = { readonly [Name in keyof T]?: T[Name] | undefined };

function planOf(prepare: Database.Database['prepare'], sql: string): string {
  const names = [...sql.matchAll(/@(\w+)/g)].map(([, name = '']) => [name, null] as const);
  const places = [...sql.matchAll(/\?/g)].map(() => null);
  const explain = prepare<unknown[], { detail: string }>(`EXPLAIN QUERY PLAN ${sql}`);
  const rows = names.length > 0 ? explain.all(Object.fromEntries(names)) : explain.all(...places);
  return rows.map(({ detail }) => detail).join('\n');
}

/** First transition of each run. */
function placesOf(ledger: RunLedger): ReadonlyMap<string, number> {
  const places = new Map<string, number>();
  for (const { seq, runId } of ledger.links()) if (!places.has(runId)) places.set(runId, seq);
  return places;
}

/** What the filter means, without any index. */
function fits(run: StoredRun, place: number, filter: MayBe<RunFilter>): boolean {
  return (
    (filter.since === undefined || run.enqueuedAt >= filter.since) &&
    (filter.until === undefined || run.enqueuedAt < filter.until) &&
    (filter.subject === undefined || run.who.subject === filter.subject) &&
    (filter.outcome === undefined || run.result?.outcome === filter.outcome) &&
    (filter.outcomes === undefined || filter.outcomes.includes(run.result?.outcome ?? run.state)) &&
    (filter.before === undefined || place < filter.before)
  );
}

function defined(filter: MayBe<RunFilter>): RunFilter {
  const members = Object.entries(filter).filter(([, value]) => value !== undefined);
  return { limit: 1, ...Object.fromEntries(members) };
}

function ids(runs: readonly StoredRun[]): readonly string[] {
  return runs.map(({ runId }) => runId);
}
