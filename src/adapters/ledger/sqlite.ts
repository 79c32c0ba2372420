/** The ledger in one SQLite file. Every transition is one durable transaction; see ADR 0004. */
import { createHash } from 'node:crypto';
import { deflateSync, inflateSync } from 'node:zlib';
import type Database from 'better-sqlite3';
import type { ChainLink } from '../../core/chain.ts';
import { canonicalJson, chainHash, GENESIS } from '../../core/chain.ts';
import { RunbookError } from '../../core/errors.ts';
import type { RunFilter, RunLedger } from '../../core/ports.ts';
import type { RunOwner, RunRecord, RunState, StoredRun } from '../../core/run.ts';
import { isLegalTransition } from '../../core/run.ts';
import { notALedger, openDatabase, withLedgerErrors } from './database.ts';

/**
 * Opens the ledger, made on first use (file 0600, folder 0700). `mayBeAlive` tells whether the owner of a run that never
 * ended can still be there. @throws RunbookError `io`, `busy`, `unavailable`
 */
export function openSqliteLedger(path: string, mayBeAlive: (owner: RunOwner) => boolean = () => true): RunLedger {
  const db = openDatabase(path);
  const statements = prepare(db);
  const inTransaction = (work: () => void): void => withLedgerErrors(path, () => db.transaction(work).immediate());

  /** Appends one transition and returns its place. `facts` is what is new in it. */
  const append = (runId: string, state: RunState, at: string, facts: object): number => {
    const from = statements.stateOf.get(runId)?.state ?? null;
    if (!isLegalTransition(from, state)) throw new TypeError(`run ${runId} cannot go from ${from} to ${state}`);
    const last = statements.lastLink.get();
    const seq = (last?.seq ?? 0) + 1;
    const prev = last?.hash ?? GENESIS;
    const record = canonicalJson({ ...facts, seq, runId, state, at });
    statements.append.run({ seq, runId, state, at, record, prev, hash: chainHash(prev, record) });
    return seq;
  };

  const keepText = (digest: string | null, text: Buffer): void => {
    if (digest !== sha256(text)) throw new TypeError('the text of a document is kept under its own digest only');
    statements.keepText.run(digest, text.length, deflateSync(text));
  };

  const addRun = (firstSeq: number, record: RunRecord, owner: RunOwner | null): void => {
    statements.addRun.run({
      firstSeq,
      runId: record.runId,
      enqueuedAt: record.enqueuedAt,
      runbook: record.runbook.name,
      path: record.runbook.path,
      rehearsal: Number(record.rehearsal),
      subject: record.who.subject,
      state: record.state,
      bootId: owner?.bootId ?? null,
      pidNs: owner?.pidNamespace ?? null,
      pid: owner?.pid ?? null,
      startTime: owner?.startTime ?? null,
      host: owner?.host ?? null,
    });
  };

  const load = (runId: string): StoredRun | null => {
    try {
      return fold(statements.linksOf.all(runId));
    } catch (error) {
      throw error instanceof SyntaxError ? notALedger(path, error) : error;
    }
  };

  return {
    async enqueue(record, owner, documentText) {
      mustBe(record, 'queued');
      inTransaction(() => {
        const seq = append(record.runId, 'queued', record.enqueuedAt, record);
        keepText(record.runbook.digest, documentText);
        addRun(seq, record, owner);
      });
    },

    async begin(runId, { startedAt, containment }, concurrency) {
      inTransaction(() => {
        const paused = statements.switch.get('paused');
        if (paused !== undefined) {
          const why = paused.reason === null ? '' : `: ${paused.reason}`;
          throw new RunbookError('busy', `Runs are paused since ${paused.since}${why}.`, {
            fix: 'Wait until whoever paused them lets them go on.',
          });
        }
        if (concurrency !== null) {
          const running = statements.runningBeside.all(runId).filter(mayBeAlive).length;
          if (running >= concurrency) throw tooMany(running, concurrency);
        }
        append(runId, 'started', startedAt, { startedAt, containment });
        statements.started.run({ runId, startedAt });
      });
    },

    async finish(runId, result) {
      if (result.runId !== runId) throw new TypeError(`the result is of run ${result.runId}, not of ${runId}`);
      inTransaction(() => {
        append(runId, 'finished', result.finishedAt, { result });
        statements.finished.run({ runId, finishedAt: result.finishedAt, outcome: result.outcome });
      });
    },

    async refuse(record, documentText) {
      mustBe(record, 'refused');
      inTransaction(() => {
        const seq = append(record.runId, 'refused', record.enqueuedAt, record);
        if (documentText !== null) keepText(record.runbook.digest, documentText);
        addRun(seq, record, null);
      });
    },

    async get(runId) {
      return withLedgerErrors(path, () => load(runId));
    },

    async list(filter) {
      return withLedgerErrors(path, () =>
        newestFirst(db, filter).map((runId) => load(runId) ?? fail(notALedger(path))),
      );
    },

    async documentText(digest) {
      return withLedgerErrors(path, () => {
        const kept = statements.text.get(digest);
        if (kept === undefined) return null;
        const text = unpack(kept);
        if (text === null || sha256(text) !== digest) throw notALedger(path);
        return text;
      });
    },

    close() {
      withLedgerErrors(path, () => db.close());
    },
  };
}

