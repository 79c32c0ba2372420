/** Waiting for what comes first. */
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';

export interface Deadline {
  /** Aborts when the time is over; never after `clear`. */
  readonly signal: AbortSignal;
  readonly clear: () => void;
}

/** @param ms null: none */
export function startDeadline(ms: number | null): Deadline {
  const controller = new AbortController();
  const timer = ms === null ? undefined : setTimeout(() => controller.abort(), ms);
  return { signal: controller.signal, clear: () => clearTimeout(timer) };
}

/** What ends a job first: itself (`own` says how), the clock, or the caller. */
export async function firstEnd<T>(
  own: Promise<T>,
  stop: AbortSignal,
  deadline: AbortSignal,
): Promise<T | 'timed-out' | 'canceled'> {
  // Between the spawn and here the caller may have changed its mind.
  if (stop.aborted) return 'canceled';
  if (deadline.aborted) return 'timed-out';
  const settled = new AbortController();
  const happens = async <C>(signal: AbortSignal, cause: C): Promise<C> => {
    await once(signal, 'abort', { signal: settled.signal }).catch(async () => await new Promise<never>(() => {}));
    return cause;
  };
  try {
    return await Promise.race([own, happens(deadline, 'timed-out' as const), happens(stop, 'canceled' as const)]);
  } finally {
    settled.abort();
  }
}

/** Whether it happens within the time; `hurry` ends the waiting. */
export async function happensWithin(happens: Promise<unknown>, ms: number, hurry?: AbortSignal): Promise<boolean> {
  const settled = new AbortController();
  const signal = hurry === undefined ? settled.signal : AbortSignal.any([settled.signal, hurry]);
  try {
    return await Promise.race([happens.then(() => true), delay(ms, false, { signal }).catch(() => false)]);
  } finally {
    settled.abort();
  }
}
