/** What somebody does to the file itself, past the program: found, named, and nothing is written meanwhile. */
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import Database from 'better-sqlite3';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openSqliteLedger } from '../../../src/adapters/ledger/sqlite.ts';
import { openLedgerView } from '../../../src/adapters/ledger/view.ts';
import type { Anchor } from '../../../src/core/audit.ts';
import { chainHash } from '../../../src/core/chain.ts';
import { auditRecord } from '../../../src/engine/audit.ts';
import type { AuditReport } from '../../../src/engine/audit.ts';
import { isLong, times } from '../../helpers/property.ts';
import { DOCUMENT, operationOf, OWNER, queuedRun, recordRun, runIdOf, sha256, timeOf } from '../../helpers/records.ts';

let folder = '';
let file = '';
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'audit-'));
  file = path.join(folder, 'ledger.sqlite');
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function audit(of = file, anchors: readonly Anchor[] = [], isCopy = false): AuditReport {
  const view = openLedgerView(of, isCopy);
  try {
    return auditRecord(view, anchors);
  } finally {
    view.close();
  }
}

/** As somebody who has the file, and knows how to get rid of triggers. */
function behind<T>(work: (db: Database.Database) => T): T {
  const db = new Database(file);
  try {
    const triggers = db
      .prepare<[], { name: string; sql: string }>("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'")
      .all();
    for (const { name } of triggers) db.exec(`DROP TRIGGER ${name}`);
    const result = work(db);
    // And how to put them back.
    for (const { sql } of triggers) db.exec(sql);
    return result;
  } finally {
    db.close();
  }
}

/** Runs 1 to 4 (records 1 to 12), of which 2 is taken out by record 13; runs 5 (14 to 16) and 6, under way (17). */
async function someLedger(): Promise<void> {
  const ledger = openSqliteLedger(file);
  for (const n of [1, 2, 3, 4]) await recordRun(ledger, n);
  await ledger.prune([runIdOf(2)], operationOf(9, 'prune'));
  await recordRun(ledger, 5);
  await ledger.enqueue(queuedRun(6), OWNER, DOCUMENT);
  ledger.close();
}

const ON_THE_CHAIN: readonly (readonly [what: string, sql: string, seq: number, fault: string])[] = [
  ['an edit', `UPDATE transitions SET record = replace(record, 'alice', 'mallory') WHERE seq = 1`, 1, 'edited'],
  ['a run id', `UPDATE transitions SET run_id = '${runIdOf(3)}' WHERE seq = 2`, 2, 'columns'],
  ['a deletion', 'DELETE FROM transitions WHERE seq = 8', 8, 'missing'],
  [
    'an exchange',
    'UPDATE transitions SET seq = 99 WHERE seq = 8; UPDATE transitions SET seq = 8 WHERE seq = 9; UPDATE transitions SET seq = 9 WHERE seq = 99',
    8,
    'unchained',
  ],
  [
    'an insertion',
    `INSERT INTO transitions SELECT 18, run_id, 'started', at, record, hash, hash FROM transitions WHERE seq = 17`,
    18,
    'edited',
  ],
  [
    'emptying a record',
    "UPDATE transitions SET record = '', run_id = '', state = '', at = '' WHERE seq = 7",
    7,
    'taken-out',
  ],
  ['emptying half of it', "UPDATE transitions SET record = '' WHERE seq = 7", 7, 'taken-out'],
  ['writing where a record was', "UPDATE transitions SET record = '{}', state = 'started' WHERE seq = 5", 5, 'pruning'],
  ['a time where a record was', "UPDATE transitions SET at = '2026' WHERE seq = 5", 5, 'pruning'],
  [
    'emptying the operation',
    "UPDATE transitions SET record = '', run_id = '', state = '', at = '' WHERE seq = 13",
    13,
    'edited',
  ],
  [
    'another range in the operation',
    `UPDATE transitions SET record = replace(record, '[4,6]', '[4,5]') WHERE seq = 13`,
    13,
    'edited',
  ],
  ['not listing the operation', 'DELETE FROM operations', 4, 'taken-out'],
];

