/** What a request is told of its limit: how much is left, or that it is too many. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Identity } from '../../core/ports.ts';
import { alertFactsBefore } from '../alert.ts';
import type { ServerContext } from '../context.ts';
import { addressOf } from '../forwarded.ts';
import { HttpError } from '../problem.ts';
import type { Count } from './counter.ts';
import { addressKey, callerKey } from './keys.ts';
import type { Limit } from './limits.ts';

type Enforcing = Pick<ServerContext, 'limits' | 'metrics' | 'knownNames' | 'log'>;

/** @throws HttpError 429  @throws RunbookError `unavailable` */
export async function limitByAddress(
  context: Enforcing,
  limit: 'stranger' | 'login',
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  if (!context.limits.isEnabled) return;
  const count = await context.limits.count(limit, addressKey(addressOf(request)));
  say(reply, count);
  if (count.isOver) throw await tooMany(context, limit, count, request, reply);
}

/** Whoever asks with the token of a run is bounded by depth and concurrency instead. @throws as above */
export async function limitByCaller(
  context: Enforcing,
  limit: 'read' | 'execute',
  identity: Identity,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  if (!context.limits.isEnabled || identity.run !== undefined) return;
  const count = await context.limits.count(limit, callerKey(identity));
  say(reply, count);
  if (count.isOver) throw await tooMany(context, limit, count, request, reply);
}

export interface Attempt {
  /** The token holds, or nobody could look: it was not the caller's fault. */
  forgive(): Promise<void>;
  /** The token does not hold. @throws HttpError 429 where that was too many */
  blame(): Promise<void>;
}

const nothing = async (): Promise<void> => {};
const NOTHING: Attempt = { forgive: nothing, blame: nothing };

/**
 * Before a signature is checked that nobody here has checked before. Each counts for its address until it is seen to hold.
 * Beyond the limit of the address a few a second are looked at all the same: others with good tokens may share it. The answer
 * does not tell them apart.
 * @throws HttpError 429
 */
export async function beginCheck(context: Enforcing, request: FastifyRequest, reply: FastifyReply): Promise<Attempt> {
  const { limits } = context;
  if (!limits.isEnabled) return NOTHING;
  const key = addressKey(addressOf(request));
  const count = await limits.count('stranger', key);
  if (count.isOver) {
    const refusal = async (): Promise<HttpError> => {
      say(reply, count);
      return await tooMany(context, 'stranger', count, request, reply);
    };
    if (!(await limits.mayCheck(key))) throw await refusal();
    return {
      forgive: nothing,
      blame: async () => {
        throw await refusal();
      },
    };
  }
  return {
    forgive: async () => {
      await limits.takeBack('stranger', key);
    },
    blame: async () => {
      say(reply, count);
    },
  };
}

/** Of draft-ietf-httpapi-ratelimit-headers, as clients know them. */
function say(reply: FastifyReply, { most, left, restMs }: Count): void {
  reply.headers({
    'ratelimit-limit': String(most),
    'ratelimit-remaining': String(left),
    'ratelimit-reset': String(Math.ceil(restMs / 1000)),
  });
}

const WHAT: Readonly<Record<Limit, (most: number) => string>> = {
  stranger: (most) => `From one address ${most} requests a minute may come without a token that holds.`,
  login: (most) => `This may be asked ${most} times in 60 seconds.`,
  read: (most) => `You may ask ${most} times a minute.`,
  execute: (most) => `You may execute and validate ${most} times a minute.`,
};

async function tooMany(
  { metrics, knownNames, log }: Enforcing,
  limit: Limit,
  { most, restMs }: Count,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<HttpError> {
  metrics.limited(limit);
  log.warn({ ...(await alertFactsBefore({ knownNames }, request)), limit }, 'Rate limit exceeded');
  reply.header('retry-after', String(Math.max(1, Math.ceil(restMs / 1000))));
  return new HttpError(429, 'busy', WHAT[limit](most), {
    fix: 'Wait as long as Retry-After says.',
    stage0: 'Rate limit exceeded. Please try again later.',
  });
}
