/**
 * A process of its own that writes a run under a lock that it holds for a while: `node document-naming-writer.ts <ledger>
 * <digest of its document>`; says when it has the lock.
 */
import { setTimeout as delay } from 'node:timers/promises';
import Database from 'better-sqlite3';

const [path = '', digest = ''] = process.argv.slice(2);
const db = new Database(path);
db.exec('BEGIN IMMEDIATE');
process.stdout.write('locked\n');
await delay(300);
const seq = Number(db.prepare('SELECT max(seq) + 1 FROM transitions').pluck().get());
db.prepare("INSERT INTO transitions VALUES (?, 'R', 'queued', '2026', ?, '', '')").run(
  seq,
  JSON.stringify({ runbook: { digest } }),
);
db.prepare(
  "INSERT INTO runs (first_seq, run_id, enqueued_at, runbook, state) VALUES (?, 'R', '2026', 'R', 'queued')",
).run(seq);
db.exec('COMMIT');
db.close();
