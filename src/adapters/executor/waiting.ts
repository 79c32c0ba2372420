/** Waiting for what comes first. */
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { StopSignals } from '../../core/ports.ts';

/** What ends a job first: itself (`own` says how), the clock, or the caller. */
export async function firstEnd<T>(
  timeoutMs: number | null,
  { stop }: StopSignals,
  own: Promise<T>,
): Promise<T | 'timed-out' | 'canceled'> {
  // Between the spawn and here the caller may have changed its mind.
  if (stop.aborted) return 'canceled';
  const settled = new AbortController();
  const never = new Promise<never>(() => {});
  try {
    return await Promise.race([
      own,
      timeoutMs === null
        ? never
        : delay(timeoutMs, 'timed-out' as const, { signal: settled.signal }).catch(() => never),
      once(stop, 'abort', { signal: settled.signal }).then(
        () => 'canceled' as const,
        () => never,
      ),
    ]);
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
