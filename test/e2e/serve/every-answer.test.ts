/** Whatever arrives, the answer is a problem document with the id that its line in the log has. */
import { METHODS } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it, vi } from 'vitest';
import { classic } from '../../helpers/cli.ts';
import { rawAnswer, statusesOf } from '../../helpers/raw-http.ts';
import { asObject } from '../../helpers/schemas.ts';
import { startServer } from '../../helpers/server.ts';
import type { TestServer } from '../../helpers/server.ts';

const server = await startServer({ runbooks: { 'Real.md': classic('Real', 'echo real') } });
const PLAIN = 'Host: a\r\nConnection: close\r\n\r\n';

interface Told {
  readonly status: number;
  readonly id: string;
  readonly allow: string | undefined;
  readonly problem: Readonly<Record<string, unknown>>;
}

/** @throws where the answer is not one problem document with an id and the headers for browsers */
function told(text: string): Told {
  expect(statusesOf(text), text.slice(0, 400)).toHaveLength(1);
  const [head = '', bytes = ''] = text.split('\r\n\r\n');
  const body = Buffer.from(bytes, 'latin1').toString();
  const header = (name: string): string | undefined => new RegExp(`^${name}: (.*)\\r?$`, 'im').exec(head)?.[1]?.trim();
  expect(header('content-type'), text).toBe('application/problem+json; charset=utf-8');
  expect(header('x-content-type-options'), text).toBe('nosniff');
  expect(header('content-security-policy'), text).toContain("default-src 'none'");
  expect(header('content-length'), text).toBe(String(Buffer.byteLength(body)));
  expect(header('x-correlation-id'), text).toMatch(/^[A-Za-z0-9._-]{1,64}$/);
  const problem = asObject(JSON.parse(body));
  const status = statusesOf(text)[0] ?? 0;
  expect(problem).toMatchObject({ status, success: false, error: expect.any(String), fix: expect.any(String) });
  return { status, id: header('x-correlation-id') ?? '', allow: header('allow'), problem };
}

async function line(of: TestServer, id: string): Promise<Readonly<Record<string, unknown>>> {
  const lines = () => of.log().filter(({ msg, correlationId }) => msg === 'Request' && correlationId === id);
  await vi.waitFor(() => expect(lines()).toHaveLength(1), { timeout: 30_000 });
  return lines()[0] ?? {};
}

const json = (length: number): string => `Content-Type: text/plain\r\nContent-Length: ${length}\r\n`;
it.each<[string, string, number, string | null, string | null]>([
  ['TRACE', `TRACE /api/runbooks HTTP/1.1\r\n${PLAIN}`, 405, 'TRACE', '/api/runbooks'],
  ['PROPFIND', `PROPFIND /api/runbooks/Real.md HTTP/1.1\r\n${PLAIN}`, 405, 'PROPFIND', '/api/runbooks/:name'],
  ['PUT with a body', `PUT /healthz HTTP/1.1\r\n${json(1)}${PLAIN}x`, 405, 'PUT', '/healthz'],
  ['TRACE of nothing', `TRACE /nothing HTTP/1.1\r\n${PLAIN}`, 404, 'TRACE', null],
  ['a method of nobody', `FOO /api/runbooks HTTP/1.1\r\n${PLAIN}`, 400, null, null],
  ['a tunnel', `CONNECT example.com:443 HTTP/1.1\r\n${PLAIN}`, 405, 'CONNECT', null],
  ['a tunnel to nowhere', `CONNECT / HTTP/1.1\r\n${PLAIN}`, 404, 'CONNECT', null],
  ['a tunnel to what there is', `CONNECT /api/runbooks/Real.md?a=b HTTP/1.1\r\n${PLAIN}`, 405, 'CONNECT', null],
  ['QUERY', `QUERY /api/runbooks HTTP/1.1\r\n${PLAIN}`, 405, 'QUERY', '/api/runbooks'],
  ['QUERY of nothing', `QUERY /nothing HTTP/1.1\r\n${PLAIN}`, 404, 'QUERY', null],
  ['QUERY of nothing with a body', `QUERY /nothing HTTP/1.1\r\nContent-Length: 2\r\n${PLAIN}{}`, 404, 'QUERY', null],
  ['POST of nothing with a text', `POST /nothing HTTP/1.1\r\n${json(2)}${PLAIN}{}`, 404, 'POST', null],
  ['OPTIONS of the server itself', `OPTIONS * HTTP/1.1\r\n${PLAIN}`, 404, 'OPTIONS', null],
  ['an upgrade that is not taken', `GET /nothing HTTP/1.1\r\nUpgrade: h2c\r\n${PLAIN}`, 404, 'GET', null],
  ['no Host', 'GET /healthz HTTP/1.1\r\n\r\n', 400, 'GET', '/healthz'],
  ['two Hosts', `GET /healthz HTTP/1.1\r\nHost: b\r\n${PLAIN}`, 400, 'GET', '/healthz'],
  ['an expectation', `POST /dev-login HTTP/1.1\r\nExpect: everything\r\n${PLAIN}`, 417, 'POST', null],
  ['an address that cannot be decoded', `GET /api/runbooks/%zz HTTP/1.1\r\n${PLAIN}`, 400, 'GET', null],
  ['a name without end', `GET /api/runbooks/${'x'.repeat(2000)} HTTP/1.1\r\n${PLAIN}`, 404, 'GET', null],
  ['half a request line', 'GET\r\n\r\n', 400, null, null],
  ['no protocol', 'GET /healthz\r\n\r\n', 400, 'GET', '/healthz'],
  ['another protocol', `GET / SPDY/3\r\n${PLAIN}`, 400, null, null],
  ['headers without end', `GET / HTTP/1.1\r\nA: ${'a'.repeat(20_000)}\r\n${PLAIN}`, 431, null, null],
  ['a header that is none', `GET / HTTP/1.1\r\nnonsense\r\n${PLAIN}`, 400, null, null],
])('%s', async (_, request, status, method, route) => {
  const answer = told(await rawAnswer(server.port, Buffer.from(request, 'latin1')));
  expect(answer.status, JSON.stringify(answer.problem)).toBe(status);
  expect(answer.allow === undefined).toBe(status !== 405);
  expect(await line(server, answer.id)).toMatchObject({ level: 'info', status, method, route, subject: null });
});

