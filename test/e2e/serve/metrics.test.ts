/** Metrics of a server that has a token for them: who reads them, and that nobody makes them grow. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { classic } from '../../helpers/cli.ts';
import { times } from '../../helpers/property.ts';
import { startServer } from '../../helpers/server.ts';
import type { Answer } from '../../helpers/server.ts';

const METRICS_TOKEN = 'what-prometheus-knows-0123456789';
const server = await startServer({
  env: { METRICS_TOKEN_FILE: 'keys/metrics', ADMIN_CLAIM: 'roles=admin' },
  runbooks: {
    'Hello.md': classic('Hello', 'echo hello'),
    'Closed.md': classic('Closed', 'echo', { claims: 'roles: x' }),
  },
  prepare: (folder) => {
    mkdirSync(path.join(folder, 'keys'));
    writeFileSync(path.join(folder, 'keys/metrics'), `${METRICS_TOKEN}\n`);
  },
});
const scrape = async (headers: Readonly<Record<string, string>>): Promise<Answer> =>
  await server.get('/metrics', { token: null, headers });
const read = async (): Promise<string> => {
  const { status, text } = await scrape({ authorization: `Bearer ${METRICS_TOKEN}` });
  expect(status).toBe(200);
  return text;
};

describe('a token for metrics', () => {
  it.each<[string, () => Promise<Readonly<Record<string, string>>>]>([
    ['nobody', async () => ({})],
    ['an empty one', async () => ({ authorization: 'Bearer ' })],
    ['one that begins like it', async () => ({ authorization: `Bearer ${METRICS_TOKEN.slice(0, -1)}` })],
    ['one that is longer', async () => ({ authorization: `Bearer ${METRICS_TOKEN}1` })],
    ['another scheme', async () => ({ authorization: `Basic ${METRICS_TOKEN}` })],
    ['an administrator', async () => ({ authorization: `Bearer ${await server.token({ roles: ['admin'] })}` })],
  ])('keeps out %s', async (_, headers) => {
    const answer = await scrape(await headers());
    expect([answer.status, answer.headers['www-authenticate'], answer.text.includes('runbook_info')]).toEqual([
      401,
      'Bearer',
      false,
    ]);
  });

  it('lets its owner in, is none for anything else, and is told nowhere', async () => {
    expect(await read()).toContain('runbook_info{version=');
    expect((await server.get('/api/runbooks', { token: METRICS_TOKEN })).status).toBe(401);
    const config = await server.get('/api/config', { token: await server.token({ roles: ['admin'] }) });
    expect(config.text).toContain('metricsToken');
    expect(config.text + JSON.stringify(server.log()) + server.said()).not.toContain(METRICS_TOKEN);
    // Who may not is one request like any other; who may is none.
    const scrapes = server.log().filter(({ msg, route }) => msg === 'Request' && route === '/metrics');
    expect(new Set(scrapes.map(({ status }) => status))).toEqual(new Set([401]));
  });
});

it('no request makes a series of its own: odd paths, methods, names of runbooks, subjects, codes, correlation ids', async () => {
  const odd = async (name: string): Promise<readonly string[]> => {
    const token = await server.token({ sub: `subject ${name}`, roles: [`role ${name}`] });
    const headers = { 'x-correlation-id': `id-${name}`, 'x-incident-id': `inc-${name}`, 'user-agent': name };
    const asked = await Promise.all([
      server.get(`/${name}/${name}`, { token: null }),
      server.get(`/api/runbooks/${name}.md?${name}=1`, { token, headers }),
      server.get(`/api/runs/${name}`, { token, headers }),
      server.post(`/api/runbooks/${name}.md/execute`, { token, headers, body: { env_vars: { [name]: name } } }),
      server.post('/api/runbooks/Closed.md/execute', { token, headers }),
      server.request('PROPFIND', `/api/${name}`, { token: null }),
      server.get('/api/runbooks', { token: name }),
    ]);
    return asked.map(({ status }) => String(status));
  };
  const series = async (): Promise<readonly string[]> =>
    (await read())
      .split('\n')
      .filter((line) => line.startsWith('runbook_') || line.startsWith('flask_'))
      .map((line) => line.slice(0, line.lastIndexOf(' ')));
  expect((await server.execute('Hello.md')).status).toBe(200);
  expect(await odd('odd-first')).toEqual(['404', '404', '400', '404', '403', '404', '401']);
  const before = await series();
  for (let count = 0; count < times(30, 1000); count += 1) await odd(`odd-${count}`);
  expect(await series()).toEqual(before);
  expect(before.join('\n')).not.toMatch(/odd|subject|Closed/);
});
