/** What is known of runs. */
import type { ChainLink } from '../../core/chain.ts';
import type { PlacedRun, RunChange, RunFilter, RunLedger } from '../../core/ports.ts';
import type { RunRecord, RunState, StoredRun } from '../../core/run.ts';
import { createPlacing } from './arrival.ts';
import type { PlacedFilter } from './arrival.ts';
import { notALedger } from './database.ts';
import { sha256, unpack } from './documents.ts';
import type { StoredText } from './documents.ts';
import type { LedgerFile } from './file.ts';

type StoredLink = Pick<ChainLink, 'seq' | 'record' | 'prev' | 'hash'>;

/** For the parts of the ledger that find runs in their own way. */
export interface RunReader {
  load(runId: string): StoredRun;
  /** Finds the same runs, and finds them sooner where the filter has dates. */
  readonly place: (filter: RunFilter) => PlacedFilter;
  find(filter: RunFilter): readonly PlacedRun[];
}

export function createRunReader({ db, path }: LedgerFile): RunReader & { loadOrNull(runId: string): StoredRun | null } {
  const linksOf = db.prepare<[string], StoredLink>(
    'SELECT seq, record, prev, hash FROM transitions WHERE run_id = ? ORDER BY seq',
  );
  const loadOrNull = (runId: string): StoredRun | null => {
    try {
      return fold(linksOf.all(runId));
    } catch (error) {
      throw error instanceof SyntaxError ? notALedger(path, error) : error;
    }
  };
  const load = (runId: string): StoredRun => {
    const run = loadOrNull(runId);
    if (run === null) throw notALedger(path);
    return run;
  };
  const place = createPlacing(db);
  const newest = (filter: PlacedFilter): readonly { readonly seq: number; readonly runId: string }[] => {
    const { where, values } = conditionsOf(filter);
    const sql = `SELECT first_seq AS seq, run_id AS runId FROM runs ${where} ORDER BY first_seq DESC LIMIT @limit`;
    return db.prepare<[object], { seq: number; runId: string }>(sql).all(values);
  };
  return {
    load,
    loadOrNull,
    place,
    find: (filter) => {
      const placed = place(filter);
      // Each end by its index, newest first: of several at once SQLite would sort all that there are.
      const found = placed.outcomes?.flatMap((end) => newest({ ...placed, outcomes: [end] })) ?? newest(placed);
      const places = [...new Map(found.map(({ seq, runId }) => [seq, runId]))].toSorted(([a], [b]) => b - a);
      return places.slice(0, filter.limit).map(([seq, runId]) => ({ place: seq, run: load(runId) }));
    },
  };
}

/** From each name to the next one in the index: of a million runs no more is read than there are names. */
const NAMES = `
  WITH RECURSIVE names(name) AS (
    SELECT min(runbook) FROM runs
    UNION ALL
    SELECT (SELECT min(runbook) FROM runs WHERE runbook > name) FROM names WHERE name IS NOT NULL
  ) SELECT name FROM names WHERE name IS NOT NULL`;

export function createQueries(
  file: LedgerFile,
  reader: ReturnType<typeof createRunReader>,
): Pick<RunLedger, 'get' | 'list' | 'listPlaced' | 'changesAfter' | 'lastChange' | 'documentText' | 'runbookNames'> {
  // Operations are links, too; of what was taken out nothing but its place is there.
  const changes = file.db.prepare<[number, number], RunChange>(
    `SELECT seq, run_id AS runId, state, at FROM transitions
     WHERE seq > ? AND state NOT IN ('', 'done') ORDER BY seq LIMIT ?`,
  );
  const isRun = file.db.prepare<[string], number>('SELECT 1 FROM runs WHERE run_id = ?');
  const last = file.db.prepare<[], number>('SELECT max(seq) FROM transitions').pluck();
  const text = file.db.prepare<[string], StoredText>('SELECT size, text FROM documents WHERE digest = ?');
  return {
    // Operations have ids, too, and are no runs.
    get: async (runId) => file.ask(() => (isRun.get(runId) === undefined ? null : reader.loadOrNull(runId))),
    list: async (filter) => file.ask(() => reader.find(filter).map(({ run }) => run)),
    listPlaced: async (filter) => file.ask(() => reader.find(filter)),
    changesAfter: async (after, limit) => file.ask(() => changes.all(after, limit)),
    lastChange: async () => file.ask(() => last.get() ?? 0),
    documentText: async (digest) =>
      file.ask(() => {
        const kept = text.get(digest);
        if (kept === undefined) return null;
        const whole = unpack(kept);
        if (whole === null || sha256(whole) !== digest) throw notALedger(file.path);
        return whole;
      }),
    runbookNames: async () => file.ask(() => file.db.prepare<[], string>(NAMES).pluck().all()),
  };
}

