/** Runs that took place elsewhere: one link each, and a row that nothing but questions looks at. */
import { canonicalJson } from '../../core/chain.ts';
import type { RunLedger } from '../../core/ports.ts';
import { isLegalReport } from '../../core/run-state.ts';
import type { StoredRun } from '../../core/run.ts';
import { createTextKeeper } from './documents.ts';
import type { LedgerFile } from './file.ts';
import { once } from './file.ts';
import type { createRunReader } from './runs.ts';
import { LATE } from './transitions.ts';

export function createReports(
  file: LedgerFile,
  { loadOrNull }: Pick<ReturnType<typeof createRunReader>, 'loadOrNull'>,
): Pick<RunLedger, 'report'> {
  const { db } = file;
  // Prepared at the first use: only a server takes reports.
  const statements = once(() => ({
    keepText: createTextKeeper(db),
    // No owner, no path, no entry, and nothing to be searched: nobody takes it for a run of this machine.
    add: db.prepare<[Record<string, string | number | null>]>(
      `INSERT INTO runs (first_seq, run_id, enqueued_at, started_at, finished_at, runbook, rehearsal, subject, incident,
                         state, outcome, indexed, late)
       VALUES (@firstSeq, @runId, @enqueuedAt, @startedAt, @finishedAt, @runbook, @rehearsal, @subject, @incident,
               @state, @outcome, 'whole', ${LATE})`,
    ),
  }));
  return {
    report: async (record, documentText) =>
      file.change(() => {
        const { runId, state, attested } = record;
        const known = loadOrNull(runId);
        if (known !== null) return isSame(known, record) ? 'known' : 'other';
        if (!isLegalReport(null, state)) throw new TypeError(`run ${runId} has not ended: it is ${state}`);
        const { keepText, add } = statements();
        const firstSeq = file.append(runId, state, attested.at, record);
        if (documentText !== null) keepText(record.runbook.digest, documentText);
        add.run({
          firstSeq,
          runId,
          enqueuedAt: record.enqueuedAt,
          startedAt: record.startedAt,
          finishedAt: record.result?.finishedAt ?? record.interruption?.at ?? null,
          runbook: record.runbook.name,
          rehearsal: Number(record.rehearsal),
          subject: record.who.subject,
          incident: record.incident,
          state,
          outcome: record.result?.outcome ?? null,
        });
        return 'recorded';
      }),
  };
}

/** But for who attests it, and its place in the chain. */
function isSame(known: StoredRun, record: object): boolean {
  const bare = (run: object): string =>
    canonicalJson({ ...run, attested: undefined, seq: undefined, prev: undefined, hash: undefined });
  return bare(known) === bare(record);
}
