/** The life of runs: each transition is a link of the chain, and in the same transaction what queries look at. */
import { atConcurrency } from '../../core/concurrency.ts';
import { RunbookError } from '../../core/errors.ts';
import type { RunLedger } from '../../core/ports.ts';
import type { RunOwner, RunRecord, RunState } from '../../core/run.ts';
import { isLegalTransition } from '../../core/run-state.ts';
import { createTextKeeper } from './documents.ts';
import type { LedgerFile, OwnerRow } from './file.ts';
import { A_MOMENT_MS, OWNER_COLUMNS } from './file.ts';
import { createRequestKeys } from './request-keys.ts';

type Transitions = Pick<RunLedger, 'enqueue' | 'admission' | 'begin' | 'finish' | 'refuse' | 'interrupt'>;

export function createTransitions(file: LedgerFile): Transitions {
  const statements = prepare(file);
  const keys = createRequestKeys(file);
  const keepText = createTextKeeper(file.db);

  const stateOf = (runId: string): RunState | null => statements.stateOf.get(runId) ?? null;

  const append = (runId: string, state: RunState, at: string, facts: object): number => {
    const from = stateOf(runId);
    if (!isLegalTransition(from, state)) throw new TypeError(`run ${runId} cannot go from ${from} to ${state}`);
    return file.append(runId, state, at, facts);
  };

  /** `entry`: null where the document gets none; `wanted` until the run has ended; `pending` until it is written. */
  const addRun = (
    firstSeq: number,
    record: RunRecord,
    owner: RunOwner,
    leaseUntil: string | null,
    entry: 'wanted' | 'pending' | null,
  ): void => {
    statements.addRun.run({
      firstSeq,
      runId: record.runId,
      enqueuedAt: record.enqueuedAt,
      runbook: record.runbook.name,
      path: record.runbook.path,
      rehearsal: Number(record.rehearsal),
      subject: record.who.subject,
      incident: record.incident,
      state: record.state,
      ...owner,
      leaseUntil,
      entry: record.historyMode === 'file' ? entry : null,
    });
  };

  const whyPaused = (): RunbookError | null => {
    const paused = statements.paused.get();
    return paused === undefined ? null : isPaused(paused);
  };

  const whyFull = (path: string | null, concurrency: number | null): RunbookError | null => {
    if (concurrency === null) return null;
    const running = statements.running.all(path).filter((one) => !file.isGone(one, one.leaseUntil)).length;
    return running >= concurrency ? atConcurrency(running, concurrency) : null;
  };

  return {
    async enqueue(record, owner, documentText, leaseUntil, key) {
      mustBe(record, 'queued');
      file.change(() => {
        if (key !== undefined) keys.take(key, record.runId, record.enqueuedAt);
        const seq = append(record.runId, 'queued', record.enqueuedAt, record);
        keepText(record.runbook.digest, documentText);
        addRun(seq, record, owner, leaseUntil ?? null, 'wanted');
      });
    },

    async begin(runId, { startedAt, containment }, concurrency) {
      file.change(() => {
        const paused = whyPaused();
        if (paused !== null) throw paused;
        if (stateOf(runId) === 'interrupted') throw wasInterrupted(runId);
        const full = whyFull(statements.pathOf.get(runId) ?? null, concurrency);
        if (full !== null) throw full;
        append(runId, 'started', startedAt, { startedAt, containment });
        statements.started.run({ runId, startedAt });
      });
    },

    async admission(path, concurrency) {
      return file.ask(() => [whyPaused(), whyFull(path, concurrency)].filter((reason) => reason !== null));
    },

    async finish(runId, result, patienceMs) {
      if (result.runId !== runId) throw new TypeError(`the result is of run ${result.runId}, not of ${runId}`);
      file.changeOnFullDisk(() => {
        const from = stateOf(runId);
        if (from === 'interrupted') throw wasInterrupted(runId);
        append(runId, 'finished', result.finishedAt, { result });
        const { finishedAt, outcome } = result;
        // What never began leaves nothing in its document.
        const entry = from === 'started' ? 'pending' : null;
        statements.ended.run({ runId, state: 'finished', at: finishedAt, outcome, entry });
        // Who is told to try again later may do so; what somebody has stopped is not begun by a repetition.
        if (from === 'queued' && result.signal === null) keys.release(runId);
      }, patienceMs);
    },

    async refuse(record, documentText, owner, leaseUntil) {
      mustBe(record, 'refused');
      file.change(() => {
        const seq = append(record.runId, 'refused', record.enqueuedAt, record);
        if (documentText !== null) keepText(record.runbook.digest, documentText);
        addRun(seq, record, owner, leaseUntil ?? null, record.refusal?.code === 'forbidden' ? 'pending' : null);
      });
    },

    async interrupt(runId, interruption) {
      return file.changeOnFullDisk(() => {
        const from = stateOf(runId);
        if (from !== 'queued' && from !== 'started') return false;
        append(runId, 'interrupted', interruption.at, { interruption });
        const entry = from === 'started' ? 'pending' : null;
        statements.ended.run({ runId, state: 'interrupted', at: interruption.at, outcome: null, entry });
        if (from === 'queued') keys.release(runId);
        return true;
      }, A_MOMENT_MS);
    },
  };
}

