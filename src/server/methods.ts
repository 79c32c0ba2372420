/** Methods that a route does not have: 405 with what it has (RFC 9110), before anybody is asked for a token. */
import { METHODS as ALL } from 'node:http';
import type { RouteOptions } from 'fastify';
import type { Http } from './context.ts';
import { HttpError, problemOf, sendProblem } from './problem.ts';

/** Those that a route may have. */
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;

/**
 * @param addRoutes registers all routes
 * @returns what `Allow` says of a path; null where there is nothing at it
 */
export function answerOtherMethods(http: Http, addRoutes: () => void): (path: string) => string | null {
  // All that the parser reads: also TRACE and PROPFIND are told what there is. A tunnel is no request.
  const others = ALL.filter((method) => method !== 'CONNECT');
  for (const method of others) if (!http.supportedMethods.includes(method)) http.addHttpMethod(method);
  const known = new Map<string, Set<string>>();
  let isListening = true;
  http.addHook('onRoute', ({ url, method }: RouteOptions) => {
    if (!isListening) return;
    const methods = known.get(url) ?? new Set();
    for (const one of [method].flat()) methods.add(one);
    known.set(url, methods);
  });
  addRoutes();
  isListening = false;
  const allowed: (readonly [url: string, allow: string])[] = [];
  for (const [url, methods] of known) {
    const has = new Set<string>([...methods, 'OPTIONS']);
    const allow = METHODS.filter((method) => has.has(method)).join(', ');
    allowed.push([url, allow]);
    const schema = { hide: true };
    http.options(
      url,
      { config: { access: 'public' }, schema },
      async (_, reply) => await reply.header('allow', allow).send(),
    );
    http.route({
      method: others.filter((method) => !has.has(method)),
      url,
      config: { access: 'public' },
      schema,
      // Before its body, which may be anything, is read.
      onRequest: async (request, reply) => {
        const error = new HttpError(405, 'not-allowed', `${request.method} is not for this address.`, {
          fix: `Use ${allow}.`,
          stage0: 'Method not allowed',
        });
        await sendProblem(reply.header('allow', allow), problemOf(error));
        return reply;
      },
      handler: async () => {
        throw new TypeError('answered already');
      },
    });
  }
  return (path) => allowed.find(([url]) => fits(url, path))?.[1] ?? null;
}

/** @param url template of a route  @param path of a request, perhaps with its query */
function fits(url: string, path: string): boolean {
  const parts = (path.split('?')[0] ?? '').split('/');
  const wanted = url.split('/');
  return (
    wanted.length === parts.length &&
    wanted.every((part, at) => (part.startsWith(':') ? parts[at] !== '' : part === parts[at]))
  );
}
