/** What a server answers to a report, and what is made of it: real servers that do what they like. */
import type { ServerResponse } from 'node:http';
import { expect, it } from 'vitest';
import { createCentralRecord } from '../../src/adapters/central-record/http.ts';
import type { Report } from '../../src/core/central-record.ts';
import { startAnswering } from '../helpers/answering.ts';
import { queuedRun, resultOf, runIdOf } from '../helpers/records.ts';

const central = createCentralRecord();
const REPORT: Report = { record: queuedRun(1, { state: 'finished', result: resultOf(1) }), document: '# Restart\n' };
const RUN = runIdOf(1);

type Answer = (response: ServerResponse) => void;
const says =
  (status: number, body: unknown): Answer =>
  (response) => {
    response.writeHead(status).end(typeof body === 'string' ? body : JSON.stringify(body));
  };

it.each<[string, Answer, RegExp]>([
  ['500', says(500, { detail: 'Broken.' }), /^does not take it now \(500: Broken\)$/],
  ['503', says(503, ''), /^does not take it now \(503\)$/],
  ['429', says(429, { detail: 7 }), /^does not take it now \(429\)$/],
  [
    '401',
    says(401, { detail: 'Expired.' }),
    /^does not take the token \(401: Expired\): give another one, or log in again with `runbook login --server http/,
  ],
  ['an answer that is too large', says(201, { run_id: RUN, more: 'x'.repeat(2 ** 20) }), /more than anybody asked for/],
  ['a detail that is too large', says(500, { detail: 'x'.repeat(2 ** 17) }), /^does not take it now \(500: x{300}\)$/],
  ['a page to log in at', says(200, '<html>Log in</html>'), /is no server of runbooks/],
  ['another run', says(201, { run_id: runIdOf(2) }), /is no server of runbooks/],
  ['a list', says(200, '[]'), /is no server of runbooks/],
  ['null', says(200, 'null'), /is no server of runbooks/],
  ['nothing at all', says(204, ''), /does not take it now \(204\)/],
  [
    'half an answer',
    (response) => {
      response.writeHead(201, { 'content-length': '500' });
      response.write('{"run_id"', () => response.destroy());
    },
    /^does not answer \(/,
  ],
  ['no HTTP', (response) => response.socket?.end('SSH-2.0-OpenSSH_9.9\r\n'), /^does not answer \(/],
  [
    'a header without end',
    (response) => response.socket?.write(`HTTP/1.1 200 OK\r\nA: ${'a'.repeat(100_000)}`),
    /^does not answer \(/,
  ],
])('%s: it waits', async (_, answer, reason) => {
  const server = await startAnswering(answer);
  const delivery = await central.send(server.url, 'token', REPORT, new AbortController().signal);
  expect(delivery).toEqual({ kind: 'away', reason: expect.stringMatching(reason) });
  expect(server.asked).toHaveLength(1);
});

it.each([400, 403, 404, 409, 413])('%i is for good', async (status) => {
  const server = await startAnswering(says(status, { detail: 'No.' }));
  const delivery = await central.send(server.url, 'token', REPORT, new AbortController().signal);
  expect(delivery).toEqual({ kind: 'refused', reason: `does not take it (${status}: No)` });
});

it.each([301, 302, 303, 307, 308])(
  'a redirect (%i) is not followed, and nobody else sees the token',
  async (status) => {
    const other = await startAnswering(says(201, { run_id: RUN }));
    const server = await startAnswering((response) => response.writeHead(status, { location: other.url }).end());
    const delivery = await central.send(server.url, 'token', REPORT, new AbortController().signal);
    expect(delivery).toEqual({ kind: 'away', reason: `sends elsewhere (${status}), and redirects are not followed` });
    expect(other.asked).toEqual([]);
  },
);

it('what arrives is the record with its document, under the token; a text that makes it too large stays here', async () => {
  const server = await startAnswering(says(201, { run_id: RUN }));
  const signal = new AbortController().signal;
  expect(await central.send(`${server.url}/behind`, 'a.b.c', REPORT, signal)).toEqual({ kind: 'taken' });
  await central.send(server.url, 'a.b.c', { ...REPORT, document: '\u0001'.repeat(300_000) }, signal);
  const [first, second] = server.asked;
  expect(first).toMatchObject({ method: 'POST', path: '/behind/api/runs', authorization: 'Bearer a.b.c' });
  expect(JSON.parse(first?.body ?? '')).toEqual(REPORT);
  expect(JSON.parse(second?.body ?? '')).toEqual({ ...REPORT, document: null });
});

it('who is silent is left after 10 s; who does not want to wait leaves at once', async () => {
  const server = await startAnswering(() => {});
  const began = performance.now();
  const late = await central.send(server.url, 'token', REPORT, new AbortController().signal);
  expect(late).toEqual({ kind: 'away', reason: 'has not answered within 10 s' });
  expect(performance.now() - began).toBeGreaterThan(9000);
  expect(await central.send(server.url, 'token', REPORT, AbortSignal.abort())).toEqual({
    kind: 'away',
    reason: 'was not waited for',
  });
});
