/** Who, from where, about which runbook: what a line of the log that somebody may alert on says of its request. */
import type { FastifyRequest } from 'fastify';
import { addressOf } from './forwarded.ts';
import type { ServerContext } from './context.ts';

export interface AlertFacts {
  readonly correlationId: string;
  /** Of the caller; from behind a proxy that is trusted, as it says. */
  readonly address: string;
  /** The template. */
  readonly route: string | null;
  /** File name of a document that there is: what callers make up is no label. */
  readonly runbook?: string;
}

/** @param runbook file name of a document that was found */
export function alertFacts(request: FastifyRequest, runbook?: string): AlertFacts {
  const route = request.routeOptions.url ?? null;
  const facts = { correlationId: request.id, address: addressOf(request), route };
  return runbook === undefined ? facts : { ...facts, runbook };
}

/** Of a request whose document nobody has looked for yet, and may not: the folder is asked for its names. */
export async function alertFactsBefore(
  { knownNames }: Pick<ServerContext, 'knownNames'>,
  request: FastifyRequest,
): Promise<AlertFacts> {
  const name = nameIn(request.params);
  return alertFacts(request, name !== null && (await knownNames()).has(name) ? name : undefined);
}

function nameIn(params: unknown): string | null {
  if (typeof params !== 'object' || params === null || !('name' in params)) return null;
  return typeof params.name === 'string' ? params.name : null;
}
