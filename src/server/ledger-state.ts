/** How the ledger does: how large it is, and how often it could not be read or written. For metrics. */
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { RunbookError } from '../core/errors.ts';
import type { RunLedger } from '../core/ports.ts';

export interface LedgerState {
  /** Since the start, by what was wrong. */
  readonly failures: ReadonlyMap<LedgerFailure, number>;
  /** With what is not in its main file yet; null where there is none. */
  bytes(): Promise<number | null>;
}

export const LEDGER_FAILURES = ['locked', 'io', 'unavailable'] as const;
export type LedgerFailure = (typeof LEDGER_FAILURES)[number];

/** @param stateDir folder of the ledger; null where nothing is recorded  @returns the same ledger, counted, and the counts */
export function watchLedger(
  ledger: RunLedger,
  stateDir: string | null,
): { readonly ledger: RunLedger; readonly state: LedgerState } {
  const failures = new Map<LedgerFailure, number>(LEDGER_FAILURES.map((failure) => [failure, 0]));
  const count = (error: unknown): void => {
    const failure = failureOf(error);
    if (failure !== null) failures.set(failure, (failures.get(failure) ?? 0) + 1);
  };
  const watched = new Proxy(ledger, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== 'function') return member;
      return (...args: readonly unknown[]): unknown => {
        try {
          const result: unknown = Reflect.apply(member, target, args);
          // Beside whoever awaits it: that one gets the same error.
          if (result instanceof Promise) result.catch(count);
          return result;
        } catch (error) {
          count(error);
          throw error;
        }
      };
    },
  });
  return { ledger: watched, state: { failures, bytes: async () => await bytesIn(stateDir) } };
}

/** Null: it said no to a question, or it is a bug. */
function failureOf(error: unknown): LedgerFailure | null {
  if (!(error instanceof RunbookError)) return null;
  const { code, cause } = error;
  if (code === 'io' || code === 'unavailable') return code;
  // That runs are paused is `busy` as well, and nothing is wrong then.
  return code === 'busy' && cause !== undefined ? 'locked' : null;
}

async function bytesIn(stateDir: string | null): Promise<number | null> {
  if (stateDir === null) return null;
  const sizes = ['ledger.sqlite', 'ledger.sqlite-wal'].map(
    async (name) =>
      await stat(path.join(stateDir, name)).then(
        ({ size }) => size,
        () => null,
      ),
  );
  const [main = null, ahead = null] = await Promise.all(sizes);
  return main === null ? null : main + (ahead ?? 0);
}