const BESIDE: readonly (readonly [what: string, sql: string, fault: string, said: string | RegExp])[] = [
  [
    'a run that is not listed',
    `DELETE FROM runs WHERE run_id = '${runIdOf(3)}'`,
    'run',
    `Run ${runIdOf(3)} has records, but is not listed.`,
  ],
  [
    'a run that is invented',
    `INSERT INTO runs (first_seq, run_id, enqueued_at, runbook, state) VALUES (4, 'X', '2026', 'X', 'finished')`,
    'run',
    'Run X is listed, but no record is of it.',
  ],
  ...['subject', 'outcome', 'state', 'runbook', 'path', 'started_at', 'finished_at', 'enqueued_at', 'incident'].map(
    (column) =>
      [
        `another ${column}`,
        `UPDATE runs SET ${column} = 'other' WHERE run_id = '${runIdOf(3)}'`,
        'run',
        `Run ${runIdOf(3)} is listed with another ${column} than it has.`,
      ] as const,
  ),
  [
    'a rehearsal made of a run',
    `UPDATE runs SET rehearsal = 1 WHERE run_id = '${runIdOf(3)}'`,
    'run',
    /another rehearsal/,
  ],
  ['no subject', `UPDATE runs SET subject = NULL WHERE run_id = '${runIdOf(3)}'`, 'run', /another subject/],
  [
    'another place in the list',
    `UPDATE runs SET first_seq = 4 WHERE run_id = '${runIdOf(3)}'`,
    'run',
    /another first_seq/,
  ],
  [
    'a mark that means nothing',
    `UPDATE runs SET late = 2 WHERE run_id = '${runIdOf(3)}'`,
    'run',
    /another place in time/,
  ],
  [
    'an entry that nobody wants',
    `UPDATE runs SET entry = 'pending' WHERE run_id = '${runIdOf(3)}'`,
    'run',
    /its entry/,
  ],
  ['an index before the end', `UPDATE runs SET indexed = 'whole' WHERE run_id = '${runIdOf(6)}'`, 'run', /its index/],
  [
    'another index',
    'DROP INDEX runs_late; CREATE INDEX runs_late ON runs (enqueued_at) WHERE late = 2',
    'file',
    'The index runs_late of the file is missing, or is not as this program makes it.',
  ],
  [
    'a trigger too much',
    'CREATE TRIGGER forget AFTER INSERT ON runs BEGIN DELETE FROM documents; END',
    'file',
    /^The trigger forget/,
  ],
  [
    'an operation too much',
    'INSERT INTO operations VALUES (3)',
    'operation',
    'Record 3 is listed as an operation, and is none.',
  ],
  [
    'a pause that nobody ordered',
    "INSERT INTO switches VALUES ('paused', '2026', 'bob', 'why not')",
    'pause',
    /^Whether runs are paused/,
  ],
  [
    'a text that is gone',
    'DELETE FROM documents',
    'document',
    `Run ${runIdOf(1)} has lost the text of its document, ${sha256(DOCUMENT)}.`,
  ],
  [
    'another text',
    "UPDATE documents SET text = x'789c4bca4c020002490126'",
    'document',
    `The text that is kept as document ${sha256(DOCUMENT)} is another one.`,
  ],
  ['a text that is none', "UPDATE documents SET text = x'00'", 'document', /is another one/],
];

