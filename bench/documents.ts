/** Documents with a long history, many documents, and one record more in the ledger. */
import Database from 'better-sqlite3';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createMarkdownHistory } from '../src/adapters/document-history/markdown-file.ts';
import { openSqliteLedger } from '../src/adapters/ledger/sqlite.ts';
import { createFolderSource } from '../src/adapters/source/folder.ts';
import { stampOf } from '../src/adapters/system/stamp.ts';
import { renderEntry } from '../src/core/history/document-entry.ts';
import type { DocumentEntry } from '../src/core/history/document-entry.ts';
import { parseRunbook } from '../src/core/parse/parse.ts';
import { entryOf } from '../test/helpers/entries.ts';
import { BIN, runbook, withHome } from './home.ts';
import type { Home } from './home.ts';
import { documentOf, makeLedger, OWNER, recordOf } from './ledger-maker.ts';
import { compare } from './measure.ts';
import type { Candidate } from './measure.ts';

const MANY = 10_000;
const LONG = 10_000_000;
const ROUNDS = { rounds: 100, budgetMs: 10_000 };
const PER_ROUND = 5;

export async function benchDocuments(): Promise<void> {
  await withHome(async (home) => {
    await longHistory(home);
    await manyRunbooks(home);
    await oneRecordMore(home);
  });
}

async function longHistory(home: Home): Promise<void> {
  // 28,000 runs that printed nothing, so nothing can be leapt over; and 6,500 that printed a little more than 1 KiB.
  const entry = entryOf({});
  const printing = entryOf({ stdout: Buffer.from('what a script prints\n'.repeat(55)) });
  const text = (bytes: number, of: DocumentEntry): string => {
    const one = `\n${renderEntry(of)}`;
    return runbook('Long', 'echo hi') + one.repeat(Math.ceil(bytes / one.length));
  };
  const places = new Map([
    ['10 KB', home.write('short/Long.md', text(10_000, entry))],
    ['10 MB', home.write('long/Long.md', text(LONG, entry))],
    ['10 MB with output', home.write('printing/Long.md', text(LONG, printing))],
  ]);
  const source = createFolderSource({ folder: home.folder, cwd: home.folder });
  const history = createMarkdownHistory({ ci: false });
  const pair = (what: string, work: (file: string) => Promise<void>): readonly Candidate[] =>
    [...places].map(([size, file], index) => ({
      name: `${what} (${size})`,
      against: index === 0 ? [] : [[`${what} (10 KB)`, 1.2]],
      run: async () => {
        for (let n = 0; n < PER_ROUND; n += 1) await work(file);
      },
    }));
  await compare(
    `A document with a long history (${PER_ROUND} times)`,
    [
      ...pair('open', async (file) => {
        const { bytes, fileName } = await source.load(file);
        if (parseRunbook(bytes, { fileName }).runbook === null) throw new Error('it is not valid');
      }),
      ...pair('append an entry', async (file) => {
        const stamp = stampOf(statSync(file, { bigint: true }));
        await history.append({ path: file, hasHistory: true, stamp }, entry);
      }),
    ],
    ROUNDS,
  );
  // What a person waits for.
  const command = (size: string): readonly Candidate[] => [
    {
      name: `runbook show --summary (${size})`,
      against: size === '10 KB' ? [] : [['runbook show --summary (10 KB)', 1.2]],
      run: async () => await home.node(['--', BIN, 'show', '--summary', places.get(size) ?? '']),
    },
  ];
  await compare('The same as a command', [...places.keys()].flatMap(command), { rounds: 15, budgetMs: 15_000 });
}

async function manyRunbooks(home: Home): Promise<void> {
  const folder = path.join(home.folder, 'many');
  mkdirSync(folder);
  const filler = `${'It does what it says, and it says what it does. '.repeat(40)}\n`;
  for (let n = 0; n < MANY; n += 1)
    writeFileSync(path.join(folder, `Number${n}.md`), runbook(`Number${n}`, `echo ${n}`, filler));
  const source = createFolderSource({ folder, cwd: folder });
  await compare(
    `${MANY} runbooks of 2 KB in a folder`,
    [
      {
        name: 'every file read',
        run: async () => {
          for (const name of readdirSync(folder)) readFileSync(path.join(folder, name));
        },
      },
      {
        name: 'every runbook loaded',
        against: [['every file read']],
        run: async () => {
          for (const found of await source.list())
            if (found.bytes === null) throw new Error(`${found.fileName} cannot be read`);
        },
      },
      {
        name: 'every runbook loaded and read as such',
        against: [['every file read', 3]],
        run: async () => {
          for (const found of await source.list())
            if (found.bytes === null || parseRunbook(found.bytes, { fileName: found.fileName }).runbook === null)
              throw new Error(`${found.fileName} is not valid`);
        },
      },
    ],
    { rounds: 9, budgetMs: 30_000 },
  );
}

/** The rows that a run brings when it is accepted, in the same schema, with the same durability; and through the ledger. */
async function oneRecordMore(home: Home): Promise<void> {
  const files = ['own', 'bare'].map((name) => path.join(home.folder, `${name}.sqlite`)) as [string, string];
  for (const file of files) await makeLedger(file, 1000);
  const ledger = openSqliteLedger(files[0]);
  const db = new Database(files[1]);
  try {
    db.pragma('synchronous = FULL');
    const sampleOf = (sql: string) => db.prepare<[], Record<string, unknown>>(sql).get() ?? {};
    const transition = sampleOf("SELECT * FROM transitions WHERE state = 'queued' ORDER BY seq DESC LIMIT 1");
    const row = sampleOf('SELECT * FROM runs ORDER BY first_seq DESC LIMIT 1');
    const insert = (table: string, sample: object) =>
      db.prepare(
        `INSERT INTO ${table} (${Object.keys(sample).join()}) VALUES (${Object.keys(sample)
          .map((name) => `@${name}`)
          .join()})`,
      );
    const [addTransition, addRun] = [insert('transitions', transition), insert('runs', row)];
    let seq = Number(db.prepare('SELECT max(seq) FROM transitions').pluck().get());
    const bare = db.transaction((id: string) => {
      seq += 1;
      addTransition.run({ ...transition, seq, run_id: id });
      addRun.run({ ...row, first_seq: seq, run_id: id });
    });
    let n = 0;
    const id = (): string => `01${String((n += 1)).padStart(24, '0')}`;
    const document = documentOf(1);
    const change = {
      subject: 'user-001@example.org',
      incident: null,
      rehearsal: false,
      historyMode: 'ledger',
    } as const;
    await compare(
      `A run is accepted: one record in the ledger (${PER_ROUND} times; 0.8 of the inserts per second is 1.25 of the time)`,
      [
        {
          name: 'bare: the same rows',
          run: async () => {
            for (let at = 0; at < PER_ROUND; at += 1) bare.immediate(id());
          },
        },
        {
          name: 'enqueue',
          against: [['bare: the same rows', 1.25]],
          run: async () => {
            for (let at = 0; at < PER_ROUND; at += 1) await enqueue();
          },
        },
      ],
      ROUNDS,
    );
    async function enqueue(): Promise<void> {
      const record = { ...recordOf(1, Date.UTC(2026, 0, 2), document, change), runId: id() };
      await ledger.enqueue(record, OWNER, document.text, '2030-01-01T00:00:00.000Z');
    }
  } finally {
    db.close();
    ledger.close();
  }
}
