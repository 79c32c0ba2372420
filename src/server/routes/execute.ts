/** Executing a runbook: the engine decides, runs and records; here it is chosen how the caller hears of it. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { AlreadyAsked } from '../../core/request-key.ts';
import type { RequestKey } from '../../core/request-key.ts';
import type { StopSignals } from '../../core/ports.ts';
import { identityOf } from '../access.ts';
import type { Http, ServerContext } from '../context.ts';
import { answerAgain } from '../execution/again.ts';
import { readAsked } from '../execution/asked.ts';
import type { Asked } from '../execution/asked.ts';
import { createAtOnceFace } from '../execution/at-once-face.ts';
import { createDocumentFace } from '../execution/document-face.ts';
import { createEventsFace } from '../execution/events-face.ts';
import { carryOut } from '../execution/face.ts';
import type { Call, Face } from '../execution/face.ts';
import { holderOf, requestKeyOf, sameRun } from '../execution/keys.ts';
import { planFor } from '../execution/plan.ts';
import type { AnswerForm } from '../execution/wants.ts';
import { HttpError } from '../problem.ts';
import { watchCaller } from '../request-log.ts';
import { readRequest } from '../run-request.ts';
import { EnvVarsBody, Name, Queued } from '../schemas/runbooks.ts';

export function executeRoute(http: Http, context: ServerContext): void {
  http.post(
    '/api/runbooks/:name/execute',
    {
      config: { access: 'runbook' },
      schema: {
        params: Name,
        body: EnvVarsBody,
        response: {
          200: {
            description: 'Events `stdout`, `stderr` and, last, `done`',
            content: { 'text/event-stream': { schema: { type: 'string' } } },
          },
          202: Queued,
        },
      },
    },
    async (request, reply) => {
      const asked = readAsked(request);
      if (asked.isDry) {
        const plan = await planFor(context, request, request.params.name, asked);
        return await reply.type('application/json').send(JSON.stringify(plan));
      }
      watchCaller(context, request, reply);
      await context.runs.track(async (signals) => {
        const key = keyOf(context, request, request.params.name, asked);
        if (key === null) await executeNow(context, request, reply, asked, signals);
        else await executeOnce(context, request, reply, asked, key, signals);
      });
      return reply;
    },
  );
}

const FACES: Readonly<Record<AnswerForm, (call: Call) => Face>> = {
  events: createEventsFace,
  document: createDocumentFace,
  'at-once': createAtOnceFace,
};

type NamedRequest = FastifyRequest<{ Params: { name: string } }>;

/** @param onQueued called when there is a run, before its caller hears of it  @throws AlreadyAsked */
async function executeNow(
  context: ServerContext,
  request: NamedRequest,
  reply: FastifyReply,
  asked: Asked,
  signals: StopSignals,
  key?: RequestKey,
  onQueued: () => void = () => {},
): Promise<void> {
  const read = await readRequest(context, request, request.params.name, asked);
  const runRequest = key === undefined ? read.runRequest : { ...read.runRequest, key };
  const call = { context, request, reply, read: { ...read, runRequest }, signals };
  const face = FACES[asked.form](call);
  await carryOut(call, {
    ...face,
    hear: (event) => {
      if (event.type === 'queued') onQueued();
      return face.hear(event);
    },
  });
}

/** Whoever asks the same again hears of the run that there is. */
async function executeOnce(
  context: ServerContext,
  request: NamedRequest,
  reply: FastifyReply,
  asked: Asked,
  key: RequestKey,
  signals: StopSignals,
): Promise<void> {
  const again = async (runId: string): Promise<void> => {
    await answerAgain({ context, request, reply, signals, runbook: request.params.name }, asked.form, runId);
  };
  const endTurn = await context.keyTurns.take(key);
  try {
    const earlier = await context.engine.ledger.runOfKey(key);
    if (earlier !== null) {
      endTurn();
      await again(sameRun(key, earlier));
      return;
    }
    await executeNow(context, request, reply, asked, signals, key, endTurn);
  } catch (error) {
    endTurn();
    if (!(error instanceof AlreadyAsked)) throw error;
    // Another server of the same ledger was faster.
    await again(sameRun(key, error.earlier));
  } finally {
    endTurn();
  }
}

/** @throws HttpError 400 */
function keyOf(
  { engine, settings }: ServerContext,
  request: FastifyRequest,
  name: string,
  asked: Asked,
): RequestKey | null {
  if (asked.key === null) return null;
  if (settings.history === 'none')
    throw new HttpError(400, 'usage', 'This server keeps no record of runs, so it does not know a request again.', {
      fix: 'Leave Idempotency-Key out.',
    });
  return requestKeyOf(engine, holderOf(engine, identityOf(request), asked.key), name, asked, request.body);
}
