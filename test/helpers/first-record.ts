/** What the ledger of a server was told of a run at first. */
import path from 'node:path';
import Database from 'better-sqlite3';
import type { TestServer } from './server.ts';

export function firstRecord(
  { stateDir }: Pick<TestServer, 'stateDir'>,
  runId: string,
): Readonly<Record<string, unknown>> {
  const database = new Database(path.join(stateDir, 'ledger.sqlite'), { readonly: true });
  try {
    const row = database.prepare('SELECT record FROM transitions WHERE run_id = ? ORDER BY seq LIMIT 1').get(runId);
    return JSON.parse((row as { record: string }).record) as Readonly<Record<string, unknown>>;
  } finally {
    database.close();
  }
}
