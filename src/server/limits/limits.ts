/** The limits of a server: what is counted, where, and what happens while that place is away. */
import { RunbookError } from '../../core/errors.ts';
import type { Settings } from '../../core/settings.ts';
import type { ServerContext } from '../context.ts';
import { memoryCounter } from './counter.ts';
import type { Count, Counter } from './counter.ts';
import { RedisAway } from './redis-link.ts';
import type { RedisLink } from './redis-link.ts';

/** `stranger`: without a token that holds, by address; `login`: by address; the others: by issuer and subject. */
export type Limit = 'stranger' | 'login' | 'read' | 'execute';
export type Counters = Readonly<Record<Limit, Counter>>;

export interface Limits {
  readonly isEnabled: boolean;
  /** Null: nothing is away that could be. */
  readonly away: boolean | null;
  /** @throws RunbookError `unavailable` where it may only be let through when it is counted */
  count(limit: Limit, key: string): Promise<Count>;
  /** The last one of it does not count. */
  takeBack(limit: Limit, key: string): Promise<void>;
  /** Of an address that has brought too many bad tokens: whether one more is looked at. */
  mayCheck(addressKey: string): Promise<boolean>;
  close(): void;
}

/** While it cannot be counted over all servers, nothing is begun and no token is made. */
const FAILS_CLOSED: ReadonlySet<Limit> = new Set(['login', 'execute']);
/** A second; looking at so many takes a hundredth of it, and whoever shares the address with an attacker gets in. */
const CHECKS_PER_SECOND = 100;
const WAIT = 'Try again in a few seconds; what begins nothing is answered meanwhile.';

type Ports = Pick<ServerContext, 'settings' | 'log'>;

/** Redis has been tried once when it resolves; it may be away. */
export async function createLimits({ settings, log }: Ports): Promise<Limits> {
  const most = mostOf(settings);
  const checks = memoryCounter(CHECKS_PER_SECOND, 1);
  const link = settings.rateLimitEnabled ? await linkOf({ settings, log }, most) : null;
  const local = counters((limit) => memoryCounter(link === null ? most[limit] : half(most[limit])));
  return {
    isEnabled: settings.rateLimitEnabled,
    get away() {
      return link?.isAway ?? null;
    },
    count: async (limit, key) => {
      if (link === null) return await local[limit].add(key);
      try {
        return await link.ask(async (counted) => await counted[limit].add(key));
      } catch (error) {
        if (!(error instanceof RedisAway)) throw error;
        if (!FAILS_CLOSED.has(limit)) return await local[limit].add(key);
        throw new RunbookError('unavailable', 'How often this was asked cannot be counted now.', {
          fix: WAIT,
          cause: error,
        });
      }
    },
    takeBack: async (limit, key) => {
      if (link === null) {
        await local[limit].takeBack(key);
        return;
      }
      await link
        .ask(async (counted) => {
          await counted[limit].takeBack(key);
        })
        .catch((error: unknown) => {
          // One too many is counted then, for a minute.
          if (!(error instanceof RedisAway)) throw error;
        });
    },
    mayCheck: async (key) => !(await checks.add(key)).isOver,
    close: () => {
      link?.close();
    },
  };
}

function mostOf(settings: Settings): Readonly<Record<Limit, number>> {
  return {
    stranger: settings.rateLimitPerMinute,
    login: settings.rateLimitLoginPerMinute,
    read: settings.rateLimitAuthenticatedPerMinute,
    execute: settings.rateLimitExecutePerMinute,
  };
}

async function linkOf(
  { settings, log }: Ports,
  most: Readonly<Record<Limit, number>>,
): Promise<RedisLink<Counters> | null> {
  const { rateLimitStorageBackend: backend, redisUrl } = settings;
  if (backend === 'memory' || redisUrl === null) return null;
  const [{ linkRedis }, { redisCounter }] = await Promise.all([
    import('./redis-link.ts'),
    import('./redis-counter.ts'),
  ]);
  const link = linkRedis(redisUrl, (client) => counters((limit) => redisCounter(client, limit, most[limit])), {
    onAway: (reason) => {
      log.error({ reason }, 'Redis is away: nothing is begun, and reading is bounded by each server for itself');
    },
    onBack: () => {
      log.info('Redis is back: limits are counted over all servers again');
    },
  });
  await link.tried;
  return link;
}

function counters(make: (limit: Limit) => Counter): Counters {
  return { stranger: make('stranger'), login: make('login'), read: make('read'), execute: make('execute') };
}

/** Several servers together let no more through than they would with it, as long as there are two. */
function half(most: number): number {
  return Math.max(1, Math.floor(most / 2));
}