describe('the file, changed past the program', () => {
  test.each([
    ['none where it came late', 3, 0],
    ['one where it did not', 5, 1],
  ])('a mark in time is found: %s', async (_, n, late) => {
    const ledger = openSqliteLedger(file);
    for (const [run, at] of [
      [1, 1],
      [4, 4],
      [3, 3],
      [5, 5],
    ] as const)
      await recordRun(ledger, run, { enqueuedAt: timeOf(at) });
    ledger.close();
    expect(audit().findings).toEqual([]);
    behind((db) => db.exec(`UPDATE runs SET late = ${late} WHERE run_id = '${runIdOf(n)}'`));
    expect(audit().findings).toMatchObject([
      { runId: runIdOf(n), message: `Run ${runIdOf(n)} is listed at another place in time than it has.` },
    ]);
  });

  test('a trigger that is gone is found', async () => {
    await someLedger();
    const db = new Database(file);
    db.exec('DROP TRIGGER transitions_keep');
    db.close();
    expect(audit().findings).toMatchObject([
      {
        fault: 'file',
        message: 'The trigger transitions_keep of the file is missing, or is not as this program makes it.',
      },
    ]);
  });

  test('holds as long as nobody has changed it', async () => {
    await someLedger();
    const { last, ...report } = audit();
    expect(report).toEqual({
      copyOf: null,
      records: 17,
      takenOut: 3,
      runs: 5,
      operations: 1,
      documents: 1,
      findings: [],
      hasMore: false,
    });
    expect(audit(file, last === null ? [] : [last]).findings).toEqual([]);
    expect(audit(file, [{ seq: 18, hash: 'a'.repeat(64) }]).findings).toMatchObject([{ seq: 18, fault: 'cut-off' }]);
    expect(readdirSync(folder)).toEqual(['ledger.sqlite']);
  });

  test.each(ON_THE_CHAIN)('%s is found first, at its number', async (_, sql, seq, fault) => {
    await someLedger();
    behind((db) => db.exec(sql));
    const { findings, records } = audit();
    expect(findings[0]).toMatchObject({ seq, fault });
    expect(records).toBeLessThan(18);
  });

  test.each(BESIDE)('%s is found, and named', async (_, sql, fault, said) => {
    await someLedger();
    behind((db) => db.pragma('foreign_keys = OFF'));
    behind((db) => db.exec(`PRAGMA foreign_keys = OFF; ${sql}`));
    const { findings, records } = audit();
    expect(records).toBe(17);
    expect(findings[0]).toMatchObject({
      fault,
      message: typeof said === 'string' ? said : (expect.stringMatching(said) as string),
    });
  });

  test('more than can be read is not told in full', async () => {
    const ledger = openSqliteLedger(file);
    for (let n = 0; n < 30; n += 1) await recordRun(ledger, n);
    ledger.close();
    behind((db) => db.exec("UPDATE runs SET subject = 'mallory'"));
    expect(audit()).toMatchObject({ hasMore: true, findings: { length: 20 } });
  });

  test('every damaged page is found, whichever it is', async () => {
    const ledger = openSqliteLedger(file);
    for (let n = 0; n < 60; n += 1) await recordRun(ledger, n);
    ledger.close();
    const whole = readFileSync(file);
    const used = new Set(behind((db) => db.prepare<[], number>('SELECT pageno FROM dbstat').pluck().all()));
    writeFileSync(file, whole);
    const step = times(5, 1);
    const missed: number[] = [];
    for (let page = 1; page < whole.length / 4096; page += step) {
      if (!used.has(page + 1)) continue;
      const spoilt = Buffer.from(whole);
      spoilt.fill(0xa5, page * 4096, page * 4096 + 64);
      const copy = path.join(folder, 'copy.sqlite');
      writeFileSync(copy, spoilt);
      try {
        if (audit(copy, [], true).findings.length === 0) missed.push(page + 1);
      } catch (error) {
        // Where the schema itself cannot be read it is no ledger any more.
        expect(error).toMatchObject({ code: 'unavailable' });
      }
    }
    expect(missed).toEqual([]);
  });

  test('a copy is not written to, whether it was made by copying the file or in any other way', async () => {
    await someLedger();
    const copy = path.join(folder, 'copy.sqlite');
    copyFileSync(file, copy);
    const before = readFileSync(copy);
    expect(audit(copy, [], true).findings).toEqual([]);
    expect(readFileSync(copy).equals(before)).toBe(true);
    const none = path.join(folder, 'none.sqlite');
    expect(() => audit(none)).toThrow(expect.objectContaining({ code: 'not-found' }) as Error);
    expect(readdirSync(folder)).not.toContain('none.sqlite');
    for (const bytes of [Buffer.alloc(0), Buffer.from('text'.repeat(2000))]) {
      writeFileSync(none, bytes);
      expect(() => audit(none, [], true)).toThrow(expect.objectContaining({ code: 'unavailable' }) as Error);
    }
  });

  test('is looked at as of one moment, however much others write', async () => {
    await someLedger();
    const ledger = openSqliteLedger(file);
    const view = openLedgerView(file, false);
    await recordRun(ledger, 7);
    expect(auditRecord(view, [])).toMatchObject({ findings: [], records: 17, runs: 5 });
    view.close();
    expect(audit()).toMatchObject({ findings: [], records: 20, runs: 6 });
    ledger.close();
  });

  test('what does not hold is not taken out with what does, so that a finding is not swept away', async () => {
    await someLedger();
    behind((db) => db.exec(`UPDATE transitions SET record = replace(record, 'alice', 'mallory') WHERE seq = 7`));
    const ledger = openSqliteLedger(file);
    const pruning = ledger.prune([1, 3, 4].map(runIdOf), operationOf(10, 'prune'));
    await expect(pruning).rejects.toMatchObject({
      code: 'record-altered',
      message: expect.stringContaining('Record 7') as string,
    });
    expect(await ledger.list({ limit: 9 })).toHaveLength(5);
    ledger.close();
    expect(audit().findings[0]).toMatchObject({ seq: 7, fault: 'edited' });
  });

  test('what was taken out is nowhere in a copy', async () => {
    const ledger = openSqliteLedger(file);
    const who = { ...queuedRun(1).who, subject: 'somebody-who-left' };
    for (let n = 0; n < 40; n += 1) await recordRun(ledger, n, n % 2 === 0 ? { who } : {});
    await ledger.prune(
      Array.from({ length: 20 }, (_, n) => runIdOf(n * 2)),
      operationOf(50, 'prune'),
    );
    const copy = path.join(folder, 'copy.sqlite');
    await ledger.copyTo(copy);
    ledger.close();
    // The file itself may have traces of it in unused places.
    expect(readFileSync(copy).includes('somebody-who-left')).toBe(false);
    expect(readFileSync(copy).includes('alice')).toBe(true);
    expect(audit(copy, [], true).findings).toEqual([]);
  });
});

