import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { MIGRATIONS, migrate } from '../../src/adapters/ledger/migrations.ts';
import { openSqliteLedger } from '../../src/adapters/ledger/sqlite.ts';
import { openLedgerView } from '../../src/adapters/ledger/view.ts';
import type { ChainLink } from '../../src/core/chain.ts';
import { verifyChain } from '../../src/core/chain.ts';
import { failureOf } from '../helpers/failure.ts';
import { times } from '../helpers/property.ts';
import {
  DOCUMENT,
  interruptionOf,
  operationOf,
  OWNER,
  queuedRun,
  REAPER,
  resultOf,
  runIdOf,
  timeOf,
} from '../helpers/records.ts';
import { requires } from '../helpers/requires.ts';
import { careContract } from './care.contract.ts';
import { operationsContract } from './operations.contract.ts';
import { ledgerContract } from './ledger.contract.ts';
import type { LedgerUnderTest } from './ledger.contract.ts';
import { requestsContract } from './requests.contract.ts';
import { reportsContract } from './reports.contract.ts';
import { upkeepContract } from './upkeep.contract.ts';

const WRITER = join(import.meta.dirname, '../helpers/ledger-writer.ts');

let folder = '';
let path = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ledger-'));
  path = join(folder, 'state', 'runbook', 'ledger.db');
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Looks into the file, or changes it, past the ledger. */
function behind<T>(work: (db: Database.Database) => T): T {
  const db = new Database(path);
  try {
    return work(db);
  } finally {
    db.close();
  }
}

const writers = async (processes: number, runs: number): Promise<void> => {
  await Promise.all(
    Array.from({ length: processes }, (_, n) =>
      execa(process.execPath, [WRITER, path, String(n * 1000), String(runs)], { timeout: 100_000 }),
    ),
  );
};

const underTest = (): LedgerUnderTest => ({
  open: (isGone) => openSqliteLedger(path, isGone),
  view: (copy) => openLedgerView(copy ?? path, copy !== undefined),
  elsewhere: () => join(folder, 'elsewhere.sqlite'),
  writeFromProcesses: writers,
  verify: () =>
    behind((db) =>
      verifyChain(
        db
          .prepare<[], ChainLink>('SELECT seq, run_id AS runId, state, at, record, prev, hash FROM transitions')
          .iterate(),
      ),
    ),
  pause: (reason) =>
    behind((db) => db.prepare("INSERT INTO switches VALUES ('paused', ?, 'bob', ?)").run(timeOf(0), reason)),
  countDocuments: () => behind((db) => db.prepare<[], number>('SELECT count(*) FROM documents').pluck().get() ?? -1),
});
ledgerContract('sqlite', underTest);
operationsContract('sqlite', underTest);
requestsContract('sqlite', underTest);
careContract('sqlite', (gone) => openSqliteLedger(path, ({ pid }) => gone.has(pid)));
reportsContract('sqlite', underTest);
upkeepContract('sqlite', underTest);

/** Fills the beginnings of all pages of these tables with rubbish. */
function spoilPages(file: string, tables: readonly string[]): void {
  const pages = behind((db) =>
    tables.flatMap((table) =>
      db.prepare<[string], number>('SELECT pageno FROM dbstat WHERE name = ?').pluck().all(table),
    ),
  );
  const bytes = readFileSync(file);
  for (const page of pages) bytes.fill(0xa5, (page - 1) * 4096, (page - 1) * 4096 + 200);
  writeFileSync(file, bytes);
}

const opening = (): Promise<unknown> => failureOf(() => openSqliteLedger(path).close());