it('has the caller’s own id where that is harmless', async () => {
  for (const [n, start] of ['CONNECT a:1', 'GET /%zz', 'TRACE /', 'POST /dev-login'].entries()) {
    const expects = start.startsWith('POST') ? 'Expect: x\r\n' : '';
    const request = `${start} HTTP/1.1\r\nX-Correlation-Id: own-${n}\r\n${expects}${PLAIN}`;
    expect(told(await rawAnswer(server.port, request)).id).toBe(`own-${n}`);
    await line(server, `own-${n}`);
  }
});

it('every method that is read is told what an address has, before anybody is asked for a token', async () => {
  const methods = METHODS.filter((method) => !['CONNECT', 'POST', 'OPTIONS'].includes(method));
  for (const method of methods) {
    const { status, headers } = await server.request(method, '/api/runbooks/Real.md/execute', { token: null });
    expect([method, status, headers.allow]).toEqual([method, 405, 'POST, OPTIONS']);
  }
  // What is in front of them may not know them either: 404, whatever they are asked with.
  for (const method of METHODS.filter((one) => one !== 'CONNECT' && one !== 'HEAD')) {
    const { status, json: read } = await server.request(method, '/nothing', { token: null });
    expect([method, status, read()['code']]).toEqual([method, 404, 'not-found']);
  }
  process.stdout.write(`${methods.length} methods\n`);
  expect(methods.length).toBeGreaterThan(25);
});

it.each(['/api/runbooks/', '/api/config/', '/api/runbooks/Real.md/', '/api/runbooks//execute', '/healthz/', '/docs/'])(
  '%s is no address: 404 before anybody is asked for a token',
  async (address) => {
    for (const method of ['GET', 'POST', 'PATCH', 'PUT', 'TRACE']) {
      const { status, json: read } = await server.request(method, address, { token: null });
      expect([method, status, read()['error']]).toEqual([method, 404, 'Not found']);
    }
  },
);

it('a request that comes while the server ends is told so', async () => {
  const own = await startServer();
  const socket = connect({ host: '127.0.0.1', port: own.port });
  let text = '';
  socket.on('data', (chunk) => (text += chunk.toString('latin1')));
  socket.on('error', () => {});
  const closed = new Promise((resolve) => socket.on('close', resolve));
  socket.write('GET /healthz HTTP/1.1\r\nHost: a\r\n');
  // It has to be read before the server ends.
  await delay(200);
  own.kill('SIGTERM');
  await vi.waitFor(() => expect(own.log().some(({ msg }) => String(msg).startsWith('Draining'))).toBe(true), {
    timeout: 30_000,
  });
  await delay(100);
  socket.write('\r\n');
  await closed;
  const { status, problem, id } = told(text);
  expect([status, problem['code']]).toEqual([503, 'busy']);
  expect(text).toMatch(/^retry-after: \d+\r$/im);
  expect((await own.ended).exitCode).toBe(0);
  expect(own.log().filter(({ correlationId }) => correlationId === id)).toHaveLength(1);
});
