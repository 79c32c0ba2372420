/** Requests that name themselves (`Idempotency-Key`): of each one run comes, and whoever asks again is told of that run. */
import type { EnginePorts } from '../../engine/ports.ts';
import type { Identity } from '../../core/ports.ts';
import type { KeyedRun, KeyHolder, RequestKey } from '../../core/request-key.ts';
import { HttpError } from '../problem.ts';
import type { Asked } from './asked.ts';

const HOLDS_MS = 24 * 3_600_000;

/** Of a run's own token the key is that of the run: its script is not to find what its caller has asked for. */
export function holderOf(
  { clock }: Pick<EnginePorts, 'clock'>,
  { issuer, subject, run }: Identity,
  key: string,
): KeyHolder {
  return {
    issuer: issuer ?? '',
    subject,
    // No key has a space.
    key: run === undefined ? key : `${run.runId} ${key}`,
    since: new Date(clock.now().getTime() - HOLDS_MS).toISOString(),
  };
}

/** @param body as it was parsed; values of variables do not get beyond the fingerprint */
export function requestKeyOf(
  { secrets }: Pick<EnginePorts, 'secrets'>,
  holder: KeyHolder,
  name: string,
  { choice, timeoutMs, confirm, incident }: Asked,
  body: unknown,
): RequestKey {
  const asked = [name, choice?.kind ?? null, choice?.step ?? null, timeoutMs, confirm, incident, ordered(body)];
  return { ...holder, digest: secrets.fingerprint(JSON.stringify(asked)) };
}

/** @throws HttpError 409 where something else was asked for under that key */
export function sameRun({ digest }: RequestKey, earlier: KeyedRun): string {
  if (earlier.digest === digest) return earlier.runId;
  throw new HttpError(409, 'conflict', 'This Idempotency-Key was used for another request.', {
    fix: 'Take a new key for what is to be done anew; send the same request to hear of the earlier run.',
  });
}

/** Of one process: who has the same key waits until it is known what came of the first. */
export interface KeyTurns {
  /** @returns what ends the turn; may be called several times */
  take(holder: KeyHolder): Promise<() => void>;
}

export function createKeyTurns(): KeyTurns {
  const last = new Map<string, Promise<void>>();
  return {
    take: async ({ issuer, subject, key }) => {
      const name = JSON.stringify([issuer, subject, key]);
      const before = last.get(name);
      const turn = Promise.withResolvers<void>();
      last.set(name, turn.promise);
      await before;
      return () => {
        if (last.get(name) === turn.promise) last.delete(name);
        turn.resolve();
      };
    },
  };
}

/** Members in one order; nested no deeper than a body may be. */
function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered);
  if (typeof value !== 'object' || value === null) return value ?? null;
  const members = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(members.map(([name, item]) => [name, ordered(item)]));
}
