/** `Prefer: respond-async` (RFC 7240): the address of the run as soon as it is queued. */
import type { FastifyReply } from 'fastify';
import { RunbookError } from '../../core/errors.ts';
import { answerRefusal } from '../refusals.ts';
import type { Call, Face } from './face.ts';

export function createAtOnceFace({ context, request, reply, read }: Call): Face {
  const { found } = read;
  let runId: string | null = null;
  return {
    hear: async (event) => {
      if (event.type !== 'queued') return;
      ({ runId } = event);
      await sendAddress(reply, runId, 'queued');
    },
    end: async () => {},
    fail: async (error) => {
      if (runId === null) {
        await answerRefusal(context, request, reply, { operation: 'execute', found }, error);
        return;
      }
      const facts = { correlationId: request.id, runId, runbook: found.document.fileName };
      // Nobody waits for it: the record and the log say it.
      if (error instanceof RunbookError && error.code !== 'internal')
        context.log.warn({ ...facts, code: error.code }, error.message);
      else context.log.error({ ...facts, err: error }, 'A run could not be carried to its end');
    },
  };
}

export async function sendAddress(reply: FastifyReply, runId: string, state: string): Promise<void> {
  reply.headers({ 'x-run-id': runId, location: `/api/runs/${runId}`, 'preference-applied': 'respond-async' });
  await reply.code(202).send({ run_id: runId, state });
}
