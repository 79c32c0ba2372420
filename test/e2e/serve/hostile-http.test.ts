/** What no honest client sends: broken HTTP, bodies that are traps, names that lead elsewhere, and a lot of all of it. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { classic } from '../../helpers/cli.ts';
import { hostileNames } from '../../helpers/hostile-names.ts';
import { times } from '../../helpers/property.ts';
import { rawAnswer, statusesOf } from '../../helpers/raw-http.ts';
import { startServer } from '../../helpers/server.ts';

const CANARY = 'canary-that-is-outside-of-what-is-served';
const server = await startServer({
  runbooks: { 'Real.md': classic('Real', 'echo real'), '.hidden.md': classic('Hidden', `echo ${CANARY}`) },
  prepare: (folder) => {
    const runbooks = path.join(folder, 'runbooks');
    writeFileSync(path.join(folder, 'outside.md'), classic('Outside', `echo ${CANARY}`));
    mkdirSync(path.join(runbooks, 'inner'));
    mkdirSync(path.join(runbooks, '.git'));
    writeFileSync(path.join(runbooks, '.git/config'), CANARY);
    writeFileSync(path.join(runbooks, 'inner/Sub.md'), classic('Sub', `echo ${CANARY}`));
    writeFileSync(path.join(runbooks, 'not-text.md'), Buffer.from([0xff, 0xfe, 0, 1]));
    symlinkSync('../outside.md', path.join(runbooks, 'link-out.md'));
    spawnSync('mkfifo', [path.join(runbooks, 'pipe.md')]);
  },
});
const token = await server.token();
const auth = `Authorization: Bearer ${token}`;

const isHealthy = async (): Promise<boolean> => (await server.get('/healthz', { token: null })).status === 200;
describe('broken HTTP', () => {
  const INNER = 'GET /api/runbooks HTTP/1.1\r\nHost: a\r\n\r\n';
  const post = (headers: string, body: string): string =>
    `POST /api/runbooks/Real.md/execute HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n${headers}\r\n\r\n${body}`;
  it.each<[string, string, readonly number[]]>([
    ['length and chunks', post('Content-Length: 4\r\nTransfer-Encoding: chunked', `0\r\n\r\n${INNER}`), [400]],
    ['chunks and length', post('Transfer-Encoding: chunked\r\nContent-Length: 4', `0\r\n\r\n${INNER}`), [400]],
    ['two lengths', post(`Content-Length: 0\r\nContent-Length: ${INNER.length}`, INNER), [400]],
    ['a list of lengths', post(`Content-Length: 0, ${INNER.length}`, INNER), [400]],
    ['a length with a sign', post('Content-Length: +0', INNER), [400]],
    ['a negative length', post('Content-Length: -1', INNER), [400]],
    ['a length in hex', post('Content-Length: 0x10', INNER), [400]],
    ['a length beyond numbers', post('Content-Length: 99999999999999999999999', INNER), [400]],
    ['chunks that are none', post('Transfer-Encoding: xchunked', `0\r\n\r\n${INNER}`), [400]],
    ['chunks twice', post('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked', `0\r\n\r\n${INNER}`), [400]],
    ['chunks, then something else', post('Transfer-Encoding: chunked, identity', `0\r\n\r\n${INNER}`), [400]],
    ['chunks behind a tab', post('Transfer-Encoding:\tchunked\r\nContent-Length: 1', `0\r\n\r\n${INNER}`), [400]],
    ['a space before the colon', post('Transfer-Encoding : chunked', `0\r\n\r\n${INNER}`), [400]],
    [
      'a size of a chunk that is none',
      post(`${auth}\r\nTransfer-Encoding: chunked`, `zz\r\n{}\r\n0\r\n\r\n${INNER}`),
      [400],
    ],
    [
      'a size of a chunk that is too large',
      post(`${auth}\r\nTransfer-Encoding: chunked`, `fffffffffffffffff\r\n{}\r\n`),
      [400],
    ],
    [
      'a chunk that is longer than its size',
      post(`${auth}\r\nTransfer-Encoding: chunked`, `1\r\n{}{}\r\n0\r\n\r\n${INNER}`),
      [400],
    ],
    [
      'a chunk with a long extension',
      post(`${auth}\r\nTransfer-Encoding: chunked`, `2;${'a'.repeat(20_000)}\r\n{}\r\n0\r\n\r\n`),
      [413],
    ],
    ['a header in two lines', post('X-A: a\r\n  Transfer-Encoding: chunked', INNER), [400]],
    ['a header without a name', post(': a', INNER), [400]],
    ['a header without a colon', post('nonsense', INNER), [400]],
    ['NUL in a header', post('X-A: a\0b', INNER), [400]],
    ['a lone CR in a header', post('X-A: a\rX-B: b', INNER), [400]],
    ['two hosts', `GET /healthz HTTP/1.1\r\nHost: a\r\nhost: b\r\nConnection: close\r\n\r\n`, [400]],
    [
      'two tokens, the first of which holds',
      `GET /api/runbooks HTTP/1.1\r\nHost: a\r\n${auth}\r\nAUTHORIZATION: Bearer other\r\nConnection: close\r\n\r\n`,
      [400],
    ],
    ['no host', 'GET /api/runbooks HTTP/1.1\r\n\r\n', [400]],
    ['another protocol', 'GET / SPDY/3\r\n\r\n', [400]],
    ['HTTP of 2.0', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', [400]],
    ['a method that is none', 'HACK / HTTP/1.1\r\nHost: a\r\n\r\n', [400]],
    ['NUL in the address', 'GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n', [400]],
    ['100 KB of header', `GET /healthz HTTP/1.1\r\nHost: a\r\nX-A: ${'a'.repeat(100_000)}\r\n\r\n`, [431]],
    ['100 KB of address', `GET /${'a'.repeat(100_000)} HTTP/1.1\r\nHost: a\r\n\r\n`, [431]],
    ['20,000 headers', `GET /healthz HTTP/1.1\r\nHost: a\r\n${'a:b\r\n'.repeat(20_000)}\r\n`, [431]],
    ['an expectation', `POST /dev-login HTTP/1.1\r\nHost: a\r\nExpect: everything\r\nConnection: close\r\n\r\n`, [417]],
    ['TLS', Buffer.from([0x16, 3, 1, 0, 5, 1, 0, 0, 1, 3, 3]).toString('latin1'), [400]],
  ])('%s: one answer, and nothing behind it is taken for a request', async (_, request, expected) => {
    const text = await rawAnswer(server.port, Buffer.from(request, 'latin1'));
    expect([statusesOf(text), text.slice(0, 200)]).toEqual([expected, expect.anything()]);
    expect(text).not.toContain('"runbooks"');
  });

  it('2,000 headers are too many, 500 are not', async () => {
    const withHeaders = async (count: number): Promise<number[]> =>
      statusesOf(
        await rawAnswer(
          server.port,
          `GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${'a:b\r\n'.repeat(count)}\r\n`,
        ),
      );
    expect([await withHeaders(2000), await withHeaders(500)]).toEqual([[431], [200]]);
  });

  it.each(['websocket', 'h2c', 'TLS/1.0'])('an upgrade to %s is not taken', async (protocol) => {
    const request = `GET /api/runbooks HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, close\r\nUpgrade: ${protocol}\r\n\r\n`;
    expect(statusesOf(await rawAnswer(server.port, request))).toEqual([401]);
  });
});

describe('bodies that are traps', () => {
  const json = { 'content-type': 'application/json' };
  const deep = (open: string, close: string, depth: number): string => open.repeat(depth) + close.repeat(depth);
  it.each<[string, string | Buffer, Record<string, string>, readonly number[]]>([
    ['__proto__', '{"env_vars":{},"__proto__":{"admin":true}}', json, [400]],
    ['__proto__ below', '{"env_vars":{"__proto__":"x"}}', json, [400]],
    ['__proto__ in escapes', String.raw`{"env_vars":{"\u005f\u005fproto\u005f\u005f":"x"}}`, json, [400]],
    ['constructor.prototype', '{"constructor":{"prototype":{"admin":true}}}', json, [200]],
    ['10,000 lists in each other', deep('[', ']', 10_000), json, [400]],
    ['10,000 objects in each other', `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`, json, [400]],
    ['17 levels', `{"env_vars":{"A":${deep('[', ']', 17)}}}`, json, [400]],
    ['1.5 MB', `{"env_vars":{"A":"${'a'.repeat(1_500_000)}"}}`, json, [413]],
    ['a gzip bomb', gzipSync(Buffer.alloc(10_000_000, 0x20)), { ...json, 'content-encoding': 'gzip' }, [415]],
    ['what says that it is gzip', '{}', { ...json, 'content-encoding': 'gzip' }, [415]],
    ['brotli', '{}', { ...json, 'content-encoding': 'br' }, [415]],
    ['packed twice', '{}', { ...json, 'content-encoding': 'identity, gzip' }, [415]],
    ['invalid UTF-8', Buffer.from('7b22656e765f76617273223a7b2241223a22ff227d7d', 'hex'), json, [200, 400]],
    ['a name twice', '{"env_vars":{"A":"1"},"env_vars":{"A":"2"}}', json, [200, 400]],
    ['half a character', String.raw`{"env_vars":{"A":"\ud800"}}`, json, [400]],
    ['half a character in a name', String.raw`{"env_vars":{"\udc00":"a"}}`, json, [200]],
    ['a number beyond numbers', '{"env_vars":{"A":1e999}}', json, [200, 400]],
    ['a BOM', '\ufeff{}', json, [200, 400]],
    ['two values', '{}{}', json, [400]],
    ['nothing but spaces', '   ', json, [400]],
    ['a type with a tab', '{}', { 'content-type': 'application/json\t; charset=utf-8' }, [200, 400, 415]],
    ['UTF-16 by its type', '{}', { 'content-type': 'application/json; charset=utf-16' }, [415]],
    ['UTF-8 in quotes', '{}', { 'content-type': 'application/json; charset="UTF-8"' }, [200]],
    ['a type in capitals', '{}', { 'content-type': 'APPLICATION/JSON' }, [200]],
    ['a type with a parameter only', '{}', { 'content-type': '; charset=utf-8' }, [400, 415]],
    ['two types', '{}', { 'content-type': 'application/json, text/plain' }, [200, 400, 415]],
    ['a value of 200 KB', `{"env_vars":{"A":"${'a'.repeat(200_000)}"}}`, json, [400]],
  ])('%s', async (_, body, headers, expected) => {
    const { status, text } = await server.post('/api/runbooks/Real.md/execute', { body, headers });
    expect([text.slice(0, 300), expected.includes(status) ? expected : status]).toEqual([expect.anything(), expected]);
  });

  it('say which name is not allowed', async () => {
    const { text } = await server.post('/api/runbooks/Real.md/execute', { body: '{"__proto__":{}}', headers: json });
    expect(text).toContain('`__proto__`, which is not allowed');
  });

  it('leave nothing behind in the server’s own objects', async () => {
    const config = (await server.get('/api/config')).json();
    expect(Object.keys(config).sort()).toEqual(['config_items', 'settings', 'token']);
    expect(config['settings']).toContainEqual(expect.objectContaining({ name: 'stateDir', value: null }));
    expect((await server.execute('Real.md')).done()).toMatchObject({ success: true, stdout: 'real\n' });
  });
});

describe('names that lead elsewhere', () => {
  it('are answered, show nothing of what is outside, and run nothing', async () => {
    const names = hostileNames();
    const wrong: string[] = [];
    let asked = 0;
    const batch = async (name: string): Promise<void> => {
      const requests = [
        `GET /api/runbooks/${name}`,
        `GET /api/runbooks/${name}/required-env`,
        `PATCH /api/runbooks/${name}/validate`,
        `POST /api/runbooks/${name}/execute`,
      ];
      for (const [n, line] of requests.entries()) {
        const bytes = Buffer.from(`${line} HTTP/1.1\r\nHost: a\r\n${auth}\r\nConnection: close\r\n\r\n`);
        const text = await rawAnswer(server.port, bytes);
        asked += 1;
        const [status = 0] = statusesOf(text);
        const isList = n === 0 && /"runbooks":\[/.test(text);
        if (status < 400 && !isList) wrong.push(`${line}: ${status}`);
        if (status >= 500) wrong.push(`${line}: ${status}`);
        if (text.includes(CANARY) || /root:x:0|JWT_SECRET/.test(text)) wrong.push(`${line}: shows what is outside`);
        if (text.includes(server.folder)) wrong.push(`${line}: tells a path of the server`);
      }
    };
    // All in the long version.
    const chosen = names.filter((_, index) => index < 120 || index % times(12, 1) === 0);
    for (let at = 0; at < chosen.length; at += 16) await Promise.all(chosen.slice(at, at + 16).map(batch));
    process.stdout.write(`names ${chosen.length} of ${names.length}, requests ${asked}\n`);
    expect(wrong).toEqual([]);
    expect(chosen.length).toBeGreaterThanOrEqual(500);
  });

  it('a link that leads out, a pipe, what is hidden and what lies deeper are not in the list', async () => {
    const { runbooks } = (await server.get('/api/runbooks')).json() as { runbooks: { filename: string }[] };
    expect(runbooks.map(({ filename }) => filename)).toEqual(['Real.md']);
  });
});

describe('slow clients', () => {
  const SLOW = times(100, 500);
  it(`${SLOW} connections that send a byte now and then keep nobody waiting`, async () => {
    const sockets = Array.from({ length: SLOW }, () => connect({ host: '127.0.0.1', port: server.port }));
    try {
      for (const socket of sockets) {
        socket.on('error', () => {});
        socket.write('POST /api/runbooks/Real.md/execute HTTP/1.1\r\nHost: a\r\n');
      }
      let answered = 0;
      for (let round = 0; round < 5; round += 1) {
        for (const socket of sockets) socket.write(round === 4 ? 'X-' : 'X');
        const [health, list] = await Promise.all([isHealthy(), server.get('/api/runbooks')]);
        answered += health && list.status === 200 ? 1 : 0;
        await delay(20);
      }
      expect(answered).toBe(5);
      expect((await server.execute('Real.md')).done()).toMatchObject({ success: true });
      expect(sockets.filter(({ destroyed }) => destroyed)).toEqual([]);
    } finally {
      for (const socket of sockets) socket.destroy();
    }
  });
});
