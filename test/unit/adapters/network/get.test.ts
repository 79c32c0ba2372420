/** A real listener on this machine, and every way to write its address that might slip through. */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { getDocument } from '../../../../src/adapters/network/get.ts';
import type { Resolve } from '../../../../src/adapters/network/get.ts';
import { whyNotReachable } from '../../../../src/adapters/network/reach.ts';
import { requires } from '../../../helpers/requires.ts';

const OPENSSL = 'openssl';

let server: Server;
let port = 0;
let connections = 0;
let answer: RequestListener = (_request, response) => response.end('reached');

beforeAll(async () => {
  server = createServer((request, response) => answer(request, response));
  server.on('connection', () => connections++);
  // All addresses of this machine, of both families where there are two.
  server.listen(0);
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  ({ port } = address);
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const answering =
  (...addresses: readonly string[]): Resolve =>
  async () =>
    await Promise.resolve(addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })));

async function get(url: string, privateHosts: readonly string[] = [], resolve?: Resolve): Promise<string> {
  try {
    const bytes = await getDocument(new URL(url), {
      maxBytes: 100 * 1024,
      privateHosts,
      ...(resolve === undefined ? {} : { resolve }),
    });
    return Buffer.from(bytes).toString();
  } catch (error) {
    return error instanceof Error ? `${error.name}: ${error.message}` : 'odd';
  }
}

const LITERALS = [
  '127.0.0.1',
  '127.1',
  '127.0.1',
  '127.255.255.254',
  '2130706433',
  '017700000001',
  '0177.0.0.1',
  '0x7f000001',
  '0x7f.1',
  '0x7F.0x0.0x0.0x1',
  '127.0.0.1.',
  '%31%32%37.0.0.1',
  '１２７.０.０.１',
  '127。0。0。1',
  '0.0.0.0',
  '0',
  '10.0.0.1',
  '100.64.0.1',
  '169.254.169.254',
  '172.16.0.1',
  '192.168.0.1',
  '198.18.0.1',
  '224.0.0.1',
  '255.255.255.255',
  '[::1]',
  '[0:0:0:0:0:0:0:1]',
  '[::]',
  '[::ffff:127.0.0.1]',
  '[::ffff:7f00:1]',
  '[::127.0.0.1]',
  '[64:ff9b::127.0.0.1]',
  '[2002:7f00:1::]',
  '[2001:0:53aa:64c::80ff:fffe]',
  '[fe80::1]',
  '[fd00::1]',
] as const;

/** They resolve to this machine, by the system or by whoever owns the name. */
const NAMES: readonly (readonly [host: string, ...addresses: string[]])[] = [
  ['localhost'],
  ['localhost.', '127.0.0.1'],
  ['LOCALHOST'],
  ['ｌocalhost'],
  ['localtest.example', '127.0.0.1'],
  ['localtest.example', '::1'],
  ['localtest.example', '::ffff:127.0.0.1'],
  ['localtest.example', '0.0.0.0'],
  ['localtest.example', '127.0.0.53'],
  ['metadata.example', '169.254.169.254'],
  ['both.example', '8.8.8.8', '127.0.0.1'],
  ['both.example', '127.0.0.1', '8.8.8.8'],
  ['both.example', '2606:4700::1', '8.8.8.8', '::1'],
  ['tunnel.example', '2002:7f00:1::'],
  ['nobody.example', 'localhost'],
];

