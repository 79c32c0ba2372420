/** One id for a request, in its answer, its logs, its run and the runs that this one calls. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

const FORM = /^[A-Za-z0-9._-]{1,64}$/;

/** What the caller sent, where it is harmless in headers, logs and shells; else a new one. */
export function correlationIdOf({ headers }: Pick<IncomingMessage, 'headers'>): string {
  const given = headers['x-correlation-id'];
  return typeof given === 'string' && FORM.test(given) ? given : randomUUID();
}
