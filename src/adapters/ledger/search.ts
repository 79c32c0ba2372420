/** Text of outputs: an index of groups of three characters, which says where to look. */
import type { RunFilter, RunLedger } from '../../core/ports.ts';
import { foldCase } from '../../core/text-search.ts';
import type { LedgerFile } from './file.ts';
import { once } from './file.ts';
import { isOutputGone } from './recorded-files.ts';
import { conditionsOf } from './runs.ts';
import type { RunReader } from './runs.ts';

/** More would only make the question slower: what they let through is looked at anyway. */
const MAX_GROUPS = 64;

interface Candidate {
  readonly seq: number;
  readonly runId: string;
}

/** `indexed` of a run: `whole`, `large` (not in the index), `not` (yet), `gone` (its output is removed). */
export function createSearch(
  file: LedgerFile,
  reader: RunReader,
): Pick<RunLedger, 'indexOutput' | 'searchOutput' | 'isOutputGone' | 'countWithoutOutput'> {
  const { db } = file;
  // Prepared at the first use: the index is read for that.
  const statements = once(() => ({
    seqOf: db.prepare<[string], number>('SELECT first_seq FROM runs WHERE run_id = ?').pluck(),
    add: db.prepare<[number, string]>('INSERT OR REPLACE INTO output_text (rowid, text) VALUES (?, ?)'),
    mark: db.prepare<[string, number]>('UPDATE runs SET indexed = ? WHERE first_seq = ?'),
  }));

  const find = (sql: string, filter: RunFilter, match: string): readonly Candidate[] => {
    const { where, values } = conditionsOf(reader.place(filter));
    const and = where === '' ? 'WHERE' : `${where} AND`;
    return db.prepare<[object], Candidate>(sql.replace('WHERE', and)).all({ ...values, match });
  };

  return {
    async indexOutput(runId, text) {
      const indexed = text === null ? null : indexedText(text);
      file.note(() => {
        const { seqOf, add, mark } = statements();
        const seq = seqOf.get(runId);
        if (seq === undefined) return;
        if (indexed !== null && indexed.trim() !== '') add.run(seq, indexed);
        mark.run(indexed === null ? 'large' : 'whole', seq);
      });
    },

    async *searchOutput(text, filter) {
      const match = matchOf(text);
      let before = filter.before ?? Number.MAX_SAFE_INTEGER;
      for (;;) {
        const page = file.ask(() =>
          QUESTIONS.flatMap((sql) => find(sql, { ...filter, before }, match))
            .toSorted((a, b) => b.seq - a.seq)
            .slice(0, filter.limit)
            .map(({ seq, runId }) => ({ seq, run: reader.load(runId) })),
        );
        for (const { seq, run } of page) {
          before = seq;
          yield run;
        }
        if (page.length === 0 || page.length < filter.limit) return;
      }
    },

    isOutputGone: async (runId) => file.ask(() => isOutputGone(db, true, runId)),

    countWithoutOutput: async (filter) =>
      file.ask(() => {
        const { where, values } = conditionsOf(reader.place(filter));
        const and = where === '' ? 'WHERE' : `${where} AND`;
        return (
          db.prepare<[object], number>(`SELECT count(*) FROM runs ${and} ${HAS_STATE} 'gone'`).pluck().get(values) ?? 0
        );
      }),
  };
}

/** As the partial index over `indexed` wants to be asked. */
const HAS_STATE = "indexed <> 'whole' AND indexed =";

/** Each gives its candidates newest first without sorting them: they may be many. */
const QUESTIONS = [
  `SELECT first_seq AS seq, run_id AS runId FROM output_text CROSS JOIN runs ON first_seq = output_text.rowid
   WHERE output_text MATCH @match AND output_text.rowid < @before ORDER BY output_text.rowid DESC LIMIT @limit`,
  `SELECT first_seq AS seq, run_id AS runId FROM runs
   WHERE ${HAS_STATE} 'not' ORDER BY first_seq DESC LIMIT @limit`,
  `SELECT first_seq AS seq, run_id AS runId FROM runs
   WHERE ${HAS_STATE} 'large' ORDER BY first_seq DESC LIMIT @limit`,
];

/** Both sides are folded in the same way; FTS5 folds once more, character by character, and ends a text at a NUL. */
function indexedText(text: string): string {
  return foldCase(text.toWellFormed()).replaceAll('\0', '\ufffd');
}

/** Groups of three characters that have to be there, wherever: the index does not keep places. */
function matchOf(text: string): string {
  const characters = Array.from(indexedText(text));
  if (characters.length < 3) throw new TypeError('less than three characters are not looked for');
  const groups = [...new Set(characters.slice(2).map((_, at) => characters.slice(at, at + 3).join('')))];
  const step = Math.ceil(groups.length / MAX_GROUPS);
  return groups
    .filter((_, n) => n % step === 0)
    .map((group) => `"${group.replaceAll('"', '""')}"`)
    .join(' AND ');
}