function prepare(db: Database.Database) {
  return {
    stateOf: db.prepare<[string], { state: RunState }>('SELECT state FROM runs WHERE run_id = ?'),
    lastLink: db.prepare<[], { seq: number; hash: string }>(
      'SELECT seq, hash FROM transitions ORDER BY seq DESC LIMIT 1',
    ),
    append: db.prepare<[ChainLink]>(
      'INSERT INTO transitions VALUES (@seq, @runId, @state, @at, @record, @prev, @hash)',
    ),
    linksOf: db.prepare<[string], StoredLink>(
      'SELECT seq, record, prev, hash FROM transitions WHERE run_id = ? ORDER BY seq',
    ),
    addRun: db.prepare<[Record<string, string | number | null>]>(
      `INSERT INTO runs (first_seq, run_id, enqueued_at, runbook, path, rehearsal, subject, state,
                         boot_id, pid_ns, pid, start_time, host)
       VALUES (@firstSeq, @runId, @enqueuedAt, @runbook, @path, @rehearsal, @subject, @state,
               @bootId, @pidNs, @pid, @startTime, @host)`,
    ),
    // Runs under way of the document (by its path) that the given run is of.
    runningBeside: db.prepare<[string], RunOwner>(
      `SELECT boot_id AS bootId, pid_ns AS pidNamespace, pid, start_time AS startTime, host FROM runs
       WHERE state = 'started' AND rehearsal = 0 AND path = (SELECT path FROM runs WHERE run_id = ?)`,
    ),
    started: db.prepare<[{ runId: string; startedAt: string }]>(
      "UPDATE runs SET state = 'started', started_at = @startedAt WHERE run_id = @runId",
    ),
    finished: db.prepare<[{ runId: string; finishedAt: string; outcome: string }]>(
      "UPDATE runs SET state = 'finished', finished_at = @finishedAt, outcome = @outcome WHERE run_id = @runId",
    ),
    keepText: db.prepare<[string, number, Buffer]>('INSERT OR IGNORE INTO documents VALUES (?, ?, ?)'),
    text: db.prepare<[string], StoredText>('SELECT size, text FROM documents WHERE digest = ?'),
    switch: db.prepare<[string], { since: string; reason: string | null }>(
      'SELECT since, reason FROM switches WHERE name = ?',
    ),
  };
}

function tooMany(running: number, concurrency: number): RunbookError {
  const message = `This runbook is running already (${running} of at most ${concurrency} at once).`;
  return new RunbookError('busy', message, { fix: 'Try again when it has ended; `runbook history` shows the run.' });
}

type StoredLink = Pick<ChainLink, 'seq' | 'record' | 'prev' | 'hash'>;

interface StoredText {
  readonly size: number;
  readonly text: Buffer;
}

/** A run is what its transitions say, in order: a later one adds to what an earlier one said. */
function fold(links: readonly StoredLink[]): StoredRun | null {
  const last = links.at(-1);
  if (last === undefined) return null;
  // Only this program writes records, and the chain holds them: their shape is not checked once more.
  const said: RunRecord & { at?: string } = Object.assign(
    {},
    ...links.map(({ record }): unknown => JSON.parse(record)),
  );
  const { at: _at, ...run } = said;
  return { ...run, seq: last.seq, prev: last.prev, hash: last.hash };
}

/** Ids of the runs that fit, by the time they were asked for, then by arrival. */
function newestFirst(db: Database.Database, { limit, ...wanted }: RunFilter): readonly string[] {
  if (!Number.isSafeInteger(limit) || limit < 0) throw new TypeError(`limit ${limit} is not a count`);
  const columns = (['runbook', 'path', 'subject', 'state', 'outcome'] as const).filter(
    (name) => wanted[name] !== undefined,
  );
  const conditions = columns.map((name) => `${name} = @${name}`);
  if (wanted.outcome !== undefined || wanted.incomplete) conditions.push('rehearsal = 0');
  if (wanted.incomplete) conditions.push("started_at IS NOT NULL AND outcome IS NOT 'succeeded'");
  // A range can use the index of the ids; a pattern would make `%` in an id mean something.
  if (wanted.idPrefix !== undefined) conditions.push("run_id >= @idPrefix AND run_id < @idPrefix || '~'");
  const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
  return db
    .prepare<[object], string>(
      `SELECT run_id FROM runs ${where} ORDER BY enqueued_at DESC, first_seq DESC LIMIT @limit`,
    )
    .pluck()
    .all({ ...wanted, limit });
}

/** Null where the stored bytes are not what was stored. */
function unpack({ size, text }: StoredText): Buffer | null {
  try {
    return inflateSync(text, { maxOutputLength: Math.max(size, 1) });
  } catch {
    return null;
  }
}

function mustBe(record: RunRecord, state: RunState): void {
  if (record.state !== state) throw new TypeError(`a record in state ${record.state} is not ${state}`);
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function fail(error: Error): never {
  throw error;
}
