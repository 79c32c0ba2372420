/** Redis away, hanging, full, empty (b7): nothing is begun that cannot be counted, reading goes on, and it comes back by itself. */
import { text } from 'node:stream/consumers';
import { describe, expect, it, vi } from 'vitest';
import { classic } from '../../helpers/cli.ts';
import { times } from '../../helpers/property.ts';
import { aRedis, REDIS_PASSWORD } from '../../helpers/redis.ts';
import { requires } from '../../helpers/requires.ts';
import { startServer } from '../../helpers/server.ts';
import type { Answer } from '../../helpers/server.ts';

const LIST = '/api/runbooks';
const READ = 40;
/** One or two answers of a machine that is busy may come later; none waits for Redis. */
const SOON_MS = 5000;

describe.skipIf(!requires('redis-server'))('Redis', async () => {
  const redis = await aRedis();
  const server = await startServer({
    env: {
      RATE_LIMIT_ENABLED: 'true',
      RATE_LIMIT_STORAGE_BACKEND: 'redis',
      REDIS_URL: redis.url,
      RATE_LIMIT_AUTHENTICATED_PER_MINUTE: String(READ),
      ENABLE_LOGIN: 'true',
    },
    runbooks: { 'Hello.md': classic('Hello', 'echo hello'), 'Slow.md': classic('Slow', 'sleep 2; echo slept') },
  });
  let callers = 0;
  const newToken = async (): Promise<string> => await server.token({ sub: `caller ${(callers += 1)}` });
  const execute = async (): Promise<Answer> =>
    await server.post('/api/runbooks/Hello.md/execute', { token: await newToken() });
  const login = async (): Promise<Answer> => await server.post('/dev-login', { token: null, body: {} });
  const ready = async (): Promise<{ status: number; limits: unknown }> => {
    const answer = await server.get('/readyz', { token: null });
    const checks = answer.json()['checks'] as readonly { readonly name: string }[];
    return { status: answer.status, limits: checks.find(({ name }) => name === 'limits') };
  };
  const timed = async (ask: () => Promise<Answer>): Promise<{ answer: Answer; ms: number }> => {
    const start = performance.now();
    return { answer: await ask(), ms: performance.now() - start };
  };
  const back = async (): Promise<void> => {
    await vi.waitFor(async () => expect((await ready()).limits).toMatchObject({ ok: true }), { timeout: 30_000 });
  };
  const durations: number[] = [];

  async function isAway(): Promise<void> {
    for (const ask of [execute, login]) {
      const { answer, ms } = await timed(ask);
      expect(answer.json()).toMatchObject({ status: 503, code: 'unavailable' });
      expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
      durations.push(ms);
    }
    expect(await ready()).toEqual({
      status: 200,
      limits: { name: 'limits', ok: false, detail: 'Redis is away: runs and logins are refused, reading goes on' },
    });
    // Half of the limit, counted here.
    const token = await newToken();
    const answers = await Promise.all(Array.from({ length: READ }, async () => await server.get(LIST, { token })));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(READ / 2);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(READ / 2);
  }

  async function isBack(): Promise<void> {
    await back();
    expect((await execute()).status).toBe(200);
    const { status, headers } = await login();
    expect([status, headers['ratelimit-limit']]).toEqual([200, '10']);
    expect((await server.get(LIST, { token: await newToken() })).headers['ratelimit-limit']).toBe(String(READ));
  }

  it('is not there at the start: the server starts, says so, and finds it when it comes', async () => {
    await isAway();
    const metrics = await server.get('/metrics', { token: null });
    expect(metrics.text).toMatch(/^runbook_ready\{check="limits"\} 0$/m);
    await redis.start();
    await isBack();
  });

  it('is killed while a run goes on: that ends as always, and the next one waits for Redis', async () => {
    const running = await server.open('POST', '/api/runbooks/Slow.md/execute', { token: await newToken() });
    expect(running.statusCode).toBe(200);
    await redis.end();
    await isAway();
    expect(await text(running)).toContain('"return_code": 0, "stdout": "slept\\n"');
    await redis.start();
    await isBack();
  });

  it.each<[string, () => Promise<void>, () => Promise<void>]>([
    [
      'is stopped',
      async () => {
        redis.signal('SIGSTOP');
      },
      async () => {
        redis.signal('SIGCONT');
      },
    ],
    [
      'is paused',
      async () => {
        await redis.ask('CLIENT', 'PAUSE', String(times(2000, 10_000)));
      },
      async () => {},
    ],
    [
      'is full',
      async () => {
        await redis.ask('CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
        await redis.ask('CONFIG', 'SET', 'maxmemory', '1');
      },
      async () => {
        await redis.ask('CONFIG', 'SET', 'maxmemory', '0');
      },
    ],
    [
      'takes no writes (a replica)',
      async () => {
        await redis.ask('REPLICAOF', '127.0.0.1', '1');
      },
      async () => {
        await redis.ask('REPLICAOF', 'NO', 'ONE');
      },
    ],
  ])('%s', async (_, harm, mend) => {
    await harm();
    await isAway();
    await mend();
    await isBack();
    expect((await ready()).limits).toMatchObject({ ok: true });
  });

  it('is flushed, its scripts too: counting begins anew', async () => {
    const token = await newToken();
    await server.get(LIST, { token });
    await redis.ask('FLUSHALL');
    await redis.ask('SCRIPT', 'FLUSH');
    const answers = await Promise.all(Array.from({ length: READ + 5 }, async () => await server.get(LIST, { token })));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(READ);
    expect((await ready()).limits).toMatchObject({ ok: true });
  });

  it('was away without an error that nobody handled; each time is told once, and nothing of its address', async () => {
    const said = (msg: string) => server.log().filter((line) => String(line['msg']).startsWith(msg));
    process.stdout.write(`refused after ${durations.map((ms) => Math.round(ms)).join(' ')} ms\n`);
    expect(Math.max(...durations)).toBeLessThan(SOON_MS);
    expect(said('Redis is away').length).toBe(6);
    expect(said('Redis is back').length).toBe(6);
    expect(said('A bug')).toEqual([]);
    expect(JSON.stringify(server.log()) + server.said()).not.toContain(REDIS_PASSWORD);
    expect((await server.stop()).exitCode).toBe(0);
  });
});
