/**
 * Who may use a route. Every route says it in its `config`; one that does not is refused at the start, so that nobody can
 * forget it. Checked before the body is read.
 */
import type { FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import { RunbookError } from '../core/errors.ts';
import type { Identity } from '../core/ports.ts';
import { authorize } from '../core/claims.ts';
import type { ClaimRequirement } from '../core/runbook.ts';
import { alertFactsBefore } from './alert.ts';
import type { ServerContext, Http } from './context.ts';
import { tokenOf } from './bearer.ts';
import { beginCheck, limitByAddress, limitByCaller } from './limits/enforce.ts';
import { HttpError } from './problem.ts';
import { tokenText } from './stage0/token-texts.ts';

/**
 * `public`: anybody. `token`: whoever has a valid token, a run's own counts as well. `runbook`: the same, and what the
 * runbook requires is checked by the engine (and recorded). `person`: a valid token that is not a run's. `admin`: whoever
 * has the admin claim.
 */
export type Access = 'public' | 'token' | 'runbook' | 'person' | 'admin';

export interface RouteAccess {
  readonly method: string;
  /** The template: `/api/runbooks/:name`. */
  readonly url: string;
  readonly access: Access;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    readonly access?: Access;
  }
  interface FastifyRequest {
    /** Null only on public routes. */
    identity: Identity | null;
  }
}

type Guard = Pick<ServerContext, 'engine' | 'settings' | 'knownNames' | 'log' | 'limits' | 'metrics'>;

/** Registered before anything that has routes. @returns every route there is, once all are registered */
export function listRoutes(http: Http): readonly RouteAccess[] {
  const routes: RouteAccess[] = [];
  http.addHook('onRoute', (route: RouteOptions) => {
    // Of CORS: for browsers that ask before they send a token; to everybody else it says that there is nothing.
    if (route.url === '*' && route.method === 'OPTIONS') route.config = { ...route.config, access: 'public' };
    const access = route.config?.access;
    if (access === undefined) {
      throw new TypeError(`${String(route.method)} ${route.url} does not say who may use it`);
    }
    for (const method of [route.method].flat()) routes.push({ method, url: route.url, access });
  });
  return routes;
}

/** Registered behind what writes headers: a refusal has them, too. */
export function guardRoutes(http: Http, context: Guard): void {
  http.decorateRequest('identity', null);
  http.addHook('onRequest', async (request, reply) => {
    const { access, limit } = request.routeOptions.config;
    // There is nothing behind it to protect.
    if (request.is404) return;
    if (limit === 'login') await limitByAddress(context, limit, request, reply);
    if (access === 'public') return;
    request.identity = await authenticate(context, request, reply);
    if (limit === 'read' || limit === 'execute') await limitByCaller(context, limit, request.identity, request, reply);
    if (access === 'token' || access === 'runbook') return;
    if (request.identity.run !== undefined) {
      throw new RunbookError('forbidden', 'The token of a run is for runbooks only.', {
        fix: 'Ask with a token of your own.',
      });
    }
    if (access !== 'person' && !isAdmin(context, request.identity)) {
      throw new RunbookError('forbidden', 'This needs the admin claim.', {
        fix: 'Use a token of an administrator; the setting ADMIN_CLAIM says who is one.',
      });
    }
  });
}

async function authenticate(context: Guard, request: FastifyRequest, reply: FastifyReply): Promise<Identity> {
  const { authenticator } = context.engine;
  const token = await tokenFrom(context, request, reply);
  const known = await authenticator.recall(token);
  if (known !== null) return known;
  const attempt = await beginCheck(context, request, reply);
  try {
    const identity = await authenticator.authenticate(token);
    await attempt.forgive();
    return identity;
  } catch (error) {
    if (!(error instanceof RunbookError) || error.code !== 'unauthenticated') {
      await attempt.forgive();
      throw error;
    }
    await attempt.blame();
    // The sentence is ours and holds nothing of the token.
    context.log.warn(await alertFactsBefore(context, request), `Authentication failed: ${error.message}`);
    const stage0 = tokenText(error.reason, error.message);
    throw new HttpError(401, 'unauthenticated', error.message, { fix: error.fix, stage0 });
  }
}

async function tokenFrom(context: Guard, request: FastifyRequest, reply: FastifyReply): Promise<string> {
  try {
    return tokenOf(request.headers.authorization);
  } catch (error) {
    await limitByAddress(context, 'stranger', request, reply);
    throw error;
  }
}

/** Nobody is one where the setting is not made; a run never is, whoever started it: its script is somebody else's. */
export function isAdmin({ settings }: Pick<ServerContext, 'settings'>, identity: Identity | null): boolean {
  const requirement = settings.adminClaim === null ? null : parseAdminClaim(settings.adminClaim);
  if (identity === null || identity.run !== undefined || requirement === null) return false;
  return authorize(identity.claims, [[requirement]]).allowed;
}

/** `roles=admin, ops` @returns null where it is not of that form */
export function parseAdminClaim(text: string): ClaimRequirement | null {
  const [, claim = '', values = ''] = /^\s*([^=\s]+)\s*=(.+)$/s.exec(text) ?? [];
  const anyOf = values
    .split(',')
    .map((value) => value.trim())
    .filter((value) => value !== '');
  return claim === '' || anyOf.length === 0 ? null : { claim, anyOf };
}

/** Of a route that is not public. */
export function identityOf(request: FastifyRequest): Identity {
  if (request.identity === null) throw new TypeError(`${request.url} was reached without a token`);
  return request.identity;
}
