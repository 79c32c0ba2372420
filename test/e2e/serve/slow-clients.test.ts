/** Clients that never come to an end of their request are closed, others are served meanwhile; a bug has the headers of any answer. */
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { expect, it } from 'vitest';
import { classic } from '../../helpers/cli.ts';
import { eventually } from '../../helpers/background.ts';
import { startServer } from '../../helpers/server.ts';

const EACH = 25;
const BODY_BYTES = 600;

interface Slow {
  readonly socket: Socket;
  readonly openedAt: number;
  closedAfter: number | null;
  text: string;
}

it(`${2 * EACH} connections that send a byte a second are closed, and others are served meanwhile`, async () => {
  const server = await startServer({ runbooks: { 'Real.md': classic('Real', 'echo real') } });
  const auth = `Authorization: Bearer ${await server.token()}`;
  const open = (head: string): Slow => {
    const slow: Slow = {
      socket: connect({ host: '127.0.0.1', port: server.port }),
      openedAt: Date.now(),
      closedAfter: null,
      text: '',
    };
    slow.socket.on('error', () => {});
    slow.socket.on('data', (chunk) => (slow.text += chunk.toString('latin1')));
    slow.socket.on('close', () => (slow.closedAfter = Date.now() - slow.openedAt));
    slow.socket.write(head);
    return slow;
  };
  const post = `POST /api/runbooks/Real.md/execute HTTP/1.1\r\nHost: a\r\n${auth}\r\nContent-Type: application/json\r\n`;
  const inHead = Array.from({ length: EACH }, () => open(`${post}X-Slow: `));
  const inBody = Array.from({ length: EACH }, () => open(`${post}Content-Length: ${BODY_BYTES}\r\n\r\n`));
  const all = [...inHead, ...inBody];
  const drip = setInterval(() => {
    for (const { socket } of all) if (socket.writable) socket.write(' ');
  }, 1000);
  let served = 0;
  try {
    await eventually(
      async () => {
        expect((await server.get('/healthz', { token: null })).status).toBe(200);
        expect((await server.execute('Real.md')).done()).toMatchObject({ success: true });
        served += 1;
        return all.every(({ closedAfter }) => closedAfter !== null);
      },
      () => `${all.filter(({ closedAfter }) => closedAfter === null).length} connections are still open`,
    );
  } finally {
    clearInterval(drip);
    for (const { socket } of all) socket.destroy();
  }
  const longest = (of: readonly Slow[]): number => Math.max(...of.map(({ closedAfter }) => closedAfter ?? Infinity));
  process.stdout.write(
    `closed after ${longest(inHead)} ms in the head, ${longest(inBody)} ms in the body; ${served} served\n`,
  );
  for (const { text } of all) expect(text).toMatch(/^HTTP\/1\.1 408 [\s\S]*"code":"usage"/);
  // Looked for every 2 s; the rest is for a busy machine. Nobody who is merely slow is cut off early.
  expect(Math.min(...inHead.map(({ closedAfter }) => closedAfter ?? 0))).toBeGreaterThan(14_000);
  expect(Math.min(...inBody.map(({ closedAfter }) => closedAfter ?? 0))).toBeGreaterThan(29_000);
  expect(served).toBeGreaterThan(5);
  const timeouts = () => server.log().filter(({ msg, status }) => msg === 'Request' && status === 408).length;
  await expect.poll(timeouts, { timeout: 30_000 }).toBeGreaterThanOrEqual(2 * EACH);
});

it('a bug: 500 with all headers, no word of it to the caller, all of it in the log', async () => {
  // The one way to a bug that is sure to be there: the process itself is broken, for one address only.
  const breaks = `const Real = URL; globalThis.URL = class extends Real { constructor(...all) {
    if (String(all[0]).includes('break-it')) throw new TypeError('canary of a bug'); super(...all); } };`;
  const server = await startServer({
    env: { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(breaks)}`, ENABLE_HSTS: 'true' },
  });
  const usual = (await server.get('/healthz', { token: null })).headers;
  const { status, headers, text, json } = await server.get('/metrics?break-it', {
    token: null,
    headers: { 'x-correlation-id': 'of-a-bug' },
  });
  expect([status, headers['x-correlation-id'], headers['content-type']]).toEqual([
    500,
    'of-a-bug',
    'application/problem+json; charset=utf-8',
  ]);
  expect(json()).toMatchObject({ code: 'internal', error: 'A processing error occurred', success: false });
  expect(text).not.toMatch(/canary|TypeError|node:|\.js|\.ts/);
  const names = Object.keys(usual).filter((name) =>
    /^(?:content-security|x-|cross-|strict|referrer|origin)/.test(name),
  );
  expect(names.length).toBeGreaterThan(8);
  for (const name of names.filter((one) => one !== 'x-correlation-id'))
    expect([name, headers[name]]).toEqual([name, usual[name]]);
  const line = () => server.log().find(({ msg, correlationId }) => msg === 'A bug' && correlationId === 'of-a-bug');
  await expect.poll(() => JSON.stringify(line()?.['err'] ?? null), { timeout: 30_000 }).toContain('canary of a bug');
  expect((await server.get('/metrics', { token: null })).text).toContain(
    'flask_http_request_exceptions_total{method="GET",status="500"} 1',
  );
});
