/** What records say of the files that were kept of their runs, for who compares the two. */
import type Database from 'better-sqlite3';
import type { RecordedFiles } from '../../core/ports.ts';
import type { Interruption, RunRecord, RunResult } from '../../core/run.ts';

/** Files are read between two looks: nothing is held open so long. */
const PAGE = 200;

export function* recordedFiles(db: Database.Database): Generator<RecordedFiles> {
  const page = db.prepare<[number], { seq: number; runId: string; state: string; record: string }>(
    `SELECT seq, run_id AS runId, state, record FROM transitions WHERE seq > ? AND state IN ('finished', 'interrupted') ORDER BY seq LIMIT ${PAGE}`,
  );
  for (let rows = page.all(0); rows.length > 0; rows = page.all(rows.at(-1)?.seq ?? 0))
    for (const { seq, runId, state, record } of rows) {
      const said = state === 'finished' ? saidBy(record) : saidOfInterrupted(record);
      if (said !== 'nothing') yield { seq, runId, said };
    }
}

/** A run that is not listed was taken out, with all that was kept of it. */
export function isOutputGone(db: Database.Database, hasMarks: boolean, runId: string): boolean {
  const row = db.prepare<[string], object>('SELECT * FROM runs WHERE run_id = ?').get(runId);
  return row === undefined || (hasMarks && 'indexed' in row && row.indexed === 'gone');
}

/** The chain holds what this program wrote; somebody else may have made all of it anew. */
function saidBy(record: string): RecordedFiles['said'] | 'nothing' {
  try {
    const { result, attested }: Pick<RunRecord, 'attested'> & { result: Pick<RunResult, 'output' | 'artifacts'> } =
      JSON.parse(record);
    // They are where it ran.
    if (attested !== undefined) return 'nothing';
    const { output, artifacts } = result;
    const isOutput =
      Number.isSafeInteger(output.bytes) && Number.isSafeInteger(output.dropped) && typeof output.digest === 'string';
    return isOutput && artifacts.every(({ path }) => typeof path === 'string') ? { output, artifacts } : null;
  } catch {
    return null;
  }
}

/** Older records say nothing of the output, and newer ones not where nobody could look. */
function saidOfInterrupted(record: string): RecordedFiles['said'] | 'nothing' {
  try {
    const { interruption, attested }: Pick<RunRecord, 'attested'> & { interruption: Interruption } = JSON.parse(record);
    if (attested !== undefined) return 'nothing';
    const { output = null } = interruption;
    if (output === null) return 'nothing';
    const isOutput = Number.isSafeInteger(output.bytes) && typeof output.digest === 'string';
    return isOutput ? { output: { bytes: output.bytes, digest: output.digest }, artifacts: [] } : null;
  } catch {
    return null;
  }
}
