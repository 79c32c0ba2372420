/** A ledger of an older program is kept as it was and then brought forward: wholly, or not at all, whatever happens. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import Database from 'better-sqlite3';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { migrate, MIGRATIONS } from '../../../src/adapters/ledger/migrations.ts';
import { openSqliteLedger } from '../../../src/adapters/ledger/sqlite.ts';
import { openLedgerView } from '../../../src/adapters/ledger/view.ts';
import { auditRecord } from '../../../src/engine/audit.ts';
import { failureOf } from '../../helpers/failure.ts';
import { times } from '../../helpers/property.ts';
import { recordRun, runIdOf } from '../../helpers/records.ts';
import { requires } from '../../helpers/requires.ts';

const OPENER = path.join(import.meta.dirname, '../../helpers/ledger-opening-writer.ts');

let folder = '';
let file = '';
beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'migration-'));
  file = path.join(folder, 'ledger.sqlite');
  await olderLedger();
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** A real one of schema 2, with four runs. */
async function olderLedger(): Promise<void> {
  const newer = path.join(folder, 'newer.sqlite');
  const ledger = openSqliteLedger(newer);
  for (const n of [1, 2, 3, 4]) await recordRun(ledger, n);
  ledger.close();
  const db = new Database(file);
  db.pragma('journal_mode = WAL');
  migrate(db, MIGRATIONS.slice(0, 2));
  const columns = (db.pragma('table_info(runs)') as readonly { readonly name: string }[]).map(({ name }) => name);
  db.exec(`ATTACH '${newer}' AS newer;
    INSERT INTO transitions SELECT * FROM newer.transitions;
    INSERT INTO runs (${columns.join()}) SELECT ${columns.join()} FROM newer.runs;
    INSERT INTO documents SELECT * FROM newer.documents;
    DETACH newer`);
  db.close();
  rmSync(newer);
}

function schemaOf(of: string): number {
  const db = new Database(of, { readonly: true });
  try {
    return Number(db.pragma('user_version', { simple: true }));
  } finally {
    db.close();
  }
}

function holds(of: string): boolean {
  const view = openLedgerView(of, true);
  try {
    const { findings, records } = auditRecord(view, []);
    return findings.length === 0 && records === 12;
  } finally {
    view.close();
  }
}

const names = (): readonly string[] =>
  readdirSync(folder)
    .filter((name) => !/-(?:wal|shm)$/.test(name))
    .sort();

