/** Which run came of a request that named itself. */
import { AlreadyAsked } from '../../core/request-key.ts';
import type { KeyedRun, KeyHolder, RequestKey } from '../../core/request-key.ts';
import type { RunLedger } from '../../core/ports.ts';
import type { LedgerFile } from './file.ts';

/** Each within a transaction. */
export interface RequestKeys {
  /** @throws AlreadyAsked */
  take(key: RequestKey, runId: string, at: string): void;
  /** The run will never begin: the same may be asked for again. */
  release(runId: string): void;
}

type HolderRow = Record<keyof KeyHolder, string>;

/** Of a run that was taken out nothing is known any more. */
const OF_KEY = `
  SELECT run_id AS runId, digest FROM request_keys JOIN runs USING (run_id)
  WHERE request_keys.issuer = @issuer AND request_keys.subject = @subject AND key = @key AND at >= @since`;

export function createRequestKeys({ db }: LedgerFile): RequestKeys {
  const find = db.prepare<[HolderRow], KeyedRun>(OF_KEY);
  const forget = db.prepare<[string]>('DELETE FROM request_keys WHERE at < ?');
  const take = db.prepare<[Record<string, string>]>(
    'INSERT OR REPLACE INTO request_keys VALUES (@issuer, @subject, @key, @digest, @runId, @at)',
  );
  const release = db.prepare<[string]>('DELETE FROM request_keys WHERE run_id = ?');
  return {
    take: ({ digest, ...holder }, runId, at) => {
      const earlier = find.get(holder);
      if (earlier !== undefined) throw new AlreadyAsked(earlier);
      forget.run(holder.since);
      take.run({ ...holder, digest, runId, at });
    },
    release: (runId) => {
      release.run(runId);
    },
  };
}

export function createKeyQueries(file: LedgerFile): Pick<RunLedger, 'runOfKey'> {
  const find = file.db.prepare<[HolderRow], KeyedRun>(OF_KEY);
  return {
    runOfKey: async ({ issuer, subject, key, since }) =>
      file.ask(() => find.get({ issuer, subject, key, since }) ?? null),
  };
}
