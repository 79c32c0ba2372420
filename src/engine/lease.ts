/**
 * While a run is under way its owner says so in the ledger, tells where the run is, and looks whether somebody wants it to
 * stop. None of that may hold the run up or end it: what a busy ledger does not take is tried again a moment later.
 */
import type { Operation } from '../core/ports.ts';
import type { NotedProgress, StopReason } from '../core/run.ts';
import type { EnginePorts } from './ports.ts';
import { repeat } from './repeat.ts';

/** How often, and for how long, in milliseconds. */
export interface LeaseTimes {
  /** So long the owner counts as alive where nobody can look at its process. */
  readonly holds: number;
  readonly renewed: number;
  /** For a request to stop. */
  readonly looked: number;
}

const TIMES: LeaseTimes = { holds: 60_000, renewed: 20_000, looked: 250 };

export interface Lease {
  /** Aborted with a `StopReason`: somebody canceled the run, or recorded it as interrupted. */
  readonly signal: AbortSignal;
  /** Where the run is now, and how the steps ended that are over. Never fails. */
  reached(progress: NotedProgress): Promise<void>;
  /** Who wanted the run to end until now, oldest first. Looks once more; never fails. */
  requests(): Promise<readonly Operation[]>;
  /** Resolves when nothing of it uses the ledger any more. */
  release(): Promise<void>;
}

type LeasePorts = Pick<EnginePorts, 'ledger' | 'clock'>;

/** Until when the lease of a run holds that is asked for now. */
export function leaseUntil({ clock }: Pick<EnginePorts, 'clock'>, { holds } = TIMES): string {
  return new Date(clock.now().getTime() + holds).toISOString();
}

/** Of a run that was given one at `enqueue`. */
export function holdLease(ports: LeasePorts, runId: string, times: LeaseTimes = TIMES): Lease {
  const { ledger, clock } = ports;
  const stop = new AbortController();
  let renewedAt = clock.now().getTime();
  let untold: NotedProgress | null = null;
  let heard: readonly Operation[] = [];

  const tell = async (): Promise<void> => {
    const progress = untold;
    if (progress === null) return;
    await ledger.progress(runId, progress);
    if (untold === progress) untold = null;
  };
  const look = async (): Promise<void> => {
    const request = await ledger.cancelRequest(runId);
    if (request === null) return;
    if (request !== 'interrupted') heard = request;
    const [first] = heard;
    const message = request === 'interrupted' || first === undefined ? LOST : sentenceOf(first);
    stop.abort({ signal: 'SIGTERM', message } satisfies StopReason);
  };
  const renew = async (): Promise<void> => {
    const now = clock.now().getTime();
    // By the clock that others compare with, so also right after the machine has slept, or a clock was set back.
    if (Math.abs(now - renewedAt) < times.renewed) return;
    // Where there is none to renew the run has its end: its owner's own, or `look` hears of the other one.
    if (await ledger.renewLease(runId, leaseUntil(ports, times))) renewedAt = now;
  };
  const release = repeat(times.looked, async () => {
    // Each by itself: that a write finds no room does not keep a request from being seen.
    for (const work of [look, renew, tell]) await work().catch(() => {});
  });
  return {
    signal: stop.signal,
    reached: async (progress) => {
      untold = progress;
      await tell().catch(() => {});
    },
    requests: async () => {
      await look().catch(() => {});
      return heard;
    },
    release,
  };
}

const LOST = 'The run was taken for dead and recorded as interrupted, so it was ended.';

/** `Canceled by anna@ops-1: wrong cluster.` */
function sentenceOf({ who: { osUser, host, subject }, reason }: Operation): string {
  const whom = subject ?? (osUser === null ? host : `${osUser}@${host}`);
  const sentence = reason === null || reason === '' ? `Canceled by ${whom}` : `Canceled by ${whom}: ${reason}`;
  return /[.!?]$/.test(sentence) ? sentence : `${sentence}.`;
}