/** A `WHERE` over `runs`, which may be joined with other tables. */
export function conditionsOf({ limit, outcomes, ...wanted }: PlacedFilter): {
  readonly where: string;
  readonly values: object;
} {
  if (!Number.isSafeInteger(limit) || limit < 0) throw new TypeError(`limit ${limit} is not a count`);
  const columns = (['runbook', 'path', 'subject', 'state', 'outcome', 'incident'] as const).filter(
    (name) => wanted[name] !== undefined,
  );
  const conditions = columns.map((name) => `runs.${name} = @${name}`);
  // Said once more, because SQLite does not see that a partial index may be used.
  if (wanted.state !== undefined && wanted.state !== 'finished') conditions.push("runs.state <> 'finished'");
  if (wanted.outcome !== undefined && wanted.outcome !== 'succeeded') conditions.push("runs.outcome <> 'succeeded'");
  if (wanted.outcome !== undefined || wanted.incomplete) conditions.push('rehearsal = 0');
  if (wanted.incomplete) conditions.push("started_at IS NOT NULL AND outcome IS NOT 'succeeded'");
  const ends = outcomesOf(outcomes);
  if (ends !== null) conditions.push(ends.condition);
  // A range can use the index of the ids; a pattern would make `%` in an id mean something.
  if (wanted.idPrefix !== undefined) conditions.push("run_id >= @idPrefix AND run_id < @idPrefix || '~'");
  if (wanted.since !== undefined) conditions.push('enqueued_at >= @since');
  if (wanted.until !== undefined) conditions.push('enqueued_at < @until');
  if (wanted.from !== undefined) conditions.push('first_seq >= @from');
  if (wanted.before !== undefined) conditions.push('first_seq < @before');
  return {
    where: conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`,
    values: { ...wanted, ...ends?.values, limit },
  };
}

const STATES: ReadonlySet<string> = new Set<RunState>(['queued', 'started', 'finished', 'interrupted', 'refused']);

/** Any of some outcomes and states; said so that a partial index may be used where there is one. */
function outcomesOf(
  wanted: readonly string[] | undefined,
): { readonly condition: string; readonly values: object } | null {
  if (wanted === undefined) return null;
  const any = (column: string, most: string, of: readonly (readonly [string, string])[]): readonly string[] => {
    if (of.length === 0) return [];
    const rare = of.some(([, value]) => value === most) ? '' : `${column} <> '${most}' AND `;
    return [`${rare}${column} IN (${of.map(([name]) => `@${name}`).join(', ')})`];
  };
  const all = wanted.map((value, n) => [`end${n}`, value] as const);
  const states = any(
    'runs.state',
    'finished',
    all.filter(([, value]) => STATES.has(value)),
  );
  const ends = any(
    'runs.outcome',
    'succeeded',
    all.filter(([, value]) => !STATES.has(value)),
  );
  const either = [...states, ...ends.map((end) => `rehearsal = 0 AND ${end}`)].map((one) => `(${one})`);
  return { condition: either.length === 0 ? 'FALSE' : `(${either.join(' OR ')})`, values: Object.fromEntries(all) };
}

/** A run is what its transitions say, in order: a later one adds to what an earlier one said. */
function fold(links: readonly StoredLink[]): StoredRun | null {
  const last = links.at(-1);
  // Records that were taken out are no runs any more.
  if (last === undefined || last.record === '') return null;
  // Only this program writes records, and the chain holds them: their shape is not checked once more.
  const said: RunRecord & { at?: string } = Object.assign(
    {},
    ...links.map(({ record }): unknown => JSON.parse(record)),
  );
  const { at: _at, ...run } = said;
  return { ...run, seq: last.seq, prev: last.prev, hash: last.hash };
}
