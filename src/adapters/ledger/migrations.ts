/**
 * The ledger's schema, as numbered steps that only go forward. `PRAGMA user_version` says how many were taken.
 * A step that has been released is never edited: a change is a new step at the end.
 */
import type Database from 'better-sqlite3';
import { RunbookError } from '../../core/errors.ts';

/** Marks a file as a ledger of ours (`PRAGMA application_id`): "rbk1". */
export const APPLICATION_ID = 0x72_62_6b_31;

/**
 * `transitions` is the truth, append-only; `runs` holds the same facts for queries, keyed by the run's first
 * transition, so that every index ends in the order of arrival; a row in `switches` means that the switch is on.
 */
const FIRST = `
  CREATE TABLE transitions (
    seq    INTEGER PRIMARY KEY,
    run_id TEXT NOT NULL,
    state  TEXT NOT NULL,
    at     TEXT NOT NULL,
    record TEXT NOT NULL,
    prev   TEXT NOT NULL,
    hash   TEXT NOT NULL
  ) STRICT;
  CREATE INDEX transitions_of_run ON transitions (run_id, seq);

  CREATE TRIGGER transitions_append BEFORE INSERT ON transitions
    WHEN NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM transitions)
    BEGIN SELECT RAISE(ABORT, 'transitions are appended in order'); END;
  CREATE TRIGGER transitions_keep BEFORE UPDATE ON transitions
    BEGIN SELECT RAISE(ABORT, 'transitions are never changed'); END;
  CREATE TRIGGER transitions_stay BEFORE DELETE ON transitions
    BEGIN SELECT RAISE(ABORT, 'transitions are never deleted'); END;

  CREATE TABLE runs (
    first_seq   INTEGER PRIMARY KEY REFERENCES transitions (seq),
    run_id      TEXT NOT NULL UNIQUE,
    enqueued_at TEXT NOT NULL,
    started_at  TEXT,
    finished_at TEXT,
    runbook     TEXT NOT NULL,
    subject     TEXT,
    state       TEXT NOT NULL,
    outcome     TEXT,
    boot_id     TEXT,
    pid_ns      TEXT,
    pid         INTEGER,
    start_time  TEXT,
    host        TEXT
  ) STRICT;
  CREATE INDEX runs_by_enqueued ON runs (enqueued_at);
  CREATE INDEX runs_by_started  ON runs (started_at);
  CREATE INDEX runs_by_runbook  ON runs (runbook, enqueued_at);
  CREATE INDEX runs_by_subject  ON runs (subject, enqueued_at);
  CREATE INDEX runs_by_state    ON runs (state, enqueued_at);
  CREATE INDEX runs_by_outcome  ON runs (outcome, enqueued_at);

  CREATE TABLE documents (
    digest TEXT PRIMARY KEY,
    size   INTEGER NOT NULL,
    text   BLOB NOT NULL
  ) STRICT;

  CREATE TABLE switches (
    name   TEXT PRIMARY KEY,
    since  TEXT NOT NULL,
    by     TEXT,
    reason TEXT
  ) STRICT;
`;

/** What is asked of the runs of one document: by its path, and without rehearsals. */
const BY_DOCUMENT = `
  ALTER TABLE runs ADD COLUMN path TEXT;
  ALTER TABLE runs ADD COLUMN rehearsal INTEGER NOT NULL DEFAULT 0;
  UPDATE runs SET
    path = (SELECT json_extract(record, '$.runbook.path') FROM transitions WHERE seq = first_seq),
    rehearsal = (SELECT json_extract(record, '$.rehearsal') FROM transitions WHERE seq = first_seq);
  CREATE INDEX runs_by_path ON runs (path, enqueued_at);
`;

/**
 * Who looks after a run (lease, progress, cancel), what its document still has to get, text of its output, operations
 * besides runs, and records that were taken out. Runs are listed in the order of arrival, which is the order of every index.
 */
