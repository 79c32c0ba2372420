/** How often one address may ask for something, counted in memory. */
import { isIPv6 } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { alertFacts } from './alert.ts';
import type { ServerContext } from './context.ts';
import { addressOf } from './forwarded.ts';
import { HttpError } from './problem.ts';

const GROUPS = 8;

/** A hook of a route. @throws HttpError 429 from the one on that is too many */
export function limitByAddress(
  { log }: Pick<ServerContext, 'log'>,
  { most, seconds }: { readonly most: number; readonly seconds: number },
): (request: FastifyRequest, reply: FastifyReply) => Promise<void> {
  const limiter = new RateLimiterMemory({ points: most, duration: seconds });
  return async (request, reply) => {
    const rest = await limiter.consume(rateKey(addressOf(request))).catch((error: unknown) => {
      if (error instanceof RateLimiterRes) return error;
      throw error;
    });
    if (rest.consumedPoints <= most) return;
    log.warn(alertFacts(request), 'Rate limit exceeded');
    reply.header('retry-after', String(Math.max(1, Math.ceil(rest.msBeforeNext / 1000))));
    throw new HttpError(429, 'busy', `This may be asked ${most} times in ${seconds} seconds.`, {
      fix: 'Wait as long as Retry-After says.',
      stage0: 'Rate limit exceeded. Please try again later.',
    });
  };
}

/** Who has one address of IPv6 has all of its /64. */
export function rateKey(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  const [plain = ''] = address.split('%');
  if (!isIPv6(plain)) return address;
  const [head = '', tail] = plain.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  // An address of IPv4 at the end takes the place of two groups.
  const zeros = GROUPS - left.length - right.length - (plain.includes('.') ? 1 : 0);
  const groups = [...left, ...(tail === undefined ? [] : Array.from({ length: zeros }, () => '0')), ...right];
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}
