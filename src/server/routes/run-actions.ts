/** What people do to runs that are under way: end them, and answer their questions. */
import type { FastifyRequest } from 'fastify';
import { RunbookError } from '../../core/errors.ts';
import type { Operation } from '../../core/ports.ts';
import type { StoredRun } from '../../core/run.ts';
import { isUnderWay } from '../../core/run-state.ts';
import { requestCancel } from '../../engine/cancel.ts';
import { operationOf } from '../../engine/operations.ts';
import { identityOf } from '../access.ts';
import type { Http, ServerContext } from '../context.ts';
import { HttpError } from '../problem.ts';
import type { Verdict } from '../runs/questions.ts';
import { visibilityOf, visibleRun } from '../runs/visible.ts';
import { CancelBody, ConfirmBody, Confirmed } from '../schemas/actions.ts';
import { Queued } from '../schemas/runbooks.ts';
import { RunId } from '../schemas/runs.ts';

export function runActionRoutes(http: Http, context: ServerContext): void {
  const { engine, questions, log } = context;
  http.post(
    '/api/runs/:id/cancel',
    { config: { access: 'person' }, schema: { params: RunId, body: CancelBody, response: { 202: Queued } } },
    async (request, reply) => {
      const reason = readReason(request.body);
      const run = await findRunToChange(context, request, request.params.id);
      reply.header('x-run-id', run.runId);
      if (!isUnderWay(run.state)) throw hasEnded(run);
      const operation = await requestCancel(engine, run, reason, identityOf(request)).catch((error: unknown) => {
        // It has ended meanwhile.
        throw error instanceof RunbookError && error.code === 'not-found' ? hasEnded(run) : error;
      });
      log.info(changeFacts(request, operation), 'Run is to be canceled');
      return await reply.code(202).send({ run_id: run.runId, state: run.state });
    },
  );
  http.post(
    '/api/runs/:id/confirm',
    { config: { access: 'person' }, schema: { params: RunId, body: ConfirmBody, response: { 200: Confirmed } } },
    async (request, reply) => {
      const { runId } = await findRunToChange(context, request, request.params.id);
      reply.header('x-run-id', runId);
      const { step } = request.body;
      let said = request.body.answer;
      const verdict = await questions.answer(runId, request.body, async (answer) => {
        said = answer;
        const about = { run: runId, answer: { step, answer } };
        const operation = operationOf(engine, 'confirm', null, about, identityOf(request));
        if (!(await engine.ledger.confirm(runId, operation))) return false;
        log.info({ ...changeFacts(request, operation), step, answer }, 'Question of a run answered');
        return true;
      });
      if (verdict !== 'taken') throw notTaken(verdict);
      return { run_id: runId, step, answer: said };
    },
  );
}

/** @throws HttpError 404, 403 */
async function findRunToChange(context: ServerContext, request: FastifyRequest, id: string): Promise<StoredRun> {
  const identity = identityOf(request);
  const run = await visibleRun(context, identity, id);
  if (await visibilityOf(context, identity).mayAct(run)) return run;
  throw new HttpError(403, 'forbidden', 'This run is not yours, and you may not execute its runbook.', {
    fix: 'Ask whoever started it, or an administrator.',
  });
}

function readReason(body: unknown): string | null {
  if (body === undefined || body === null) return null;
  if (typeof body !== 'object' || Array.isArray(body)) throw badReason('The body is not a JSON object.');
  for (const [name, value] of Object.entries(body)) {
    if (name !== 'reason') throw badReason('The body has a member that is not known.');
    if (value !== null && typeof value !== 'string') throw badReason('`reason` is not text.');
  }
  return 'reason' in body && typeof body.reason === 'string' ? body.reason : null;
}

function badReason(message: string): HttpError {
  return new HttpError(400, 'usage', message, { fix: 'Send {"reason": "why"}, or no body at all.' });
}

function hasEnded({ runId }: StoredRun): HttpError {
  return new HttpError(409, 'conflict', `Run ${runId} has ended.`, { fix: 'There is nothing to be canceled.' });
}

function notTaken(verdict: Exclude<Verdict, 'taken'>): HttpError {
  switch (verdict) {
    case 'unasked':
      return new HttpError(409, 'conflict', 'Nothing of that kind is asked at this step, here and now.', {
        fix: 'Look what the run asks: it may be another step by now, or somebody else has answered.',
      });
    case 'over':
      return new HttpError(409, 'conflict', 'The run does not go on: it has ended, or is being canceled.', {
        fix: 'Look how it ended.',
      });
    case 'wrong':
      return new HttpError(400, 'usage', 'What was typed is not the value that the step asks for.', {
        fix: 'Type the value of the variable that it names.',
      });
    case 'last':
      return new HttpError(409, 'conflict', 'What was typed was wrong for the third time, which counts as a no.', {
        fix: 'Execute the runbook again, with the right value at hand.',
      });
  }
}

function changeFacts(request: FastifyRequest, { operationId, operation, run }: Operation): Record<string, unknown> {
  const { subject } = identityOf(request);
  return { correlationId: request.id, operation, operationId, runId: run ?? null, subject };
}
