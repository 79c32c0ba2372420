/** Which limit a route counts against. One that is not here is refused at the start, so that nobody can forget it. */
import type { RouteOptions } from 'fastify';
import type { Http } from '../context.ts';

/**
 * `read`: what begins nothing. Stopping, answering and pausing are here, too: they have to work when things do not.
 * `execute`: what may begin something, or adds to the record. `login`: making a token. `exempt`: probes, metrics, files.
 */
export type RouteLimit = 'read' | 'execute' | 'login' | 'exempt';

const LIMITS: Readonly<Record<string, RouteLimit>> = {
  'GET /api/runbooks': 'read',
  'GET /api/runbooks/:name': 'read',
  'GET /api/runbooks/:name/required-env': 'read',
  'PATCH /api/runbooks/:name/validate': 'execute',
  'POST /api/runbooks/:name/execute': 'execute',
  'GET /api/config': 'read',
  'GET /api/runs': 'read',
  'POST /api/runs': 'execute',
  'GET /api/runs/events': 'read',
  'GET /api/runs/:id': 'read',
  'GET /api/runs/:id/events': 'read',
  'GET /api/runs/:id/output': 'read',
  'GET /api/runs/:id/artifacts': 'read',
  'GET /api/runs/:id/artifact': 'read',
  'POST /api/runs/:id/cancel': 'read',
  'POST /api/runs/:id/confirm': 'read',
  'POST /api/admin/pause': 'read',
  'POST /api/admin/resume': 'read',
  'POST /api/shutdown': 'read',
  'GET /login': 'read',
  'POST /dev-login': 'login',
  'GET /healthz': 'exempt',
  'GET /readyz': 'exempt',
  'GET /metrics': 'exempt',
  'GET /docs/openapi.yaml': 'exempt',
  'GET /docs/:file': 'exempt',
};

declare module 'fastify' {
  interface FastifyContextConfig {
    /** From the table above. */
    readonly limit?: RouteLimit;
  }
}

/** Registered before anything that has routes. @throws TypeError later, for a route that is not in the table */
export function limitRoutes(http: Http): void {
  http.addHook('onRoute', (route: RouteOptions) => {
    const { method, url, schema } = route;
    // What is hidden only says which methods there are.
    const limit = schema?.hide === true || url === '*' ? 'exempt' : limitOf(String(method), url);
    if (limit === undefined) throw new TypeError(`${String(method)} ${url} is in no row of limits/routes.ts`);
    route.config = { ...route.config, limit };
  });
}

/** HEAD counts as its GET. */
function limitOf(method: string, url: string): RouteLimit | undefined {
  return LIMITS[`${method === 'HEAD' ? 'GET' : method} ${url}`];
}
