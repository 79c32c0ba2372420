/**
 * A Redis that may be away at any time: not there, hanging, full, asking for another password. What is asked meanwhile is
 * told so at once; whether it is back is found out beside requests.
 */
import { Redis } from 'ioredis';
import { messageOf } from '../../core/failures.ts';

/** What does not answer for so long counts as away. */
const PATIENCE_MS = 500;
const RETRY_MS = 500;
/** Written with each try: a Redis that takes no writes is of no use. */
const PROBE = 'runbook:limits:probe';

export class RedisAway extends Error {}

export interface RedisLink<T> {
  readonly isAway: boolean;
  /** Has been tried once. Never rejects. */
  readonly tried: Promise<void>;
  /** @param use what is asked of it  @throws RedisAway also where it goes away meanwhile */
  ask<R>(use: (made: T) => Promise<R>): Promise<R>;
  close(): void;
}

interface Told {
  /** One sentence at most, without the address. */
  readonly onAway: (reason: string) => void;
  readonly onBack: () => void;
}

/** @param make what is used of a connection; made anew for each one */
export function linkRedis<T>(url: string, make: (client: Redis) => T, { onAway, onBack }: Told): RedisLink<T> {
  let current: { readonly client: Redis; readonly made: T } | null = null;
  let trying: Redis | null = null;
  let timer: NodeJS.Timeout | null = null;
  let isClosed = false;
  let isTold = false;

  async function connect(): Promise<void> {
    const client = new Redis(url, {
      lazyConnect: true,
      connectTimeout: PATIENCE_MS,
      // All of these would wait for it, or try it again behind our back.
      retryStrategy: () => null,
      maxRetriesPerRequest: 0,
      enableOfflineQueue: false,
      enableReadyCheck: false,
      disableClientInfo: true,
    });
    let failure: unknown = null;
    // Without a listener it would write to stderr.
    client.on('error', (error) => (failure = error));
    trying = client;
    try {
      await within(client.connect());
      await within(client.set(PROBE, '1', 'PX', 60_000));
      if (isClosed) throw new RedisAway('it was closed');
      current = { client, made: make(client) };
      client.once('end', () => {
        lose(client, 'the connection has ended');
      });
      if (isTold) onBack();
      isTold = false;
    } catch (error) {
      client.disconnect();
      tell(messageOf(failure ?? error));
      later();
    } finally {
      trying = null;
    }
  }

  function lose(client: Redis, reason: string): void {
    // Of many that fail at once the first one has said it.
    if (current?.client !== client) return;
    current = null;
    client.disconnect();
    tell(reason);
    later();
  }

  function tell(reason: string): void {
    // Once, not with every try.
    if (isClosed || isTold) return;
    isTold = true;
    onAway(reason);
  }

  function later(): void {
    if (isClosed) return;
    timer = setTimeout(() => void connect(), RETRY_MS);
    timer.unref();
  }

  return {
    get isAway() {
      return current === null;
    },
    tried: connect(),
    ask: async (use) => {
      if (current === null) throw new RedisAway('it is away');
      const { client, made } = current;
      try {
        return await within(use(made));
      } catch (error) {
        lose(client, messageOf(error));
        throw new RedisAway('it went away', { cause: error });
      }
    },
    close: () => {
      isClosed = true;
      if (timer !== null) clearTimeout(timer);
      trying?.disconnect();
      current?.client.disconnect();
      current = null;
    },
  };
}

/** Where this process itself was held up, the answer may be there already: it is looked for before anybody is called away. */
async function within<R>(answer: Promise<R>): Promise<R> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      setImmediate(() => {
        reject(new RedisAway(`it has not answered for ${PATIENCE_MS} ms`));
      });
    }, PATIENCE_MS);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
    // It may still fail, and nobody listens any more.
    answer.catch(() => undefined);
  }
}
