/** Each request leaves one line in the log and counts, also where its caller left before the answer was whole. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ServerContext } from './context.ts';

export function logRequest(
  { metrics, log }: Pick<ServerContext, 'metrics' | 'log'>,
  request: FastifyRequest,
  reply: FastifyReply,
  hasLeft: boolean,
): void {
  const { method } = request;
  const route = request.is404 ? null : (request.routeOptions.url ?? null);
  const { statusCode, elapsedTime } = reply;
  // Scrapes are not requests; whoever may not is one.
  if (route === '/metrics' && statusCode < 400) return;
  metrics.request(method, route, statusCode, elapsedTime / 1000);
  const facts = { method, route, status: statusCode, ms: Math.round(elapsedTime), correlationId: request.id };
  const who = { subject: request.identity?.subject ?? null, ...(hasLeft ? { aborted: true } : {}) };
  log.info({ ...facts, ...who }, 'Request');
}

/** The same for what did not come as far as a route. @param code of the parser, where it was that which refused */
export function logBare(
  { metrics, log }: Pick<ServerContext, 'metrics' | 'log'>,
  {
    method,
    status,
    id,
    code,
    hasLeft = false,
  }: {
    readonly method: string | null;
    readonly status: number;
    readonly id: string;
    readonly code?: string;
    readonly hasLeft?: boolean;
  },
): void {
  metrics.unrouted(method ?? 'unknown', status);
  const facts = { method, route: null, status, ms: 0, correlationId: id, subject: null };
  log.info({ ...facts, ...(code === undefined ? {} : { code }), ...(hasLeft ? { aborted: true } : {}) }, 'Request');
}

/** For an answer that Fastify does not watch: that it is whole is told as always. */
export function watchCaller(context: ServerContext, request: FastifyRequest, reply: FastifyReply): void {
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) logRequest(context, request, reply, true);
  });
}
