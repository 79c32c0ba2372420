/** How often something was asked in the minute that began with the first time. */
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import type { RateLimiterAbstract } from 'rate-limiter-flexible';

export interface Count {
  readonly most: number;
  readonly left: number;
  readonly isOver: boolean;
  /** Milliseconds until it begins anew. */
  readonly restMs: number;
}

export interface Counter {
  add(key: string): Promise<Count>;
  /** The last one does not count. */
  takeBack(key: string): Promise<void>;
}

const MINUTE_MS = 60_000;
/** Within a minute. A caller that has so many addresses is bounded by none of them; what counts then is that memory is. */
const MAX_KEYS = 50_000;
const OTHERS = 'others';

/** In this process. @param seconds 60 where nothing is said */
export function memoryCounter(most: number, seconds = 60, maxKeys = MAX_KEYS): Counter {
  const limiter = new RateLimiterMemory({ points: most, duration: seconds });
  let known = { since: 0, count: 0 };
  const keyFor = async (key: string): Promise<string> => {
    if (known.count < maxKeys) return key;
    return (await limiter.get(key)) === null ? OTHERS : key;
  };
  return {
    add: async (key) => {
      const now = performance.now();
      if (now - known.since >= MINUTE_MS) known = { since: now, count: 0 };
      const result = await count(limiter, await keyFor(key));
      if (result.isFirst) known.count += 1;
      return result;
    },
    takeBack: async (key) => {
      await limiter.reward(await keyFor(key));
    },
  };
}

/** @throws whatever its store does */
export async function count(limiter: RateLimiterAbstract, key: string): Promise<Count & { readonly isFirst: boolean }> {
  try {
    return countOf(limiter.points, await limiter.consume(key), false);
  } catch (error) {
    if (error instanceof RateLimiterRes) return countOf(limiter.points, error, true);
    throw error;
  }
}

/** @param isOver what is remembered as being over has no count */
function countOf(most: number, result: RateLimiterRes, isOver: boolean): Count & { readonly isFirst: boolean } {
  const { remainingPoints, msBeforeNext, isFirstInDuration } = result;
  return {
    most,
    left: isOver ? 0 : Math.max(0, remainingPoints),
    isOver,
    restMs: Math.max(0, msBeforeNext),
    isFirst: isFirstInDuration,
  };
}
