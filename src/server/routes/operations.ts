/** For whoever operates the server: whether it lives, whether it can take work, what it counts. */
import { Type } from 'typebox';
import type { Http, ServerContext } from '../context.ts';
import { HttpError } from '../problem.ts';

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
      const ready = checks.every(({ ok }) => ok);
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
      const { registry } = context.metrics;
      reply.type(registry.contentType);
      const names = namesOf(request.url);
      if (names.length === 0) return await registry.metrics();
      const texts: string[] = [];
      // Never by the name itself: it is looked up in an object, where `constructor` is something, too.
      const known = new Set(registry.getMetricsAsArray().map((metric) => metric.name));
      for (const name of names) if (known.has(name)) texts.push(await registry.getSingleMetricAsString(name));
      return `${texts.join('\n\n')}\n`;
    },
  );
  http.post('/api/shutdown', { config: { access: 'person' } }, async () => {
    throw new HttpError(410, 'gone', 'A server is not ended over HTTP.', {
      fix: 'Send it SIGTERM: it lets its runs end first.',
    });
  });
}

/** `name[]` is asked for by its own name, as in the Python client. */
function namesOf(url: string): readonly string[] {
  return new URL(url, 'http://localhost').searchParams.getAll('name[]');
}
