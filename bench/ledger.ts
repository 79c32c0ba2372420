/** What is asked of a ledger of many runs, against the bare query in the same file; its size, a run; and its memory. */
import Database from 'better-sqlite3';
import { hash } from 'node:crypto';
import { mkdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { openSqliteLedger } from '../src/adapters/ledger/sqlite.ts';
import { openLedgerView } from '../src/adapters/ledger/view.ts';
import { verifyChain } from '../src/core/chain.ts';
import type { RunFilter, RunLedger } from '../src/core/ports.ts';
import type { StoredRun } from '../src/core/run.ts';
import { auditRecord } from '../src/engine/audit.ts';
import { BIN, peakOf, withHome } from './home.ts';
import type { Home } from './home.ts';
import { COMMON, makeLedger, RARE } from './ledger-maker.ts';
import type { Made } from './ledger-maker.ts';
import { compare, table } from './measure.ts';
import type { Candidate } from './measure.ts';

const RUNS = 100_000;
const LIMIT = 50;
const MONTH = { since: '2024-06-01T00:00:00.000Z', until: '2024-07-01T00:00:00.000Z' };
const ROUNDS = { rounds: 30, budgetMs: 20_000 };

/** One question: as the program asks it, and in SQL, with the records that have to be read in any case. */
interface Question {
  readonly name: string;
  readonly ask: (ledger: RunLedger) => Promise<number>;
  readonly bare: (db: Database.Database) => number;
}

export async function benchLedger(runs = RUNS): Promise<void> {
  await withHome(async (home) => {
    const folder = path.join(home.folder, 'state');
    mkdirSync(folder);
    const file = path.join(folder, 'ledger.sqlite');
    const began = performance.now();
    const made = await makeLedger(file, runs);
    const seconds = (performance.now() - began) / 1000;
    console.log(`\nA ledger of ${runs} runs, made in ${seconds.toFixed(0)} s`);
    const db = new Database(file, { readonly: true });
    const ledger = openSqliteLedger(file);
    try {
      sizes(db, runs);
      await compareQuestions(questionsOf(made), ledger, db);
      readWhole(ledger, db);
    } finally {
      ledger.close();
      db.close();
    }
    console.log(`\nPeak memory of this process: ${ownPeak()} MiB`);
    await compareCommands(home, folder, made);
  });
}

function questionsOf({ runId, incident, runbook, subject }: Made): readonly Question[] {
  const list = (name: string, filter: Omit<RunFilter, 'limit'>, where: string): Question => ({
    name,
    ask: async (ledger) => (await ledger.list({ ...filter, limit: LIMIT })).length,
    bare: bareQuestion(`SELECT run_id FROM runs ${where} LIMIT ${LIMIT}`, bindable(filter)),
  });
  const search = (name: string, text: string, filter: Omit<RunFilter, 'limit'> = {}): Question => ({
    name: `output with ${name}`,
    ask: async (ledger) => await counted(ledger.searchOutput(text, { ...filter, limit: LIMIT })),
    bare: bareQuestion(
      `SELECT run_id FROM output_text JOIN runs ON first_seq = output_text.rowid
       WHERE output_text MATCH @match ${filter.subject === undefined ? '' : 'AND subject = @subject'}
       ORDER BY output_text.rowid DESC LIMIT ${LIMIT}`,
      { ...bindable(filter), match: groupsOf(text) },
    ),
  });
  const inMonth = 'enqueued_at >= @since AND enqueued_at < @until';
  return [
    list('last 50', {}, 'ORDER BY first_seq DESC'),
    list('of a subject', { subject }, 'WHERE subject = @subject ORDER BY first_seq DESC'),
    list('of an incident', { incident }, 'WHERE incident = @incident ORDER BY first_seq DESC'),
    list('of a month', MONTH, `WHERE late = 0 AND ${inMonth} ORDER BY enqueued_at DESC`),
    list(
      'failed, of a runbook, in a month',
      { ...MONTH, runbook, outcomes: ['failed'] },
      `WHERE runbook = @runbook AND outcome = 'failed' AND rehearsal = 0 AND ${inMonth} ORDER BY first_seq DESC`,
    ),
    list(
      'failed',
      { outcomes: ['failed'] },
      "WHERE outcome <> 'succeeded' AND outcome = 'failed' AND rehearsal = 0 ORDER BY first_seq DESC",
    ),
    list(
      'failed, timed out or interrupted',
      { outcomes: ['failed', 'timed-out', 'interrupted'] },
      `WHERE outcome IN ('failed', 'timed-out') AND rehearsal = 0 OR state = 'interrupted'
       ORDER BY first_seq DESC`,
    ),
    list(
      'interrupted',
      { outcomes: ['interrupted'] },
      "WHERE state <> 'finished' AND state = 'interrupted' ORDER BY first_seq DESC",
    ),
    list(
      'interrupted, of a subject',
      { outcomes: ['interrupted'], subject },
      "WHERE state = 'interrupted' AND subject = @subject ORDER BY first_seq DESC",
    ),
    list(
      'with an outcome that never was',
      { outcomes: ['limit-exceeded'] },
      "WHERE outcome <> 'succeeded' AND outcome = 'limit-exceeded' ORDER BY first_seq DESC",
    ),
    search('a rare text', RARE.text),
    search('a common text', COMMON),
    search('a common text, of a subject', COMMON, { subject }),
    search('a text that is nowhere', 'xyzzy-plugh'),
    {
      name: 'one run',
      ask: async (ledger) => Number((await ledger.get(runId)) !== null),
      bare: bareQuestion(`SELECT '${runId}'`, {}),
    },
    {
      name: 'under way',
      ask: async (ledger) => (await ledger.underWay()).length,
      bare: bareQuestion("SELECT run_id FROM runs WHERE state <> 'finished' AND state IN ('queued', 'started')", {}),
    },
    {
      name: 'entries to be written',
      ask: async (ledger) => (await ledger.pendingEntries(10)).length,
      bare: bareQuestion("SELECT run_id FROM runs WHERE entry = 'pending' LIMIT 10", {}),
    },
  ];
}

/** As many as are shown at once. */
async function counted(runs: AsyncIterable<StoredRun>): Promise<number> {
  let count = 0;
  for await (const _run of runs) {
    count += 1;
    if (count === LIMIT) break;
  }
  return count;
}

/** SQLite takes no lists. */
function bindable(filter: Omit<RunFilter, 'limit'>): object {
  return Object.fromEntries(Object.entries(filter).filter(([name]) => name !== 'outcomes'));
}

function bareQuestion(ids: string, values: object): (db: Database.Database) => number {
  return (db) => db.prepare<[object]>(`SELECT record FROM transitions WHERE run_id IN (${ids})`).all(values).length;
}

function groupsOf(text: string): string {
  return Array.from({ length: text.length - 2 }, (_, at) => `"${text.slice(at, at + 3)}"`).join(' AND ');
}

async function compareQuestions(
  questions: readonly Question[],
  ledger: RunLedger,
  db: Database.Database,
): Promise<void> {
  const candidates = questions.flatMap(({ name, ask, bare }): readonly Candidate[] => [
    { name: `bare: ${name}`, run: async () => void bare(db) },
    { name, against: [[`bare: ${name}`]], run: async () => void (await ask(ledger)) },
  ]);
  await compare(`Asking inside the process, at most ${LIMIT} runs`, candidates, ROUNDS);
  const counts = await Promise.all(questions.map(async ({ name, ask }) => [name, String(await ask(ledger))]));
  table('Found', ['', 'runs'], counts);
}

/** Once: it takes a while. In seconds of the processor, so that what others do counts less. */
function readWhole(ledger: RunLedger, db: Database.Database): void {
  const seconds = (work: () => unknown): number => {
    const began = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(began);
    return (user + system) / 1e6;
  };
  const records = 'SELECT prev || char(10) || record AS text FROM transitions ORDER BY seq';
  const bare = seconds(() => {
    for (const _record of db.prepare('SELECT record FROM transitions ORDER BY seq').iterate());
  });
  const floor = seconds(() => {
    for (const { text } of db.prepare<[], { text: string }>(records).iterate()) hash('sha256', text);
    db.pragma('integrity_check');
  });
  const verified = seconds(() => {
    if (verifyChain(ledger.links()) !== null) throw new Error('the chain does not hold');
  });
  const audited = seconds(() => {
    const view = openLedgerView(db.name, true);
    const { findings } = auditRecord(view, []);
    view.close();
    if (findings.length > 0) throw new Error(findings[0]?.message);
  });
  const ratio = (of: number, to: number): string => `${(of / to).toFixed(1)}×`;
  table(
    'All of it, once',
    ['', 'seconds', 'ratio', 'to'],
    [
      ['bare: every record', bare.toFixed(1)],
      ['bare: every record hashed, SQLite checks the file', floor.toFixed(1)],
      ['the chain is verified', verified.toFixed(1), ratio(verified, bare), 'bare: every record'],
      ['audit verify', audited.toFixed(1), ratio(audited, floor), 'bare: every record hashed, SQLite checks the file'],
    ],
  );
}

/** Of the file, by what it is for. */
function sizes(db: Database.Database, runs: number): void {
  const rows = db
    .prepare<[], { name: string; bytes: number }>(
      'SELECT name, sum(pgsize) AS bytes FROM dbstat WHERE aggregate = TRUE GROUP BY name',
    )
    .all();
  const kinds = new Map<string, number>();
  for (const { name, bytes } of rows) kinds.set(kindOf(name), (kinds.get(kindOf(name)) ?? 0) + bytes);
  const all = statSync(db.name).size;
  table(
    'Size of the ledger',
    ['', 'MiB', 'bytes a run'],
    [...kinds, ['all', all] as const].map(([kind, bytes]) => [
      kind,
      (bytes / 1024 ** 2).toFixed(1),
      (bytes / runs).toFixed(0),
    ]),
  );
}

function kindOf(name: string): string {
  if (name.startsWith('output_text')) return 'index of outputs';
  if (name.startsWith('runs_') || name === 'sqlite_autoindex_runs_1') return 'indexes of runs';
  if (name === 'transitions' || name === 'runs' || name === 'documents') return name;
  return name === 'transitions_of_run' ? 'index of transitions' : 'others';
}

/** Whole commands, as a user starts them, and a process that does nothing but the bare query. */
async function compareCommands(home: Home, folder: string, { runId, subject }: Made): Promise<void> {
  const driver = pathToFileURL(path.resolve(import.meta.dirname, '../node_modules/better-sqlite3/lib/index.js')).href;
  const bare = (ids: string): readonly string[] => [
    '--input-type=module',
    '-e',
    `import Database from '${driver}';
     const db = new Database('${path.join(folder, 'ledger.sqlite')}', { readonly: true });
     db.prepare("SELECT record FROM transitions WHERE run_id IN (${ids})").all();`,
  ];
  const command = (...args: readonly string[]): readonly string[] => ['--', BIN, ...args, '--state-dir', folder];
  const newest = `ORDER BY first_seq DESC LIMIT ${LIMIT}`;
  const pairs = [
    {
      name: `runbook history --limit ${LIMIT}`,
      ours: command('history', '--limit', String(LIMIT)),
      floor: bare(`SELECT run_id FROM runs ${newest}`),
    },
    {
      name: 'runbook history --subject …',
      ours: command('history', '--subject', subject, '--limit', String(LIMIT)),
      floor: bare(`SELECT run_id FROM runs WHERE subject = '${subject}' ${newest}`),
    },
    { name: 'runbook history RUN', ours: command('history', runId), floor: bare(`SELECT '${runId}'`) },
  ];
  const peaks = new Map<string, () => number>();
  const candidates = pairs.flatMap(({ name, ours, floor }): readonly Candidate[] => {
    const node = (label: string, args: readonly string[]) => {
      const { env, peakMib } = peakOf(home, label);
      peaks.set(label, peakMib);
      return async (): Promise<void> => await home.node(args, env);
    };
    return [
      { name: `bare: ${name}`, run: node(`bare: ${name}`, floor) },
      { name, against: [[`bare: ${name}`]], run: node(name, ours) },
    ];
  });
  await compare('The same as commands', candidates, { rounds: 15, budgetMs: 15_000 });
  table(
    'Peak memory',
    ['', 'MiB'],
    [...peaks].map(([name, peakMib]) => [name, peakMib().toFixed(0)]),
  );
}

function ownPeak(): string {
  return (process.resourceUsage().maxRSS / 1024).toFixed(0);
}