describe.skipIf(!requires('unshare', '-rm', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'))(
  'the disk of the ledger (needs unshare of util-linux)',
  () => {
    test('has room for the ends of runs when there is one page left of it', async () => {
      const script = join(import.meta.dirname, '../helpers/full-disk-writer.ts');
      const { stdout, stderr } = await execa(
        'unshare',
        ['-rm', 'sh', '-c', 'mount -t tmpfs -o size=8m tmpfs "$1" && "$2" "$3" "$1/state/l.sqlite" 1', 'sh'].concat([
          folder,
          process.execPath,
          script,
        ]),
      );
      expect({ stdout, stderr }).toEqual({ stdout: 'finished interrupted', stderr: '' });
    });
  },
);

describe('the file of the ledger', () => {
  test('is private, in a private folder, and leaves nothing beside it', () => {
    const ledger = openSqliteLedger(path);
    const parent = join(folder, 'state', 'runbook');
    expect(statSync(parent).mode & 0o777).toBe(0o700);
    expect(readdirSync(parent).sort()).toEqual(['ledger.db', 'ledger.db-shm', 'ledger.db-wal']);
    expect(readdirSync(parent).map((name) => statSync(join(parent, name)).mode & 0o777)).toEqual([0o600, 0o600, 0o600]);
    ledger.close();
    expect(readdirSync(parent)).toEqual(['ledger.db']);
  });

  test('is made once by processes that start at the same time', async () => {
    await writers(4, 1);
    expect(behind((db) => db.prepare('SELECT count(*) FROM runs').pluck().get())).toBe(4);
    expect(readdirSync(join(folder, 'state', 'runbook'))).toEqual(['ledger.db']);
  });

  test.each([
    ['changed', "UPDATE transitions SET state = 'finished'"],
    ['deleted', 'DELETE FROM transitions'],
    [
      'replaced',
      "INSERT OR REPLACE INTO transitions SELECT seq, run_id, 'finished', at, record, prev, hash FROM transitions",
    ],
    ['appended out of order', "INSERT INTO transitions VALUES (9, 'x', 'queued', '', '{}', '', '')"],
  ])('does not let a transition be %s', async (_, sql) => {
    const ledger = openSqliteLedger(path);
    await ledger.enqueue(queuedRun(1), OWNER, DOCUMENT);
    ledger.close();
    expect(() => behind((db) => db.exec(sql))).toThrow(/transitions are/);
  });

  test('has nothing left of the reason of a cancel when the run has ended, in no unused place either', async () => {
    const ledger = openSqliteLedger(path);
    const [first, last] = [1, times(40, 400)];
    for (let n = first; n <= last; n += 1) {
      await ledger.enqueue(queuedRun(n), OWNER, DOCUMENT);
      await ledger.begin(runIdOf(n), { startedAt: timeOf(n), containment: REAPER }, null);
    }
    for (let n = first; n <= last; n += 1) {
      const reason = `${'told in a hurry '.repeat(20)}${n}`;
      await ledger.requestCancel(runIdOf(n), operationOf(n, 'cancel', { run: runIdOf(n), reason }));
      if (n % 3 === 0) await ledger.interrupt(runIdOf(n), interruptionOf(n));
      else await ledger.finish(runIdOf(n), resultOf(n, { outcome: 'canceled' }));
    }
    ledger.close();
    expect(readFileSync(path).includes('a hurry')).toBe(false);
  });

  test('keeps the owner of a run for recovery', async () => {
    const ledger = openSqliteLedger(path);
    await ledger.enqueue(queuedRun(1), OWNER, DOCUMENT);
    ledger.close();
    expect(behind((db) => db.prepare('SELECT boot_id, pid_ns, pid, start_time, host FROM runs').get())).toEqual({
      boot_id: OWNER.bootId,
      pid_ns: OWNER.pidNamespace,
      pid: OWNER.pid,
      start_time: OWNER.startTime,
      host: OWNER.host,
    });
  });

  test.each<[what: string, disturb: () => void, undo: () => void]>([
    ['removed', () => renameSync(path, `${path}.away`), () => renameSync(`${path}.away`, path)],
    [
      'replaced by a copy',
      () => {
        renameSync(path, `${path}.away`);
        copyFileSync(`${path}.away`, path);
      },
      () => renameSync(`${path}.away`, path),
    ],
  ])('takes no transition while it is %s, and says so', async (_, disturb, undo) => {
    const ledger = openSqliteLedger(path);
    await ledger.enqueue(queuedRun(1), OWNER, DOCUMENT);
    disturb();
    await expect(ledger.finish(runIdOf(1), resultOf(1))).rejects.toMatchObject({
      code: 'io',
      message: expect.stringContaining('was removed or replaced') as unknown,
    });
    await expect(ledger.enqueue(queuedRun(2), OWNER, DOCUMENT)).rejects.toMatchObject({ code: 'io' });
    undo();
    expect(await ledger.get(runIdOf(1))).toMatchObject({ state: 'queued' });
    await ledger.finish(runIdOf(1), resultOf(1));
    ledger.close();
    expect(behind((db) => db.prepare('SELECT state FROM runs').pluck().all())).toEqual(['finished']);
  });

  test('of a newer program is refused and left as it is', async () => {
    openSqliteLedger(path).close();
    behind((db) => db.pragma(`user_version = ${MIGRATIONS.length + 1}`));
    const before = readFileSync(path);
    expect(await opening()).toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('newer version of runbook') as unknown,
    });
    expect(readFileSync(path)).toEqual(before);
  });

  test('of an older program is taken forward with what it holds, in one step or not at all', async () => {
    const ledger = openSqliteLedger(path);
    await ledger.enqueue(queuedRun(1), OWNER, DOCUMENT);
    ledger.close();
    const version = (): unknown => behind((db) => db.pragma('user_version', { simple: true }));
    const next = [...MIGRATIONS, 'ALTER TABLE runs ADD COLUMN lease TEXT'];

    expect(() => behind((db) => migrate(db, [...next, 'SELECT * FROM nowhere']))).toThrow(/nowhere/);
    expect(version()).toBe(MIGRATIONS.length);
    expect(
      behind((db) =>
        db
          .prepare('SELECT * FROM runs')
          .columns()
          .map(({ name }) => name),
      ),
    ).not.toContain('lease');

    behind((db) => migrate(db, next));
    expect(version()).toBe(next.length);
    expect(behind((db) => db.prepare('SELECT run_id, lease FROM runs').get())).toEqual({
      run_id: runIdOf(1),
      lease: null,
    });
  });

  test('of the first schema keeps its runs, with the document that each is of', async () => {
    const current = join(folder, 'current.db');
    const before = openSqliteLedger(current);
    const elsewhere = { ...queuedRun(2).runbook, path: '/elsewhere.md' };
    await before.enqueue(queuedRun(1), OWNER, DOCUMENT);
    await before.enqueue(queuedRun(2, { runbook: elsewhere }), OWNER, DOCUMENT);
    const late = { rehearsal: true, runbook: elsewhere, enqueuedAt: timeOf(0) };
    await before.enqueue(queuedRun(3, late), OWNER, DOCUMENT);
    for (const n of [1, 2, 3]) await before.begin(runIdOf(n), { startedAt: timeOf(n), containment: REAPER }, null);
    before.close();
    mkdirSync(dirname(path), { recursive: true });
    const columns =
      'first_seq, run_id, enqueued_at, started_at, runbook, subject, state, boot_id, pid_ns, pid, start_time, host';
    behind((db) => {
      migrate(db, MIGRATIONS.slice(0, 1));
      db.exec(`ATTACH '${current}' AS current;
        INSERT INTO transitions SELECT * FROM current.transitions;
        INSERT INTO runs (${columns}) SELECT ${columns} FROM current.runs;
        INSERT INTO documents SELECT * FROM current.documents`);
    });

    const after = openSqliteLedger(path);
    const listed = await after.list({ path: '/elsewhere.md', incomplete: true, limit: 9 });
    expect(listed.map(({ runId }) => runId)).toEqual([runIdOf(2)]);
    const since = await after.list({ since: timeOf(0), limit: 9 });
    expect(since.map(({ runId }) => runId)).toEqual([runIdOf(3), runIdOf(2), runIdOf(1)]);
    await after.enqueue(queuedRun(4, { runbook: elsewhere }), OWNER, DOCUMENT);
    const begin = after.begin(runIdOf(4), { startedAt: timeOf(4), containment: REAPER }, 1);
    await expect(begin).rejects.toMatchObject({ code: 'busy' });
    after.close();
  });

  test.each([
    ['empty', Buffer.alloc(0)],
    ['text', Buffer.from('not a database, but long enough to look like one\n'.repeat(100))],
    ['zeros', Buffer.alloc(8192)],
  ])('that is %s is refused and never replaced', async (_, bytes) => {
    openSqliteLedger(path).close();
    writeFileSync(path, bytes);
    expect(await opening()).toMatchObject({ code: 'unavailable', fix: expect.stringContaining('backup') as unknown });
    expect(readFileSync(path)).toEqual(bytes);
  });

  test('of another program is refused', async () => {
    openSqliteLedger(path).close();
    behind((db) => db.pragma('application_id = 0'));
    expect(await opening()).toMatchObject({ code: 'unavailable' });
  });

  test('whose pages are damaged says so when they are read', async () => {
    const ledger = openSqliteLedger(path);
    for (let n = 0; n < 50; n += 1) await ledger.enqueue(queuedRun(n), OWNER, DOCUMENT);
    ledger.close();
    spoilPages(path, ['transitions', 'runs']);
    const damaged = openSqliteLedger(path);
    await expect(damaged.list({ limit: 10 })).rejects.toMatchObject({ code: 'unavailable' });
    await expect(damaged.enqueue(queuedRun(99), OWNER, DOCUMENT)).rejects.toMatchObject({ code: 'unavailable' });
    damaged.close();
  });

  test('that cannot be made is an error with the path and what to do', async () => {
    writeFileSync(join(folder, 'state'), 'a file where the folder should be');
    expect(await opening()).toMatchObject({
      code: 'io',
      message: `${join(folder, 'state')} is a file and not a folder, so there is no ledger in it.`,
      fix: expect.stringContaining('--state-dir') as unknown,
    });
    expect(readFileSync(join(folder, 'state'), 'utf8')).toContain('a file where');
  });

  test('that another process keeps locked makes a transition wait, then say busy', async () => {
    const ledger = openSqliteLedger(path);
    const holder = new Database(path);
    holder.exec('BEGIN IMMEDIATE');
    await expect(ledger.enqueue(queuedRun(1), OWNER, DOCUMENT)).rejects.toMatchObject({ code: 'busy' });
    holder.exec('ROLLBACK');
    holder.close();
    await ledger.enqueue(queuedRun(1), OWNER, DOCUMENT);
    ledger.close();
  });
});