test('no way of writing it reaches a listener on this machine', async () => {
  connections = 0;
  const reached: string[] = [];
  let tried = 0;
  for (const scheme of ['http', 'https']) {
    for (const host of LITERALS) {
      const result = await get(`${scheme}://${host}:${port}/keys`);
      tried++;
      if (!/^Error: (?:its address is not public|it is not https)$/.test(result)) reached.push(`${host}: ${result}`);
    }
    for (const [host, ...addresses] of NAMES) {
      const resolve = addresses.length === 0 ? undefined : answering(...addresses);
      const result = await get(`${scheme}://${host}:${port}/keys`, [], resolve);
      tried++;
      if (!/^Error: (?:an address of its host is not public|it is not https)$/.test(result))
        reached.push(`${host} (${addresses.join(', ')}): ${result}`);
    }
  }
  expect(reached).toEqual([]);
  expect(connections).toBe(0);
  expect(LITERALS.length + NAMES.length).toBeGreaterThanOrEqual(25);
  process.stdout.write(
    `addresses: ${tried} tried in ${LITERALS.length + NAMES.length} forms, ${connections} reached\n`,
  );
});

test('the listener would have been seen', async () => {
  connections = 0;
  for (const [host, hosts, addresses] of [
    ['127.0.0.1', ['127.0.0.1'], null],
    ['127.0.0.1', [`127.0.0.1:${port}`], null],
    ['2130706433', ['127.0.0.1'], null],
    ['localhost', ['LocalHost'], null],
    ['keys.internal', [`keys.internal:${port}`], ['127.0.0.1']],
  ] as const) {
    expect(await get(`http://${host}:${port}/`, hosts, addresses === null ? undefined : answering(...addresses))).toBe(
      'reached',
    );
  }
  expect(connections).toBe(5);
});

describe('the list of private hosts', () => {
  test.each([
    ['https://keys.internal/', ['keys.internal'], null],
    ['https://keys.internal/', ['keys.internal:443'], null],
    ['http://keys.internal/', ['keys.internal:80'], null],
    ['http://10.1.2.3:8080/', ['10.1.2.3:8080'], null],
    ['http://[fd00::1]:8080/', ['[fd00::1]'], null],
    ['https://keys.example/', [], null],
    ['https://8.8.8.8/', [], null],
    ['http://keys.internal/', ['keys.internal:443'], 'it is not https'],
    ['http://keys.internal:81/', ['keys.internal:80'], 'it is not https'],
    ['http://keys.internal./', ['keys.internal'], 'it is not https'],
    ['http://a.keys.internal/', ['keys.internal'], 'it is not https'],
    ['http://keys.internal.example/', ['keys.internal'], 'it is not https'],
    ['https://10.1.2.3/', ['10.1.2.4', '10.1.2'], 'its address is not public'],
    ['https://10.1.2.3/', ['*', '10.0.0.0/8', ''], 'its address is not public'],
    ['ftp://keys.internal/', ['keys.internal'], 'it is not https'],
    ['file:///etc/passwd', ['', 'keys.internal'], 'it is not https'],
    ['data:text/plain,x', [''], 'it is not https'],
    ['https://anna@keys.internal/', ['keys.internal'], 'it holds a password'],
    ['https://8.8.8.8@10.1.2.3/', [], 'it holds a password'],
  ])('%s with %j: %s', (url, hosts, expected) => {
    expect(whyNotReachable(new URL(url), hosts)).toBe(expected);
  });
});

