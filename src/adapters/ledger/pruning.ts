/** Taking out what nobody needs any more, so that the chain still holds and everybody sees that it was done. */
import { createHash } from 'node:crypto';
import type { ChainLink } from '../../core/chain.ts';
import { textFault } from '../../core/chain.ts';
import { RunbookError } from '../../core/errors.ts';
import type { EndedRun, Pruned, RunLedger } from '../../core/ports.ts';
import type { LedgerFile } from './file.ts';
import { once } from './file.ts';
import { appendOperation } from './operations.ts';

/** Digests of documents that runs name, from behind a number. What cannot be read names none, and the chain tells of it. */
const NAMED_DOCUMENTS = `
  SELECT json_extract(record, '$.runbook.digest') AS digest FROM runs JOIN transitions ON seq = first_seq
  WHERE first_seq > ? AND json_valid(record) AND digest IS NOT NULL`;

export function createPruning(file: LedgerFile): Pick<RunLedger, 'endedBefore' | 'prune' | 'forgetDocuments'> {
  const { db } = file;
  // Prepared at the first use: most commands need none of it.
  const statements = once(() => ({
    ended: db.prepare<[string, string], EndedRun>(
      `SELECT run_id AS runId, enqueued_at AS enqueuedAt, CASE entry WHEN 'pending' THEN path END AS waitsFor FROM runs
       WHERE enqueued_at < ? AND coalesce(finished_at, enqueued_at) < ?
         AND state NOT IN ('queued', 'started') ORDER BY first_seq`,
    ),
    run: db.prepare<[string], { seq: number; isNeeded: 0 | 1 }>(
      `SELECT first_seq AS seq, state IN ('queued', 'started') OR entry IS 'pending' AS isNeeded
       FROM runs WHERE run_id = ?`,
    ),
    linksOf: db.prepare<[string], ChainLink>(
      'SELECT seq, run_id AS runId, state, at, record, prev, hash FROM transitions WHERE run_id = ? ORDER BY seq',
    ),
    forgetText: db.prepare<[number]>('DELETE FROM output_text WHERE rowid = ?'),
    removeRun: db.prepare<[string]>('DELETE FROM runs WHERE run_id = ?'),
    empty: db.prepare<[string]>(
      "UPDATE transitions SET run_id = '', state = '', at = '', record = '' WHERE run_id = ?",
    ),
    lastSeq: db.prepare<[], number>('SELECT coalesce(max(seq), 0) FROM transitions').pluck(),
    unnamed: db
      .prepare<[number], string>(`SELECT digest FROM documents WHERE digest NOT IN (${NAMED_DOCUMENTS})`)
      .pluck(),
    named: db.prepare<[number], string>(NAMED_DOCUMENTS).pluck(),
    removeDocument: db.prepare<[string]>('DELETE FROM documents WHERE digest = ?'),
  }));

  return {
    endedBefore: async (time) => file.ask(() => statements().ended.all(time, time)),

    prune: async (runIds, operation) =>
      file.change(() => {
        const { run, linksOf, forgetText, removeRun, empty } = statements();
        // Somebody else may have been here since the caller looked.
        const runs = runIds.flatMap((runId) => {
          const found = run.get(runId);
          return found === undefined ? [] : [{ ...found, runId }];
        });
        if (runs.some(({ isNeeded }) => isNeeded === 1)) throw new TypeError('only runs that have ended are taken out');
        if (runs.length === 0) return null;
        const taken = runs.flatMap(({ runId }) => linksOf.all(runId)).toSorted((a, b) => a.seq - b.seq);
        const altered = taken.find((link) => textFault(link) !== null);
        if (altered !== undefined) throw isAltered(altered);
        for (const { runId, seq } of runs) {
          forgetText.run(seq);
          removeRun.run(runId);
          empty.run(runId);
        }
        const pruned = prunedOf(
          runs.map(({ runId }) => runId),
          taken,
        );
        appendOperation(file, { ...operation, pruned });
        return pruned;
      }),

    async forgetDocuments() {
      const { lastSeq, unnamed, named, removeDocument } = statements();
      // The long look is not under the lock; what came behind it is looked at once more.
      const { seen, candidates } = file.ask(
        db.transaction(() => ({ seen: lastSeq.get() ?? 0, candidates: unnamed.all(0) })),
      );
      if (candidates.length === 0) return 0;
      return file.change(() => {
        const since = new Set(named.all(seen));
        const unneeded = candidates.filter((digest) => !since.has(digest));
        for (const digest of unneeded) removeDocument.run(digest);
        return unneeded.length;
      });
    },
  };
}

function prunedOf(runIds: readonly string[], links: readonly Pick<ChainLink, 'seq' | 'hash'>[]): Pruned {
  const ranges: [number, number][] = [];
  const digest = createHash('sha256');
  for (const { seq, hash } of links) {
    digest.update(`${hash}\n`);
    const last = ranges.at(-1);
    if (last !== undefined && last[1] === seq - 1) last[1] = seq;
    else ranges.push([seq, seq]);
  }
  return { runIds, ranges, digest: digest.digest('hex') };
}

function isAltered({ seq, runId }: ChainLink): RunbookError {
  return new RunbookError(
    'record-altered',
    `Record ${seq} of run ${runId} does not hold, so nothing was taken out with it.`,
    {
      fix: '`runbook audit verify` says what is wrong; find out who changed the ledger before anything is removed.',
    },
  );
}
