/** The whole of the ledger: for backups, and for who keeps house. */
import { existsSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import type { ChainLink } from '../../core/chain.ts';
import { RunbookError } from '../../core/errors.ts';
import type { RunLedger } from '../../core/ports.ts';
import { copyWhole } from './copy.ts';
import type { LedgerFile } from './file.ts';
import { once } from './file.ts';

/** Who cannot have it soon comes by another time. */
const TURN_PATIENCE_MS = 50;

export function createUpkeep(file: LedgerFile): Pick<RunLedger, 'links' | 'forgetOutput' | 'takeTurn' | 'copyTo'> {
  const { db } = file;
  // Prepared at the first use: most commands need none of it.
  const statements = once(() => ({
    links: db.prepare<[number], ChainLink>(
      'SELECT seq, run_id AS runId, state, at, record, prev, hash FROM transitions WHERE seq > ? ORDER BY seq',
    ),
    forget: db.prepare<[string]>('DELETE FROM output_text WHERE rowid = (SELECT first_seq FROM runs WHERE run_id = ?)'),
    forgotten: db.prepare<[string]>("UPDATE runs SET indexed = 'gone' WHERE run_id = ?"),
  }));
  const turns = once(() => ({
    last: db.prepare<[string], string>('SELECT at FROM turns WHERE name = ?').pluck(),
    take: db.prepare<[string, string]>('INSERT OR REPLACE INTO turns VALUES (?, ?)'),
  }));
  return {
    *links(after = 0) {
      yield* file.ask(() => statements().links.iterate(after));
    },
    async forgetOutput(runIds) {
      file.note(() => {
        const { forget, forgotten } = statements();
        for (const runId of runIds) {
          forget.run(runId);
          forgotten.run(runId);
        }
      });
    },
    async takeTurn(name, now, since) {
      const isFree = (): boolean => {
        const last = turns().last.get(name);
        return last === undefined || last < since || last > now;
      };
      // Nobody writes, or waits for who does, when it is not time yet.
      if (!file.ask(isFree)) return false;
      return file.note(() => isFree() && turns().take.run(name, now).changes === 1, TURN_PATIENCE_MS);
    },
    async copyTo(target) {
      if (existsSync(target))
        throw new RunbookError('usage', `${target} is there already.`, { fix: 'Name a file that is not there yet.' });
      file.ask(() => {
        copyWhole(db, target, `${target}.${randomBytes(6).toString('hex')}.new`);
      });
    },
  };
}
