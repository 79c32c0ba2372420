/** A real Redis of a test's own: a process on a free port, with a password and nothing on disk. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll } from 'vitest';

export const REDIS_PASSWORD = 'a-canary-of-redis';

export interface TestRedis {
  /** With the password. */
  readonly url: string;
  start(): Promise<void>;
  /** It is gone when it resolves; a stopped one goes on first. */
  end(): Promise<void>;
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void;
  /** One command, over a connection of its own. */
  ask(...command: readonly [string, ...string[]]): Promise<unknown>;
}

/** Not started yet; ends with the test file. */
export async function aRedis(): Promise<TestRedis> {
  const folder = mkdtempSync(path.join(tmpdir(), 'runbook-redis-'));
  const port = await freePort();
  const url = `redis://:${REDIS_PASSWORD}@127.0.0.1:${port}/0`;
  let child: ChildProcess | null = null;

  const end = async (): Promise<void> => {
    const running = child;
    child = null;
    if (running === null) return;
    const ended = once(running, 'exit');
    running.kill('SIGKILL');
    await ended;
  };
  const ask: TestRedis['ask'] = async (name, ...rest) => {
    const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null, maxRetriesPerRequest: 0 });
    client.on('error', () => {});
    try {
      await client.connect();
      return await client.call(name, ...rest);
    } finally {
      client.disconnect();
    }
  };
  afterAll(async () => {
    await end();
    rmSync(folder, { recursive: true, force: true });
  });
  return {
    url,
    end,
    ask,
    start: async () => {
      const quiet = ['--save', '', '--appendonly', 'no', '--daemonize', 'no', '--dir', folder];
      const place = ['--port', String(port), '--bind', '127.0.0.1', '--requirepass', REDIS_PASSWORD];
      child = spawn('redis-server', [...place, ...quiet], { stdio: 'ignore' });
      for (let waits = 0; waits < 600; waits += 1) {
        if ((await ask('PING').catch(() => null)) === 'PONG') return;
        await delay(50);
      }
      throw new Error('redis-server does not answer');
    },
    signal: (signal) => {
      child?.kill(signal);
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}
