/** Who calls, where proxies are in between: their headers count only where the settings say whose. */
import { isIP } from 'node:net';
import type { FastifyRequest } from 'fastify';
import type { Http, ServerContext } from './context.ts';

const HEADERS = ['x-forwarded-for', 'forwarded', 'x-real-ip'] as const;

/** Of the caller; where a proxy hands over something else than an address, its own. */
export function addressOf({ ip, socket }: Pick<FastifyRequest, 'ip' | 'socket'>): string {
  return isIP(ip) === 0 ? (socket.remoteAddress ?? '') : ip;
}

/** Everybody has the proxy's address then, in records and for limits: said once. */
export function warnOfForwarded(http: Http, { settings, log }: ServerContext): void {
  if (settings.trustProxy.length > 0) return;
  let isSaid = false;
  http.addHook('onRequest', async ({ headers, id }) => {
    if (isSaid || HEADERS.every((name) => headers[name] === undefined)) return;
    isSaid = true;
    log.warn(
      { correlationId: id },
      'Forwarded headers arrive and TRUST_PROXY is not set: they do not count, and behind a proxy everybody has its address. Set TRUST_PROXY to the address of the proxy.',
    );
  });
}
