/** For whoever operates the server: whether it lives, whether it can take work, what it counts. */
import { hash, timingSafeEqual } from 'node:crypto';
import type { Registry } from 'prom-client';
import { Type } from 'typebox';
import { tokenOf } from '../bearer.ts';
import type { Http, ServerContext } from '../context.ts';
import { HttpError } from '../problem.ts';
import { isReady } from '../readiness.ts';

const Check = Type.Object({ name: Type.String(), ok: Type.Boolean(), detail: Type.String() }, { title: 'Check' });
const Ready = Type.Object({ ready: Type.Boolean(), checks: Type.Array(Check) }, { title: 'Readiness' });

export function operationRoutes(http: Http, context: ServerContext): void {
  http.get(
    '/healthz',
    {
      config: { access: 'public' },
      schema: {
        response: { 200: Type.Object({ status: Type.Literal('ok') }) },
      },
    },
    async () => ({ status: 'ok' as const }),
  );
  http.get(
    '/readyz',
    {
      config: { access: 'public' },
      schema: { response: { 200: Ready, 503: Ready } },
    },
    async (_, reply) => {
      const checks = [...(await context.readiness())];
      const ready = isReady(checks);
      return await reply.code(ready ? 200 : 503).send({ ready, checks });
    },
  );
  http.get(
    '/metrics',
    {
      config: { access: 'public' },
      schema: { response: { 200: Type.String() } },
    },
    async (request, reply) => {
      checkScraper(context.settings.metricsToken, request.headers.authorization);
      const { registry } = context.metrics;
      reply.type(registry.contentType);
      const names = namesOf(request.url);
      if (names.length === 0) return await registry.metrics();
      const texts = await Promise.all(
        metricsOf(registry, names).map(async (name) => await registry.getSingleMetricAsString(name)),
      );
      return `${texts.join('\n\n')}\n`;
    },
  );
  http.post('/api/shutdown', { config: { access: 'person' } }, async () => {
    throw new HttpError(410, 'gone', 'A server is not ended over HTTP.', {
      fix: 'Send it SIGTERM: it lets its runs end first.',
    });
  });
}

/** Where a token is set for it, nobody else reads the metrics; a token of a person is none of it. @throws HttpError 401 */
function checkScraper(expected: string | null, header: string | undefined): void {
  if (expected === null) return;
  const digest = (text: string): Buffer => hash('sha256', text, 'buffer');
  // In constant time, and whatever the lengths are.
  if (timingSafeEqual(digest(tokenOf(header)), digest(expected))) return;
  throw new HttpError(401, 'unauthenticated', 'This is not the token for the metrics.', {
    fix: 'Send the one that METRICS_TOKEN of the server is set to.',
  });
}

/** What a histogram or a summary is scraped as, and so asked for as. */
const SERIES: Readonly<Record<string, readonly string[]>> = {
  histogram: ['_bucket', '_count', '_sum'],
  summary: ['_count', '_sum'],
};

/** Those that there are, each once, by their own name or that of one of their series. */
function metricsOf(registry: Registry, asked: readonly string[]): readonly string[] {
  // Never by what was asked for: it would be looked up in an object, where `constructor` is something, too.
  const known = new Map(registry.getMetricsAsArray().map(({ name }) => [name, name]));
  for (const { name, type } of registry.getMetricsAsArray())
    for (const series of SERIES[type] ?? []) if (!known.has(name + series)) known.set(name + series, name);
  return [...new Set(asked.flatMap((name) => known.get(name) ?? []))];
}

/** `name[]` is asked for by its own name, as in the Python client. */
function namesOf(url: string): readonly string[] {
  return new URL(url, 'http://localhost').searchParams.getAll('name[]');
}