describe('what is asked is what was looked at', () => {
  test('a name is resolved once', async () => {
    let asked = 0;
    const changing: Resolve = async () => {
      asked++;
      return await answering(asked === 1 ? '192.0.2.1' : '127.0.0.1')('');
    };
    connections = 0;
    expect(await get(`https://rebinding.example:${port}/`, [], changing)).toMatch(/not public/);
    expect(asked).toBe(1);
    expect(connections).toBe(0);
  });

  test('a host without addresses, and one that nobody knows', async () => {
    expect(await get('https://empty.example/', [], answering())).toMatch(/no address/);
    const unknown: Resolve = async () => await Promise.reject(new Error('ENOTFOUND'));
    expect(await get('https://unknown.example/', [], unknown)).toMatch(/ENOTFOUND/);
  });

  test('a name server that does not answer is not waited for', async () => {
    const silent: Resolve = async () => await new Promise(() => undefined);
    expect(await get('https://silent.example/', [], silent)).toMatch(/time/i);
  });

  test.each([301, 302, 303, 307, 308])('a redirect (%d) is not followed', async (status) => {
    const paths: string[] = [];
    answer = (request, response) => {
      paths.push(request.url ?? '');
      response.writeHead(status, { location: `http://127.0.0.1:${port}/second` }).end();
    };
    expect(await get(`http://127.0.0.1:${port}/first`, ['127.0.0.1'])).toMatch(/redirects are not followed/);
    expect(paths).toEqual(['/first']);
  });

  test('a body that is larger is not taken, also where its length was not said', async () => {
    for (const head of [{}, { 'content-length': String(200 * 1024) }]) {
      answer = (_request, response) => response.writeHead(200, head).end(Buffer.alloc(200 * 1024));
      expect(await get(`http://127.0.0.1:${port}/`, ['127.0.0.1'])).toMatch(/size|exceed/i);
    }
  });

  test('a host that takes the question and says nothing is not waited for', async () => {
    answer = () => undefined;
    expect(await get(`http://127.0.0.1:${port}/`, ['127.0.0.1'])).toMatch(/time/i);
  });

  test('nothing is unpacked', async () => {
    answer = (_request, response) => response.setHeader('content-encoding', 'gzip').end('reached');
    expect(await get(`http://127.0.0.1:${port}/`, ['127.0.0.1'])).toBe('reached');
  });
});

/** In a process of its own, with an environment that asks for what must not be. */
test.skipIf(!requires(OPENSSL))(
  'no proxy of the environment is used, and certificates are checked whatever it says',
  async () => {
    let proxied = 0;
    const proxy = createTcpServer((socket) => {
      proxied++;
      socket.destroy();
    }).listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    const folder = mkdtempSync(join(tmpdir(), 'runbook-tls-'));
    try {
      const address = proxy.address();
      if (address === null || typeof address === 'string') throw new Error('no port');
      const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1'];
      await execa(OPENSSL, [
        ...request,
        '-subj',
        '/CN=localhost',
        '-addext',
        'subjectAltName=DNS:localhost',
        '-keyout',
        `${folder}/key.pem`,
        '-out',
        `${folder}/cert.pem`,
      ]);
      const module = new URL('../../../../src/adapters/network/get.ts', import.meta.url).href;
      const program = `
      import { createServer } from 'node:https';
      import { readFileSync } from 'node:fs';
      const { getDocument } = await import(${JSON.stringify(module)});
      const server = createServer({ key: readFileSync('${folder}/key.pem'), cert: readFileSync('${folder}/cert.pem') }, (_, response) => response.end('secure'));
      await new Promise((resolve) => server.listen(0, 'localhost', resolve));
      const url = new URL('https://localhost:' + server.address().port + '/');
      const options = { maxBytes: 1000, privateHosts: ['localhost'] };
      console.log(await getDocument(url, options).then((bytes) => Buffer.from(bytes).toString(), (error) => error.code ?? error.message));
      server.closeAllConnections();
      server.close();
    `;
      const proxyUrl = `http://127.0.0.1:${address.port}`;
      const env = {
        NODE_USE_ENV_PROXY: '1',
        HTTPS_PROXY: proxyUrl,
        HTTP_PROXY: proxyUrl,
        https_proxy: proxyUrl,
        http_proxy: proxyUrl,
        NO_PROXY: '',
        no_proxy: '',
        NODE_TLS_REJECT_UNAUTHORIZED: '0',
      };
      const run = async (more: Record<string, string>): Promise<string> =>
        (
          await execa(process.execPath, ['--input-type=module', '--eval', program], {
            env: { ...env, ...more },
            timeout: 60_000,
          })
        ).stdout;
      expect(await run({})).toMatch(/SELF_SIGNED/);
      expect(await run({ NODE_EXTRA_CA_CERTS: `${folder}/cert.pem` })).toBe('secure');
      expect(proxied).toBe(0);
    } finally {
      proxy.close();
      rmSync(folder, { recursive: true });
    }
  },
);
