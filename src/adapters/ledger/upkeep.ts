/** The whole of the ledger: for auditors, for backups, and for what nobody needs any more. */
import { createHash } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, openSync } from 'node:fs';
import type { ChainLink } from '../../core/chain.ts';
import { RunbookError } from '../../core/errors.ts';
import type { Pruned, RunLedger } from '../../core/ports.ts';
import type { LedgerFile } from './file.ts';
import { once } from './file.ts';
import { appendOperation } from './operations.ts';

export function createUpkeep(
  file: LedgerFile,
): Pick<RunLedger, 'links' | 'endedBefore' | 'prune' | 'forgetOutput' | 'copyTo'> {
  const { db } = file;
  // Prepared at the first use: most commands need none of it.
  const statements = once(() => ({
    links: db.prepare<[number], ChainLink>(
      'SELECT seq, run_id AS runId, state, at, record, prev, hash FROM transitions WHERE seq > ? ORDER BY seq',
    ),
    ended: db.prepare<[string], { runId: string; enqueuedAt: string }>(
      `SELECT run_id AS runId, enqueued_at AS enqueuedAt FROM runs
     WHERE enqueued_at < ? AND state NOT IN ('queued', 'started') AND entry IS NOT 'pending' ORDER BY first_seq`,
    ),
    linksOf: db.prepare<[string], { seq: number; hash: string }>('SELECT seq, hash FROM transitions WHERE run_id = ?'),
    stateOf: db.prepare<[string], string>('SELECT state FROM runs WHERE run_id = ?').pluck(),
    emptyRecords: db.prepare<[string]>("UPDATE transitions SET record = '' WHERE run_id = ?"),
    forget: db.prepare<[string]>('DELETE FROM output_text WHERE rowid = (SELECT first_seq FROM runs WHERE run_id = ?)'),
    forgotten: db.prepare<[string]>("UPDATE runs SET indexed = 'gone' WHERE run_id = ?"),
    removeRun: db.prepare<[string]>('DELETE FROM runs WHERE run_id = ?'),
  }));
  return {
    links: (after = 0) => statements().links.iterate(after),
    endedBefore: async (time) => file.ask(() => statements().ended.all(time)),
    prune: async (runIds, operation) =>
      file.change(() => {
        const { stateOf, linksOf, emptyRecords, forget, removeRun } = statements();
        const state = runIds.map((runId) => stateOf.get(runId));
        if (state.some((one) => one === undefined || one === 'queued' || one === 'started'))
          throw new TypeError('only runs that have ended are taken out');
        const taken = runIds.flatMap((runId) => linksOf.all(runId)).toSorted((a, b) => a.seq - b.seq);
        const pruned = prunedOf(taken, runIds.length);
        for (const runId of runIds) {
          emptyRecords.run(runId);
          forget.run(runId);
          removeRun.run(runId);
        }
        db.exec(
          `DELETE FROM documents WHERE digest NOT IN
             (SELECT json_extract(record, '$.runbook.digest') FROM runs JOIN transitions ON seq = first_seq
              WHERE json_extract(record, '$.runbook.digest') IS NOT NULL)`,
        );
        appendOperation(file, { ...operation, pruned });
        return pruned;
      }),
    async forgetOutput(runIds) {
      file.note(() => {
        const { forget, forgotten } = statements();
        for (const runId of runIds) {
          forget.run(runId);
          forgotten.run(runId);
        }
      });
    },
    async copyTo(target) {
      if (existsSync(target))
        throw new RunbookError('usage', `${target} is there already.`, { fix: 'Name a file that is not there yet.' });
      file.ask(() => {
        db.prepare<[string]>('VACUUM INTO ?').run(target);
        const fd = openSync(target, 'r+');
        try {
          fsyncSync(fd);
        } finally {
          closeSync(fd);
        }
      });
    },
  };
}

function prunedOf(links: readonly { readonly seq: number; readonly hash: string }[], runs: number): Pruned {
  const ranges: [number, number][] = [];
  const digest = createHash('sha256');
  for (const { seq, hash } of links) {
    digest.update(`${hash}\n`);
    const last = ranges.at(-1);
    if (last !== undefined && last[1] === seq - 1) last[1] = seq;
    else ranges.push([seq, seq]);
  }
  return { ranges, runs, digest: digest.digest('hex') };
}
