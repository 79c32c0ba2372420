import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import { expect, it, onTestFinished } from 'vitest';
import { classic, REPOSITORY } from '../../helpers/cli.ts';
import { requires } from '../../helpers/requires.ts';
import { startServer } from '../../helpers/server.ts';

/** Nobody listens there now; somebody else might a moment later, so the caller tries again. */
async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

/** The lines of the manual, in front of a server of the test. @returns its address */
async function startNginx(folder: string, upstream: number): Promise<string> {
  const manual = readFileSync(path.join(REPOSITORY, 'docs/serve.md'), 'utf8');
  const location = /```nginx\n(.*?)```/s.exec(manual)?.[1]?.replace('127.0.0.1:8083', `127.0.0.1:${upstream}`) ?? '';
  const port = await freePort();
  mkdirSync(folder);
  const places = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${folder}/${name};`,
  );
  writeFileSync(
    path.join(folder, 'nginx.conf'),
    `daemon off; master_process off; pid ${folder}/pid; error_log stderr;
events {}
http { access_log off; ${places.join(' ')} server { listen 127.0.0.1:${port}; ${location} } }`,
  );
  const child = execa('nginx', ['-p', folder, '-c', path.join(folder, 'nginx.conf'), '-e', 'stderr'], {
    reject: false,
    stdin: 'ignore',
  });
  onTestFinished(async () => {
    child.kill('SIGTERM');
    await child;
  });
  for (let looks = 0; looks < 1500; looks += 1) {
    if ((await fetch(`http://127.0.0.1:${port}/healthz`).catch(() => null))?.ok === true)
      return `http://127.0.0.1:${port}`;
    await delay(20);
  }
  throw new Error('nginx does not answer');
}

it.skipIf(!requires('nginx'))(
  'behind nginx events pass as they come, and the caller’s address is the caller’s',
  async () => {
    const server = await startServer({ env: { TRUST_PROXY: '127.0.0.1/32' } });
    const go = path.join(server.folder, 'go');
    server.write('Wait.md', classic('Wait', `echo first; until test -e ${go}; do sleep 0.05; done; echo second`));
    const address = await startNginx(path.join(server.folder, 'nginx'), server.port);
    const response = await fetch(`${address}/api/runbooks/Wait.md/execute`, {
      method: 'POST',
      headers: { authorization: `Bearer ${await server.token()}`, 'x-correlation-id': 'through-nginx' },
    });
    expect(response.headers.get('x-correlation-id')).toBe('through-nginx');
    let text = '';
    for await (const chunk of response.body ?? []) {
      text += Buffer.from(chunk).toString();
      // The script goes on only when its first line is here.
      if (text.includes('data: first') && !existsSync(go)) writeFileSync(go, '');
    }
    expect(text).toContain('data: second');
    expect(text).toContain('"return_code": 0');
    expect((await fetch(`${address}/docs/explorer.html`)).status).toBe(200);
    const forged = await fetch(`${address}/api/config`, {
      headers: { authorization: `Bearer ${await server.token()}`, 'x-forwarded-for': '203.0.113.7' },
    });
    expect(((await forged.json()) as { token: { remote_ip: string } }).token.remote_ip).toBe('127.0.0.1');
  },
);
