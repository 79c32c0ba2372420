/** What lies beside the chain, against the chain: lists for queries, texts of documents, the switch, the file itself. */
import type Database from 'better-sqlite3';
import type { Finding } from '../../core/ports.ts';
import type { RunRecord, RunState } from '../../core/run.ts';
import { isLegalTransition } from '../../core/run-state.ts';
import { changedSchema } from './schema.ts';
import { unpack } from './documents.ts';
import { sha256 } from './transitions.ts';

type Row = Readonly<Record<string, unknown>>;
type Link = { readonly seq: number; readonly state: RunState; readonly record: string };

/** @param schema how many migrations the file has taken */
export function* discrepancies(db: Database.Database, schema: number): Generator<Finding> {
  for (const name of changedSchema(db, schema))
    yield beside('file', `The ${name} of the file is missing, or is not as this program makes it.`);
  yield* runs(db);
  if (schema > 2) {
    yield* late(db);
    yield* operations(db);
  }
  yield* documents(db);
  const problems = db.prepare<[], string>('PRAGMA integrity_check(10)').pluck();
  for (const problem of problems.iterate())
    if (problem !== 'ok') yield beside('file', `SQLite says of the file: ${problem.trim().replaceAll(/\s+/g, ' ')}.`);
}

/** Every run that is listed is what its transitions say, and every transition is of one that is listed. */
function* runs(db: Database.Database): Generator<Finding> {
  const linksOf = db.prepare<[string], Link>(
    'SELECT seq, state, record FROM transitions WHERE run_id = ? ORDER BY seq',
  );
  const hasDocument = db.prepare<[string], number>('SELECT 1 FROM documents WHERE digest = ?').pluck();
  for (const row of db.prepare<[], Row>('SELECT * FROM runs ORDER BY first_seq').iterate()) {
    const runId = String(row['run_id']);
    const links = linksOf.all(runId);
    const [first] = links;
    if (first === undefined) {
      yield ofRun(null, runId, 'is listed, but no record is of it');
      continue;
    }
    const expected = expectedRow(links);
    if (expected === null) {
      yield ofRun(first.seq, runId, 'has records that do not follow one another, or that cannot be read');
      continue;
    }
    const columns = Object.keys(expected).filter((name) => name in row && row[name] !== expected[name]);
    if (columns.length > 0) yield ofRun(first.seq, runId, `is listed with another ${columns.join(', ')} than it has`);
    for (const column of ['entry', 'indexed'] as const) {
      if (column in row && !mayBe(column, links).some((one) => one === row[column]))
        yield ofRun(first.seq, runId, `is listed with a state of its ${WAITS_FOR[column]} that it cannot have`);
    }
    if (expected.digest !== null && hasDocument.get(expected.digest) === undefined)
      yield { ...ofRun(first.seq, runId, `has lost the text of its document, ${expected.digest}`), fault: 'document' };
  }
  const unlisted = db.prepare<[], { seq: number; runId: string }>(
    `SELECT min(seq) AS seq, run_id AS runId FROM transitions
     WHERE state NOT IN ('done', '') AND NOT EXISTS (SELECT 1 FROM runs WHERE runs.run_id = transitions.run_id)
     GROUP BY run_id ORDER BY 1`,
  );
  for (const { seq, runId } of unlisted.iterate()) yield ofRun(seq, runId, 'has records, but is not listed');
}

/**
 * Those that are not marked as late are in the order of time. A mark has its reason in a run before it, as long as none was
 * taken out.
 */
function* late(db: Database.Database): Generator<Finding> {
  const wrong = db.prepare<[], { seq: number; runId: string }>(
    `SELECT seq, runId FROM (
       SELECT first_seq AS seq, run_id AS runId, late, enqueued_at AS at, coalesce(max(CASE late WHEN 0 THEN enqueued_at END)
         OVER (ORDER BY first_seq ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), '') AS latest FROM runs)
     WHERE CASE late WHEN 0 THEN at < latest WHEN 1 THEN at >= latest AND NOT EXISTS (SELECT 1 FROM transitions WHERE state = '') ELSE 1 END
     ORDER BY seq`,
  );
  for (const { seq, runId } of wrong.iterate())
    yield ofRun(seq, runId, 'is listed at another place in time than it has');
}

