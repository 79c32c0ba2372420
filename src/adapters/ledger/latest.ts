/** Of many documents the newest run of each, asked at once. */
import type { LatestRun, RunLedger } from '../../core/ports.ts';
import type { RunState } from '../../core/run.ts';
import { OWNER_COLUMNS } from './file.ts';
import type { LedgerFile, OwnerRow } from './file.ts';

type Row = OwnerRow & LatestRun;

/** Rows of a document lie together in their index, in the order of arrival, so each is found by a few pages. */
const LATEST = `
  SELECT wanted.value AS path, run_id AS runId, state, outcome, started_at AS startedAt, finished_at AS finishedAt,
    ${OWNER_COLUMNS}
  FROM json_each(?) AS wanted
  JOIN runs ON first_seq = (
    SELECT first_seq FROM runs INDEXED BY runs_by_path
    WHERE path = wanted.value AND started_at IS NOT NULL AND rehearsal = 0
    ORDER BY first_seq DESC LIMIT 1
  )`;

export function createLatest(file: LedgerFile): Pick<RunLedger, 'latestOf'> {
  return {
    latestOf: async (paths) =>
      file.ask(() => {
        const rows = file.db.prepare<[string], Row>(LATEST).all(JSON.stringify(paths));
        return new Map(rows.map((row) => [row.path, latestRun(row, file.isGone)]));
      }),
  };
}

function latestRun(row: Row, isGone: LedgerFile['isGone']): LatestRun {
  const { path, runId, state, outcome, startedAt, finishedAt, leaseUntil, ...owner } = row;
  const isOver = state === 'started' && isGone(owner, leaseUntil);
  const known: RunState = isOver ? 'interrupted' : state;
  return { path, runId, state: known, outcome, startedAt, finishedAt };
}