describe('f2: a long chain', () => {
  const LINKS = times(20_000, 1_000_000);

  test(`of ${LINKS} links is walked in memory that does not follow its length`, async () => {
    openSqliteLedger(file).close();
    const db = new Database(file);
    const [hash, bytes] = fill(db, LINKS);
    db.close();
    // A process of its own: what it takes at most is the kernel's to say.
    const script = path.join(import.meta.dirname, '../../helpers/audit-walker.ts');
    const walk = async (
      ...args: readonly string[]
    ): Promise<{ records: number; findings: number; maxRssBytes: number; last: Anchor }> =>
      JSON.parse((await execa(process.execPath, [script, file, ...args])).stdout);
    const idle = await walk('nothing');
    const began = performance.now();
    const walked = await walk();
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    expect(walked).toMatchObject({ records: LINKS, findings: 0, last: { seq: LINKS, hash } });
    const grown = walked.maxRssBytes - idle.maxRssBytes;
    console.log(
      `f2: ${LINKS} links of ${Math.round(bytes / LINKS)} bytes, 0 findings in ${seconds} s, ${Math.round(grown / 1024 ** 2)} MiB more than a process that walks nothing`,
    );
    expect(grown).toBeLessThan(80 * 1024 ** 2);
  });
});

/** Runs that were refused: one link each. @returns the last hash, and bytes of all records */
function fill(db: Database.Database, links: number): readonly [string, number] {
  const link = db.prepare('INSERT INTO transitions VALUES (?, ?, ?, ?, ?, ?, ?)');
  const run = db.prepare(
    `INSERT INTO runs (first_seq, run_id, enqueued_at, runbook, path, rehearsal, subject, state, indexed)
     VALUES (?, ?, ?, ?, ?, 0, ?, 'refused', 'whole')`,
  );
  const append = db.prepare("SELECT sql FROM sqlite_schema WHERE name = 'transitions_append'").pluck().get();
  db.exec('DROP TRIGGER transitions_append');
  let prev = '0'.repeat(64);
  let bytes = 0;
  db.transaction(() => {
    const { seq: _, ...said } = { ...queuedRun(1), seq: 0 };
    for (let seq = 1; seq <= links; seq += 1) {
      const [runId, at] = [runIdOf(seq), timeOf(seq)];
      const refused = { ...said, runbook: { name: 'N', digest: null, path: null }, enqueuedAt: at, state: 'refused' };
      const record = JSON.stringify({ ...refused, seq, runId, at });
      const hash = chainHash(prev, record);
      bytes += record.length;
      link.run(seq, runId, 'refused', at, record, prev, hash);
      run.run(seq, runId, at, 'N', null, 'alice');
      prev = hash;
    }
  })();
  db.exec(String(append));
  return [prev, bytes];
}

describe('f3: many at once', () => {
  test(`${isLong ? '8 processes × 5,000' : '4 processes × 200'} runs: one chain, no gap`, async () => {
    const [processes, runs] = [times(4, 8), times(200, 5000)];
    const script = path.join(import.meta.dirname, '../../helpers/ledger-writer.ts');
    await Promise.all(
      Array.from({ length: processes }, (_, n) =>
        execa(process.execPath, [script, file, String(n * 10_000), String(runs)]),
      ),
    );
    expect(audit()).toMatchObject({ findings: [], records: processes * runs * 3, runs: processes * runs });
    console.log(`f3: ${processes} processes × ${runs} runs: ${processes * runs * 3} links, 0 findings`);
  });
});