const CARE = `
  ALTER TABLE runs ADD COLUMN incident TEXT;
  ALTER TABLE runs ADD COLUMN lease_until TEXT;
  ALTER TABLE runs ADD COLUMN progress TEXT;
  ALTER TABLE runs ADD COLUMN cancel TEXT;
  ALTER TABLE runs ADD COLUMN entry TEXT;
  ALTER TABLE runs ADD COLUMN entry_writer TEXT;
  ALTER TABLE runs ADD COLUMN indexed TEXT NOT NULL DEFAULT 'not';
  ALTER TABLE runs ADD COLUMN late INTEGER NOT NULL DEFAULT 0;
  UPDATE runs SET
    incident = (SELECT json_extract(record, '$.incident') FROM transitions WHERE seq = first_seq),
    indexed = CASE WHEN started_at IS NULL AND state IN ('finished', 'refused') THEN 'whole' ELSE 'not' END;
  UPDATE runs SET late = 1
    FROM (SELECT first_seq AS place, max(enqueued_at) OVER (ORDER BY first_seq) AS latest FROM runs)
    WHERE first_seq = place AND enqueued_at < latest;
  DROP INDEX runs_by_enqueued;
  DROP INDEX runs_by_started;
  DROP INDEX runs_by_runbook;
  DROP INDEX runs_by_subject;
  DROP INDEX runs_by_state;
  DROP INDEX runs_by_outcome;
  DROP INDEX runs_by_path;
  CREATE INDEX runs_in_time     ON runs (enqueued_at) WHERE late = 0;
  CREATE INDEX runs_late        ON runs (enqueued_at) WHERE late = 1;
  CREATE INDEX runs_by_runbook  ON runs (runbook);
  CREATE INDEX runs_by_subject  ON runs (subject);
  CREATE INDEX runs_by_state    ON runs (state) WHERE state <> 'finished';
  CREATE INDEX runs_by_outcome  ON runs (outcome) WHERE outcome <> 'succeeded';
  CREATE INDEX runs_by_path     ON runs (path);
  CREATE INDEX runs_by_incident ON runs (incident) WHERE incident IS NOT NULL;
  CREATE INDEX runs_by_entry    ON runs (entry) WHERE entry = 'pending';
  CREATE INDEX runs_by_indexed  ON runs (indexed) WHERE indexed <> 'whole';

  CREATE VIRTUAL TABLE output_text
    USING fts5 (text, content = '', contentless_delete = 1, tokenize = 'trigram', detail = none);

  CREATE TABLE operations (seq INTEGER PRIMARY KEY REFERENCES transitions (seq)) STRICT;
  CREATE TABLE turns (name TEXT PRIMARY KEY, at TEXT NOT NULL) STRICT;

  -- All but its place in the chain may be taken out of a transition, of a run that is listed no more.
  DROP TRIGGER transitions_keep;
  CREATE TRIGGER transitions_keep BEFORE UPDATE ON transitions
    WHEN NOT (NEW.seq = OLD.seq AND NEW.prev = OLD.prev AND NEW.hash = OLD.hash AND OLD.state <> 'done'
              AND NEW.record = '' AND NEW.run_id = '' AND NEW.state = '' AND NEW.at = ''
              AND NOT EXISTS (SELECT 1 FROM runs WHERE run_id = OLD.run_id))
    BEGIN SELECT RAISE(ABORT, 'transitions are never changed'); END;
`;

/** Where the ledger lives: a copy is not looked after. */
const HOME = `
  CREATE TABLE home (
    id    INTEGER PRIMARY KEY CHECK (id = 1),
    path  TEXT NOT NULL,
    host  TEXT NOT NULL,
    inode TEXT NOT NULL,
    born  TEXT NOT NULL
  ) STRICT;
`;

/** Requests that named themselves: which run came of each. Not part of the chain, and forgotten after a day. */
const KEYS = `
  CREATE TABLE request_keys (
    issuer  TEXT NOT NULL,
    subject TEXT NOT NULL,
    key     TEXT NOT NULL,
    digest  TEXT NOT NULL,
    run_id  TEXT NOT NULL,
    at      TEXT NOT NULL,
    PRIMARY KEY (issuer, subject, key)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX request_keys_by_time ON request_keys (at);
  CREATE INDEX request_keys_by_run  ON request_keys (run_id);
`;

export const MIGRATIONS: readonly string[] = [FIRST, BY_DOCUMENT, CARE, HOME, KEYS];

/**
 * Takes the steps that are missing, all in one transaction: another process sees the old schema or the new one.
 * @param before called under the lock, before an older ledger is changed
 * @throws RunbookError `unavailable` when the file is of a newer program
 */
export function migrate(
  db: Database.Database,
  migrations: readonly string[] = MIGRATIONS,
  before: (from: number) => void = () => {},
): void {
  const version = (): number => Number(db.pragma('user_version', { simple: true }));
  if (version() === migrations.length) return;
  db.transaction(() => {
    // Asked again under the lock: another process may have been here first.
    const from = version();
    if (from === migrations.length) return;
    if (from > migrations.length) {
      throw new RunbookError('unavailable', `The ledger ${db.name} was written by a newer version of runbook.`, {
        fix: `Use that version (schema ${from}; this one knows up to ${migrations.length}), or another state folder.`,
      });
    }
    if (from > 0) before(from);
    for (const step of migrations.slice(from)) db.exec(step);
    db.pragma(`user_version = ${migrations.length}`);
    db.pragma(`application_id = ${APPLICATION_ID}`);
  }).immediate();
}