describe('a ledger of schema 2', () => {
  test('is looked at by an auditor as it is', () => {
    expect(holds(file)).toBe(true);
    expect(schemaOf(file)).toBe(2);
  });

  test('is opened with all that it holds, and kept beside, private and whole', async () => {
    const ledger = openSqliteLedger(file);
    expect((await ledger.list({ limit: 9 })).map(({ runId }) => runId)).toEqual([4, 3, 2, 1].map(runIdOf));
    await recordRun(ledger, 5);
    ledger.close();
    expect(names()).toEqual(['ledger.sqlite', 'ledger.sqlite.schema-2']);
    const kept = `${file}.schema-2`;
    expect(statSync(kept).mode & 0o777).toBe(0o600);
    expect([schemaOf(file), schemaOf(kept), holds(kept)]).toEqual([MIGRATIONS.length, 2, true]);
    openSqliteLedger(file).close();
    expect(names()).toHaveLength(2);
  });

  test('is kept once where an attempt was interrupted, and never over something else', () => {
    const before = readFileSync(file);
    openSqliteLedger(file).close();
    const kept = readFileSync(`${file}.schema-2`);
    writeFileSync(file, before);
    openSqliteLedger(file).close();
    expect(names()).toEqual(['ledger.sqlite', 'ledger.sqlite.schema-2']);
    expect(readFileSync(`${file}.schema-2`).equals(kept)).toBe(true);

    writeFileSync(file, before);
    writeFileSync(`${file}.schema-2`, 'a file of somebody');
    openSqliteLedger(file).close();
    expect(names()).toEqual(['ledger.sqlite', 'ledger.sqlite.schema-2', 'ledger.sqlite.schema-2.2']);
    expect(readFileSync(`${file}.schema-2`, 'utf8')).toBe('a file of somebody');
    expect(holds(`${file}.schema-2.2`)).toBe(true);
  });

  test('is brought forward once by processes that start at the same time', async () => {
    await Promise.all(Array.from({ length: 4 }, () => execa(process.execPath, [OPENER, file], { timeout: 60_000 })));
    expect(names()).toEqual(['ledger.sqlite', 'ledger.sqlite.schema-2']);
    expect([schemaOf(file), holds(file), holds(`${file}.schema-2`)]).toEqual([MIGRATIONS.length, true, true]);
  });

  test('for which nothing can be kept is refused in one sentence, and nothing is changed', async () => {
    const before = readFileSync(file);
    // A folder where the copy is to be made: not even an administrator can write it as a file.
    const draft = path.join(`${file}.schema-2.new`, 'in the way');
    mkdirSync(draft, { recursive: true });
    expect(await failureOf(() => openSqliteLedger(file).close())).toMatchObject({
      code: 'io',
      message: expect.stringMatching(/older version and could not be kept/) as string,
      fix: expect.stringContaining('Nothing was changed.') as string,
    });
    expect(readFileSync(file).equals(before)).toBe(true);
    expect(existsSync(`${file}.schema-2`)).toBe(false);
  });

  test.skipIf(!requires('unshare', '-rm', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'))(
    'on a disk without room for it is refused, and nothing is changed (needs unshare of util-linux)',
    async () => {
      const size = statSync(file).size;
      const script = [
        `mount -t tmpfs -o size=${Math.ceil((size * 1.6) / 4096) * 4}k tmpfs disk`,
        'cp ledger.sqlite disk/',
        `"$0" "$1" disk/ledger.sqlite; echo "ended $?"`,
        'cmp ledger.sqlite disk/ledger.sqlite && ls disk',
      ].join(' && ');
      mkdirSync(path.join(folder, 'disk'));
      const { stdout } = await execa('unshare', ['-rm', 'bash', '-c', script, process.execPath, OPENER], {
        cwd: folder,
        reject: false,
      });
      expect(stdout).toMatch(/^io: .* could not be kept before it is changed: .*\nended 1\nledger\.sqlite\n?/);
      expect(stdout).not.toContain('schema-2.new');
    },
  );

  test.skipIf(!requires('strace'))(
    'that is killed at any system call of it is of one schema or the other, and whole (needs strace)',
    async () => {
      const before = readFileSync(file);
      const calls = 'pwrite64,fsync,fdatasync,link,linkat,unlink,ftruncate';
      const seen = new Set<string>();
      const step = times(4, 1);
      let kills = 0;
      for (let at = 1; ; at += step) {
        for (const name of readdirSync(folder)) rmSync(path.join(folder, name), { recursive: true });
        writeFileSync(file, before);
        const inject = `inject=${calls}:signal=KILL:when=${at}`;
        const traced = [
          '-f',
          '-qq',
          '-e',
          `trace=${calls}`,
          '-e',
          inject,
          '-o',
          '/dev/null',
          process.execPath,
          OPENER,
          file,
        ];
        const { exitCode } = await execa('strace', traced, { reject: false, timeout: 60_000 });
        if (exitCode === 0) break;
        kills += 1;
        const kept = names().filter((name) => /schema-2(?:\.\d)?$/.test(name));
        expect(kept.map((name) => holds(path.join(folder, name)))).toEqual(kept.map(() => true));
        openSqliteLedger(file).close();
        expect([schemaOf(file), holds(file)]).toEqual([MIGRATIONS.length, true]);
        expect(names()).toEqual(['ledger.sqlite', 'ledger.sqlite.schema-2']);
        expect(holds(`${file}.schema-2`)).toBe(true);
        seen.add(kept.length === 0 ? 'before the copy' : 'behind the copy');
      }
      console.log(`migration: killed at ${kills} system calls, nothing lost`);
      expect([...seen].sort()).toEqual(['before the copy', 'behind the copy']);
    },
  );
});
