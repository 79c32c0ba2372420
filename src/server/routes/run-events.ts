/** Events of runs, as they come: of one run to its end, or what all runs come to. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { identityOf } from '../access.ts';
import type { Http, ServerContext } from '../context.ts';
import { HttpError } from '../problem.ts';
import { tellChanges } from '../runs/changes.ts';
import { hasAll, tellEvents } from '../runs/events.ts';
import type { EventPorts } from '../runs/events.ts';
import { BEGINNING, parsePosition } from '../runs/position.ts';
import { createReader } from '../runs/reader.ts';
import type { Reader } from '../runs/reader.ts';
import { visibilityOf, visibleRun } from '../runs/visible.ts';
import { RunId } from '../schemas/runs.ts';

const EVENTS = {
  200: {
    description: 'Events',
    content: { 'text/event-stream': { schema: { type: 'string' } } },
  },
} as const;

/** @param closing aborted when the server is about to end */
export function runEventRoutes(http: Http, context: ServerContext, closing: AbortSignal): void {
  const { engine, hub } = context;
  const ports: EventPorts = { ledger: engine.ledger, output: engine.output, hub };
  http.get(
    '/api/runs/:id/events',
    { config: { access: 'token' }, schema: { params: RunId, response: EVENTS } },
    async (request, reply) => {
      const run = await visibleRun(context, identityOf(request), request.params.id);
      const from = lastEventId(request, parsePosition) ?? BEGINNING;
      // An EventSource takes it for the end, and does not come back.
      if (await hasAll(ports, run, from)) return await nothingMore(reply);
      await answer(context, request, reply, closing, async (reader) => {
        await tellEvents(ports, run.runId, from, reader);
      });
      return reply;
    },
  );
  http.get(
    '/api/runs/events',
    { config: { access: 'token' }, schema: { response: EVENTS } },
    async (request, reply) => {
      const from = lastEventId(request, (text) => (/^\d{1,15}$/.test(text) ? Number(text) : null));
      const visibility = visibilityOf(context, identityOf(request));
      await answer(context, request, reply, closing, async (reader) => {
        await tellChanges(engine.ledger, reader, from, async (run) => await visibility.mayRead(run));
      });
      return reply;
    },
  );
}

async function nothingMore(reply: FastifyReply): Promise<FastifyReply> {
  return await reply.code(204).send();
}

/** @returns null where there is none @throws HttpError 400 */
function lastEventId<T>(request: FastifyRequest, parse: (text: string) => T | null): T | null {
  const header = request.headers['last-event-id'];
  if (header === undefined || header === '') return null;
  const id = typeof header === 'string' ? parse(header) : null;
  if (id !== null) return id;
  throw new HttpError(400, 'usage', 'Last-Event-ID is no id of these events.', {
    fix: 'Send the id of the last event that you have, or leave it out.',
  });
}

async function answer(
  { streams, log }: ServerContext,
  request: FastifyRequest,
  reply: FastifyReply,
  closing: AbortSignal,
  tell: (reader: Reader) => Promise<void>,
): Promise<void> {
  const close = streams.open(identityOf(request));
  const headers = Object.fromEntries(
    Object.entries(reply.getHeaders()).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])),
  );
  reply.hijack();
  const reader = createReader(reply.raw, headers);
  closing.addEventListener('abort', reader.end, { once: true });
  try {
    await tell(reader);
  } catch (error) {
    log.error({ correlationId: request.id, err: error }, 'Events could not be told to their end');
  } finally {
    closing.removeEventListener('abort', reader.end);
    reader.end();
    close();
  }
}
