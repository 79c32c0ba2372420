/** What lies beside the chain, against the chain: lists for queries, texts of documents, the switch, the file itself. */
import type Database from 'better-sqlite3';
import { parsed } from '../../core/chain.ts';
import type { Finding } from '../../core/ports.ts';
import { sha256, unpack } from './documents.ts';
import { differences, expectedRow, impossibleNotes } from './listed-run.ts';
import type { Row } from './listed-run.ts';
import { changedSchema } from './schema.ts';

/**
 * @param schema how many migrations the file has taken
 * @param doLinksAgree whether it is known that runs and operations are listed as the chain has them; else that is looked at
 */
export function* discrepancies(db: Database.Database, schema: number, doLinksAgree: boolean): Generator<Finding> {
  for (const name of changedSchema(db, schema))
    yield beside('file', `The ${name} of the file is missing, or is not as this program makes it.`);
  if (!doLinksAgree) yield* runs(db);
  if (schema > 2) {
    yield* late(db);
    if (!doLinksAgree) yield* operations(db);
    yield* pause(db);
  }
  yield* documents(db);
  const problems = db.prepare<[], string>('PRAGMA integrity_check(10)').pluck();
  for (const problem of problems.iterate())
    if (problem !== 'ok') yield beside('file', `SQLite says of the file: ${problem.trim().replaceAll(/\s+/g, ' ')}.`);
}

/** Every run that is listed is what its transitions say, and every transition is of one that is listed. */
function* runs(db: Database.Database): Generator<Finding> {
  const linksOf = db.prepare<[string], { seq: number; state: string; record: string }>(
    'SELECT seq, state, record FROM transitions WHERE run_id = ? ORDER BY seq',
  );
  const hasDocument = db.prepare<[string], number>('SELECT 1 FROM documents WHERE digest = ?').pluck();
  for (const row of db.prepare<[], Row>('SELECT * FROM runs ORDER BY first_seq').iterate()) {
    const runId = String(row['run_id']);
    const links = linksOf.all(runId).map(({ seq, state, record }) => ({ seq, state, said: parsed(record) }));
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
    const columns = differences(row, expected);
    if (columns.length > 0) yield ofRun(first.seq, runId, `is listed with another ${columns.join(', ')} than it has`);
    for (const note of impossibleNotes(row, links))
      yield ofRun(first.seq, runId, `is listed with a state of its ${note} that it cannot have`);
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
}

function* pause(db: Database.Database): Generator<Finding> {
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
