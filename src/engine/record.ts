/** What is told of one run on its way to the ledger: also there where the ledger keeps nothing, or cannot be written. */
import type { RunLedger } from '../core/ports.ts';
import type { Refusal, RunEvent, RunRecord, StoredRun } from '../core/run.ts';

/** A record that may have no place in a chain. */
export interface KeptRecord extends RunRecord {
  readonly seq: number | null;
  readonly prev: string | null;
  readonly hash: string | null;
}

export interface RecordKeeper {
  /** The same ledger, overheard. */
  readonly ledger: RunLedger;
  /** Also of a refusal that does not reach the ledger. */
  hear(event: RunEvent): void;
  /**
   * As the ledger has it; as it was told where the ledger does not. `refusal` is what ended a run that the ledger could
   * not even be told of. Null where nothing was asked of the ledger yet.
   */
  read(refusal: Refusal | null): Promise<KeptRecord | null>;
}

/** For one run: the ledger must not be used for another one. */
export function keepRecord(ledger: RunLedger): RecordKeeper {
  let told: RunRecord | null = null;
  const tell = (change: Partial<RunRecord>): void => {
    if (told !== null) told = { ...told, ...change };
  };
  const stored = async (runId: string): Promise<StoredRun | null> => await ledger.get(runId).catch(() => null);
  return {
    ledger: {
      ...ledger,
      enqueue: async (record, ...rest) => {
        told = record;
        await ledger.enqueue(record, ...rest);
      },
      begin: async (runId, change, concurrency) => {
        await ledger.begin(runId, change, concurrency);
        tell({ state: 'started', ...change });
      },
      finish: async (runId, result, ...rest) => {
        // Also where it cannot be recorded: what happened has happened.
        tell({ state: 'finished', result });
        await ledger.finish(runId, result, ...rest);
      },
    },
    hear: (event) => {
      if (event.type === 'refused') told = event.record;
    },
    read: async (refusal) => {
      if (told === null) return null;
      const run = await stored(told.runId);
      // An end that could not be recorded is told all the same.
      if (run !== null && (run.state === told.state || told.result === null)) return run;
      const isNothing = told.state === 'queued' && refusal !== null;
      return { ...told, ...(isNothing ? { state: 'refused', refusal } : {}), seq: null, prev: null, hash: null };
    },
  };
}