/** What the row of a run has to say of itself; null where its records tell no story. */
function expectedRow(links: readonly Link[]): (Row & { readonly digest: string | null }) | null {
  let before: RunState | null = null;
  for (const { state } of links) {
    if (!isLegalTransition(before, state)) return null;
    before = state;
  }
  try {
    const said: RunRecord = Object.assign({}, ...links.map(({ record }): unknown => JSON.parse(record)));
    const { runbook, who, result } = said;
    return {
      first_seq: links[0]?.seq,
      enqueued_at: said.enqueuedAt,
      started_at: said.startedAt,
      finished_at: result?.finishedAt ?? said.interruption?.at ?? null,
      runbook: runbook.name,
      path: runbook.path,
      subject: who.subject,
      incident: said.incident,
      rehearsal: Number(said.rehearsal),
      state: before,
      outcome: result?.outcome ?? null,
      digest: runbook.digest,
    };
  } catch {
    return null;
  }
}

const WAITS_FOR = { entry: 'entry', indexed: 'index' } as const;

/** What may be noted of a run, by how it ended. Ledgers that were taken forward have no entries noted for older runs. */
function mayBe(column: keyof typeof WAITS_FOR, links: readonly Link[]): readonly (string | null)[] {
  const state = links.at(-1)?.state;
  const isUnderWay = state === 'queued' || state === 'started';
  const hasBegun = links.some((link) => link.state === 'started');
  if (column === 'indexed') {
    if (isUnderWay) return ['not'];
    return hasBegun ? ['not', 'whole', 'large', 'gone'] : ['not', 'whole', 'gone'];
  }
  const said: Partial<RunRecord> = JSON.parse(links[0]?.record ?? '{}');
  if (said.historyMode !== 'file') return [null];
  if (isUnderWay) return [null, 'wanted'];
  return hasBegun || said.refusal?.code === 'forbidden' ? [null, 'pending', 'written'] : [null];
}

function* operations(db: Database.Database): Generator<Finding> {
  const unlisted = db
    .prepare<[], number>(
      "SELECT seq FROM transitions WHERE state = 'done' AND seq NOT IN (SELECT seq FROM operations) ORDER BY seq",
    )
    .pluck();
  for (const seq of unlisted.iterate()) yield ofOperation(seq, 'an operation, but is not listed as one');
  const foreign = db
    .prepare<[], number>(
      `SELECT seq FROM operations
       WHERE seq NOT IN (SELECT seq FROM transitions WHERE state = 'done') ORDER BY seq`,
    )
    .pluck();
  for (const seq of foreign.iterate()) yield ofOperation(seq, 'listed as an operation, and is none');
  const paused = db.prepare<[], string>("SELECT since FROM switches WHERE name = 'paused'").pluck().get();
  const last = db
    .prepare<[], { operation: string; at: string }>(
      `SELECT json_extract(record, '$.operation') AS operation, at FROM operations JOIN transitions USING (seq)
       WHERE json_valid(record) AND operation IN ('pause', 'resume') ORDER BY seq DESC LIMIT 1`,
    )
    .get();
  const since = last?.operation === 'pause' ? last.at : undefined;
  if (paused === since) return;
  yield beside('pause', 'Whether runs are paused is not what the last operation says of it.');
}

function* documents(db: Database.Database): Generator<Finding> {
  const texts = db.prepare<[], { digest: string; size: number; text: Buffer }>(
    'SELECT digest, size, text FROM documents',
  );
  for (const { digest, ...kept } of texts.iterate()) {
    const text = unpack(kept);
    if (text === null || sha256(text) !== digest)
      yield beside('document', `The text that is kept as document ${digest} is another one.`);
  }
}

function ofRun(seq: number | null, runId: string, what: string): Finding {
  return { seq, runId, fault: 'run', message: `Run ${runId} ${what}.` };
}

function ofOperation(seq: number, what: string): Finding {
  return { seq, runId: null, fault: 'operation', message: `Record ${seq} is ${what}.` };
}

function beside(fault: 'pause' | 'document' | 'file', message: string): Finding {
  return { seq: null, runId: null, fault, message };
}
