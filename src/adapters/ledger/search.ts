/**
 * Text of kept output, found by groups of three characters. The index keeps no text: what it finds are candidates, and the
 * output itself decides. So nothing is found that is not there, and what is too long to be indexed whole is looked at.
 */
import type { RunLedger } from '../../core/ports.ts';
import type { LedgerFile } from './file.ts';
import { once } from './file.ts';
import { conditionsOf } from './runs.ts';
import type { RunReader } from './runs.ts';

export function createSearch(file: LedgerFile, reader: RunReader): Pick<RunLedger, 'indexOutput' | 'searchOutput'> {
  const { db } = file;
  // Prepared at the first use: the index is read for that.
  const statements = once(() => ({
    seqOf: db.prepare<[string], number>('SELECT first_seq FROM runs WHERE run_id = ?').pluck(),
    add: db.prepare<[number, string]>('INSERT OR REPLACE INTO output_text (rowid, text) VALUES (?, ?)'),
    mark: db.prepare<[string, number]>('UPDATE runs SET indexed = ? WHERE first_seq = ?'),
  }));
  return {
    async indexOutput(runId, text, isWhole) {
      file.note(() => {
        const { seqOf, add, mark } = statements();
        const seq = seqOf.get(runId);
        if (seq === undefined) return;
        add.run(seq, text);
        mark.run(isWhole ? 'whole' : 'part', seq);
      });
    },
    searchOutput: async (text, filter) =>
      file.ask(() => {
        const { where, values } = conditionsOf(filter);
        const and = where === '' ? 'WHERE' : `${where} AND`;
        return db
          .prepare<[object], string>(
            `SELECT run_id FROM runs
             ${and} (indexed IN ('not', 'part') OR first_seq IN (SELECT rowid FROM output_text WHERE output_text MATCH @match))
             ORDER BY first_seq DESC LIMIT @limit`,
          )
          .pluck()
          .all({ ...values, match: matchOf(text) })
          .map((runId) => reader.load(runId));
      }),
  };
}

/** Every group of three characters has to be there, wherever: the index does not keep places. */
function matchOf(text: string): string {
  const characters = Array.from(text);
  if (characters.length < 3) throw new TypeError('less than three characters are not looked for');
  const groups = characters.slice(2).map((_, at) => characters.slice(at, at + 3).join(''));
  return [...new Set(groups)].map((group) => `"${group.replaceAll('"', '""')}"`).join(' AND ');
}
