/** Counts in Redis, for all servers that use it: one step there, so that none comes in between. */
import type { Redis } from 'ioredis';
import { RateLimiterRedis } from 'rate-limiter-flexible';
import { count } from './counter.ts';
import type { Counter } from './counter.ts';

const MINUTE = 60;

/** @param name of the limit: its keys are `runbook:limits:NAME:…`, and go by themselves after a minute */
export function redisCounter(client: Redis, name: string, most: number): Counter {
  const limiter = new RateLimiterRedis({
    storeClient: client,
    keyPrefix: `runbook:limits:${name}`,
    points: most,
    duration: MINUTE,
    // Whoever is over is so for the rest of the minute: a flood is not passed on.
    inMemoryBlockOnConsumed: most + 1,
  });
  return {
    add: async (key) => await count(limiter, key),
    takeBack: async (key) => {
      await limiter.reward(key);
    },
  };
}
