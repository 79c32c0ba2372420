/** What a server keeps of requests that are over: nothing. What it has taken from the system by then is another matter. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, it, vi } from 'vitest';
import { classic, REPOSITORY } from '../../helpers/cli.ts';
import { times } from '../../helpers/property.ts';
import { rawAnswer } from '../../helpers/raw-http.ts';
import { numbersOf, senselessRequest } from '../../helpers/senseless-requests.ts';
import { startServer } from '../../helpers/server.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'runbook-heap-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const probe = path.join(folder, 'heap');
const server = await startServer({
  env: {
    NODE_OPTIONS: `--expose-gc --import ${path.join(REPOSITORY, 'test/helpers/heap-probe.mjs')}`,
    HEAP_PROBE: probe,
    // The helper keeps all lines of the log, and that is not what is looked at.
    LOGGING_LEVEL: 'ERROR',
  },
  runbooks: { 'Real.md': classic('Real', 'echo real') },
});
const LAST = 'GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
const AT_ONCE = 25;
const MIB = 1024 ** 2;

async function heapUsed(): Promise<number> {
  rmSync(probe, { force: true });
  server.kill('SIGUSR2');
  await vi.waitFor(() => expect(existsSync(probe)).toBe(true), { timeout: 30_000 });
  return Number(readFileSync(probe, 'utf8'));
}

it('after thousands of requests its heap is as it was', async () => {
  const authorization = `Authorization: Bearer ${await server.token()}`;
  const random = numbersOf(4711);
  const good = `GET /api/runbooks/Real.md HTTP/1.1\r\nHost: a\r\n${authorization}\r\n\r\n`;
  const send = async (count: number): Promise<void> => {
    for (let sent = 0; sent < count; sent += AT_ONCE) {
      const requests = Array.from({ length: AT_ONCE }, (_, n) =>
        n % 5 === 0 ? good : senselessRequest(random, authorization),
      );
      await rawAnswer(server.port, Buffer.from(requests.join('') + LAST, 'latin1'));
    }
  };
  // Whatever is made once is made by then.
  await send(2000);
  const before = await heapUsed();
  const count = times(8000, 200_000);
  await send(count);
  const after = await heapUsed();
  const grown = after - before;
  process.stdout.write(
    `heap ${(before / MIB).toFixed(1)} MiB, after ${count} requests more ${(after / MIB).toFixed(1)} MiB\n`,
  );
  // 300 bytes of each request would be more than that.
  expect(grown).toBeLessThan(2 * MIB);
});
