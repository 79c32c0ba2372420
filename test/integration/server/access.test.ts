/** The guard in front of the routes: one that does not say who may use it cannot be registered. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import Fastify from 'fastify';
import { expect, it, onTestFinished } from 'vitest';
import { createApp } from '../../../src/app.ts';
import { resolveSettings } from '../../../src/core/settings.ts';
import { guardRoutes, listRoutes } from '../../../src/server/access.ts';
import type { Access } from '../../../src/server/access.ts';
import type { Http, ServerContext } from '../../../src/server/context.ts';
import { createKnownNames } from '../../../src/server/known-names.ts';
import { createLimits } from '../../../src/server/limits/limits.ts';
import { createLog } from '../../../src/server/log.ts';
import { createMetrics } from '../../../src/server/metrics.ts';

async function guarded(): Promise<{ http: Http; routes: ReturnType<typeof listRoutes> }> {
  const folder = mkdtempSync(path.join(tmpdir(), 'runbook-guard-'));
  const resolved = resolveSettings([], 'server');
  const { settings } = resolved;
  const app = await createApp(resolved, {
    environment: new Map([['HOME', folder]]),
    cwd: folder,
    ci: false,
    face: 'server',
  });
  const http: Http = Fastify();
  onTestFinished(async () => {
    await http.close();
    app.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const log = createLog(settings, { write: () => {} });
  const engine = await app.engine();
  const knownNames = createKnownNames(engine.source, engine.clock);
  const limits = await createLimits({ settings, log });
  const metrics = createMetrics({
    activeRuns: () => 0,
    streams: () => 0,
    queuedRuns: () => 0,
    keyStates: () => [],
    ledger: { failures: new Map(), bytes: async () => null },
    readiness: async () => [],
    version: '0',
  });
  const context: Pick<ServerContext, 'engine' | 'settings' | 'knownNames' | 'log' | 'limits' | 'metrics'> = {
    engine,
    settings,
    knownNames,
    log,
    limits,
    metrics,
  };
  const routes = listRoutes(http);
  guardRoutes(http, context);
  return { http, routes };
}

it('refuses a route without a rule while it is registered', async () => {
  const { http } = await guarded();
  const handler = async (): Promise<string> => 'secret';
  expect(() => http.get('/a', handler)).toThrow('GET /a does not say who may use it');
  expect(() => http.post('/b', { config: {} }, handler)).toThrow('POST /b does not say who may use it');
  expect(() => http.route({ method: ['PUT', 'DELETE'], url: '/c', handler })).toThrow('does not say who may use it');
});

it('lets in by the rule that it knows, and by one that it does not know nobody', async () => {
  const { http, routes } = await guarded();
  const rules: readonly Access[] = ['public', 'token', 'runbook', 'person', 'admin'];
  for (const access of rules) http.get(`/${access}`, { config: { access } }, async () => access);
  // As from plain JavaScript.
  http.get('/other', { config: { access: 'everybody' as Access } }, async () => 'other');
  await http.ready();
  expect(routes.filter(({ method }) => method === 'GET').map(({ url }) => url)).toEqual([
    ...rules.map((access) => `/${access}`),
    '/other',
  ]);
  const answers = await Promise.all(['public', ...rules.slice(1), 'other'].map(async (url) => await http.inject(url)));
  expect(answers.map(({ statusCode }) => statusCode)).toEqual([200, 401, 401, 401, 401, 401]);
  expect(answers.filter(({ body }) => body.includes('The request has no token.'))).toHaveLength(5);
});
