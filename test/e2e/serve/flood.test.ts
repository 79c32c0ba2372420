/** A lot of requests without sense: the server answers, stays as it is, and its log has a line for each event, whatever they say. */
import { expect, it } from 'vitest';
import { classic } from '../../helpers/cli.ts';
import { times } from '../../helpers/property.ts';
import { rawAnswer, statusesOf } from '../../helpers/raw-http.ts';
import { numbersOf, senselessRequest } from '../../helpers/senseless-requests.ts';
import { startServer } from '../../helpers/server.ts';

const server = await startServer({
  env: { LOGGING_LEVEL: 'DEBUG' },
  runbooks: { 'Real.md': classic('Real', 'echo real') },
});
const LAST = 'GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
const AT_ONCE = 25;
const LANES = 4;

const residentMiB = async (): Promise<number> => {
  const { text } = await server.get('/metrics', { token: null });
  return Math.round(Number(/^process_resident_memory_bytes (\S+)/m.exec(text)?.[1]) / 1024 ** 2);
};

it('requests that make no sense are answered, none by a crash, and none of them writes a line of the log itself', async () => {
  const authorization = `Authorization: Bearer ${await server.token()}`;
  const before = { memory: await residentMiB(), requests: requestsIn(server.log()) };
  const seed = Date.now() % 2 ** 31;
  const random = numbersOf(seed);
  const count = times(5000, 200_000);
  const wrong: string[] = [];
  const shares = new Map<number, number>();
  const tally = { sent: 0, answers: 0 };

  const lane = async (): Promise<void> => {
    while (tally.sent < count) {
      // One after the other on one connection; where the server ends it, the rest is not answered.
      const requests = Array.from({ length: AT_ONCE }, () => senselessRequest(random, authorization));
      tally.sent += requests.length + 1;
      const text = await rawAnswer(server.port, Buffer.from(requests.join('') + LAST, 'latin1'));
      for (const answer of text.split(/(?=HTTP\/1\.1 \d{3} [A-Z])/)) {
        const [status = 0] = statusesOf(answer);
        const id = /^x-correlation-id: (.*)\r$/im.exec(answer)?.[1];
        tally.answers += 1;
        shares.set(status, (shares.get(status) ?? 0) + 1);
        if (status === 0 || (status >= 500 && status !== 503) || /^set-cookie:/im.test(answer)) wrong.push(answer);
        if (!/^[A-Za-z0-9._-]{1,64}$/.test(id ?? '')) wrong.push(answer);
      }
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));

  const said = [...shares].sort(([a], [b]) => a - b).map(([status, number]) => `${status}: ${number}`);
  const after = await residentMiB();
  process.stdout.write(`seed ${seed}, sent ${tally.sent}, answers ${tally.answers} (${said.join(', ')})\n`);
  process.stdout.write(`memory ${before.memory} MiB before, ${after} MiB after\n`);
  expect(wrong.slice(0, 3)).toEqual([]);
  expect(tally.answers).toBeGreaterThan(count / 3);
  expect(after - before.memory).toBeLessThan(150);
  expect((await server.execute('Real.md')).done()).toMatchObject({ success: true });

  const { stdout, exitCode } = await server.stop();
  expect(exitCode).toBe(0);
  // A line is an object, and an object is an event of ours.
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { readonly msg?: unknown; readonly level?: unknown });
  const kinds = new Set(
    lines.map(({ msg }) =>
      String(msg)
        .replace(/^(Authentication failed).*/s, '$1')
        .slice(0, 60),
    ),
  );
  process.stdout.write(`${lines.length} lines of log of ${kinds.size} kinds: ${[...kinds].join(' | ')}\n`);
  expect(lines.filter(({ level }) => level === 'fatal' || level === 'error')).toEqual([]);
  const requests = requestsIn(lines) - before.requests;
  // Each answer has its line, what was answered and not read as well; the execution above is one more.
  expect(requests).toBeGreaterThanOrEqual(tally.answers + 1);
  expect(requests).toBeLessThanOrEqual(tally.sent + 1);
  expect(kinds.size).toBeLessThan(20);
});

function requestsIn(lines: readonly { readonly msg?: unknown }[]): number {
  return lines.filter(({ msg }) => msg === 'Request').length;
}