/** Whether a run says an earlier time than one that arrived before it. */
export const LATE = "@enqueuedAt < (SELECT coalesce(max(enqueued_at), '') FROM runs WHERE late = 0)";

function prepare({ db }: LedgerFile) {
  return {
    stateOf: db.prepare<[string], RunState>('SELECT state FROM runs WHERE run_id = ?').pluck(),
    addRun: db.prepare<[Record<string, string | number | null>]>(
      `INSERT INTO runs (first_seq, run_id, enqueued_at, runbook, path, rehearsal, subject, incident, state,
                         boot_id, pid_ns, pid, start_time, host, lease_until, entry, indexed, late)
       VALUES (@firstSeq, @runId, @enqueuedAt, @runbook, @path, @rehearsal, @subject, @incident, @state,
               @bootId, @pidNamespace, @pid, @startTime, @host, @leaseUntil, @entry,
               CASE @state WHEN 'refused' THEN 'whole' ELSE 'not' END,
               ${LATE})`,
    ),
    pathOf: db.prepare<[string], string | null>('SELECT path FROM runs WHERE run_id = ?').pluck(),
    // Runs under way of a document, by its path.
    running: db.prepare<[string | null], OwnerRow>(
      `SELECT ${OWNER_COLUMNS} FROM runs
       WHERE state <> 'finished' AND state = 'started' AND rehearsal = 0 AND +path = ?`,
    ),
    started: db.prepare<[{ runId: string; startedAt: string }]>(
      "UPDATE runs SET state = 'started', started_at = @startedAt WHERE run_id = @runId",
    ),
    ended: db.prepare<[{ runId: string; state: RunState; at: string; outcome: string | null; entry: string | null }]>(
      `UPDATE runs SET state = @state, finished_at = @at, outcome = @outcome, cancel = NULL, progress = NULL,
                       entry = CASE entry WHEN 'wanted' THEN @entry ELSE entry END,
                       indexed = CASE WHEN started_at IS NULL THEN 'whole' ELSE indexed END
       WHERE run_id = @runId`,
    ),
    paused: db.prepare<[], { since: string; by: string | null; reason: string | null }>(
      "SELECT since, by, reason FROM switches WHERE name = 'paused'",
    ),
  };
}

function isPaused({ since, by, reason }: { since: string; by: string | null; reason: string | null }): RunbookError {
  const whom = by === null ? '' : ` by ${by}`;
  const why = reason === null ? '' : `: ${reason}`;
  return new RunbookError('busy', `Runs are paused since ${since}${whom}${why}.`, {
    fix: 'Wait until whoever paused them lets them go on, or do it with `runbook resume`.',
  });
}

function wasInterrupted(runId: string): RunbookError {
  return new RunbookError('io', `Run ${runId} counts as interrupted: its owner was taken for dead.`, {
    fix: 'See `runbook history` for when and why; the lease of a run has to be renewed while it goes on.',
  });
}

function mustBe(record: RunRecord, state: RunState): void {
  if (record.state !== state) throw new TypeError(`a record in state ${record.state} is not ${state}`);
}
