/** The schema of a ledger's file, against that of a new one. */
import Database from 'better-sqlite3';
import { migrate, MIGRATIONS } from './migrations.ts';

/** The tables behind the search index are made by SQLite, in the words of its version: they only have to be there. */
const WORDS = "CASE WHEN name LIKE 'output\\_text\\_%' ESCAPE '\\' THEN '' ELSE coalesce(sql, '') END";

/** @returns names of tables, indexes and triggers that are missing, changed or added, in order */
export function changedSchema(db: Database.Database, version: number): readonly string[] {
  const fresh = new Database(':memory:');
  try {
    migrate(fresh, MIGRATIONS.slice(0, version));
    const [is, ought] = [entriesOf(db), entriesOf(fresh)];
    const names = new Set([...ought.keys(), ...is.keys()]);
    return [...names].filter((name) => is.get(name) !== ought.get(name)).toSorted();
  } finally {
    fresh.close();
  }
}

/** `trigger transitions_keep` and its SQL. Statistics of SQLite do no harm. */
function entriesOf(db: Database.Database): ReadonlyMap<string, string> {
  const rows = db
    .prepare<[], [string, string]>(
      `SELECT type || ' ' || name, tbl_name || ' ' || ${WORDS} FROM sqlite_schema WHERE name NOT LIKE 'sqlite\\_stat%' ESCAPE '\\'`,
    )
    .raw()
    .all();
  return new Map(rows);
}
