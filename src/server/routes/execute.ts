/** Checking and executing a runbook: the engine decides, runs and records; here its answer becomes Stage0's. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { RunbookError } from '../../core/errors.ts';
import type { ErrorCode } from '../../core/errors.ts';
import { exitCodeOf } from '../../core/run.ts';
import type { RunEventSink, RunRequest, RunResult } from '../../core/run.ts';
import { ClaimsLacking } from '../../engine/access.ts';
import { checkRequest } from '../../engine/dry-check.ts';
import { execute } from '../../engine/execute.ts';
import { identityOf } from '../access.ts';
import type { Http, ServerContext } from '../context.ts';
import { findRunbook } from '../documents.ts';
import { readEnvVars } from '../env-vars.ts';
import { problemOf, sendProblem } from '../problem.ts';
import { runFacts } from '../run-log.ts';
import { requestFor } from '../run-request.ts';
import { EnvVarsBody, Name, ValidationAnswer } from '../schemas/runbooks.ts';
import { doneData } from '../stage0/done.ts';
import { createEventStream } from '../stage0/event-stream.ts';
import type { EventStream } from '../stage0/event-stream.ts';
import { notesOf, rbacText } from '../stage0/texts.ts';

export function executeRoutes(http: Http, context: ServerContext): void {
  http.patch(
    '/api/runbooks/:name/validate',
    {
      config: { access: 'runbook' },
      schema: {
        params: Name,
        body: EnvVarsBody,
        response: { 200: ValidationAnswer, 400: ValidationAnswer },
      },
    },
    async (request, reply) => {
      const { name } = request.params;
      const { runRequest } = await readRequest(context, request, name);
      try {
        const { problems } = await checkRequest(context.engine, runRequest, quiet(context, request));
        const errors = problems.filter(({ severity }) => severity === 'error').map(({ message }) => message);
        const warnings = problems.filter(({ severity }) => severity === 'warning').map(({ message }) => message);
        const success = errors.length === 0;
        return await reply.code(success ? 200 : 400).send({ success, runbook: name, errors, warnings });
      } catch (error) {
        await refused(context, request, reply, 'validate', error);
        return reply;
      }
    },
  );
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
        },
      },
    },
    async (request, reply) => {
      await context.runs.track(async ({ stop, force }) => {
        await executeOverHttp(context, request, reply, request.params.name, stop, force);
      });
      return reply;
    },
  );
}

async function readRequest(
  context: ServerContext,
  request: FastifyRequest,
  name: string,
): Promise<{ readonly runRequest: RunRequest; readonly warnings: readonly string[] }> {
  const { parsed } = await findRunbook(context, name);
  const booleans = new Set((parsed.runbook?.env ?? []).filter(({ type }) => type === 'boolean').map((one) => one.name));
  const { given, warnings } = readEnvVars(request.body, (variable) => booleans.has(variable));
  return { runRequest: requestFor(context, request, name, given), warnings };
}

async function executeOverHttp(
  context: ServerContext,
  request: FastifyRequest,
  reply: FastifyReply,
  name: string,
  stop: AbortSignal,
  force: AbortSignal,
): Promise<void> {
  const { engine, metrics } = context;
  const stream = createEventStream(reply.raw, () => textHeaders(reply));
  const warnings: string[] = [];
  const listener: RunEventSink = (event) => {
    switch (event.type) {
      case 'queued':
        reply.header('x-run-id', event.runId);
        return;
      case 'started':
        reply.hijack();
        stream.open();
        return;
      case 'stdout':
      case 'stderr':
        stream.output(event.type, event.chunk);
        return;
      case 'notice':
        if (event.level === 'warning') warnings.push(event.message);
        return;
      default:
    }
  };
  try {
    const { runRequest, warnings: passedOver } = await readRequest(context, request, name);
    warnings.push(...passedOver);
    const result = await execute(engine, { ...runRequest, signal: stop, force }, listener);
    metrics.run(name, { ...result, dropped: result.output.dropped });
    await finish(context, request, stream, result, { name, runRequest, warnings });
  } catch (error) {
    if (stream.isOpen) await breakOff(context, request, stream, name, error);
    else await refused(context, request, reply, 'execute', error, { name, stream, warnings });
  }
}

async function finish(
  { engine, log }: ServerContext,
  request: FastifyRequest,
  stream: EventStream,
  result: RunResult,
  about: { readonly name: string; readonly runRequest: RunRequest; readonly warnings: readonly string[] },
): Promise<void> {
  const { name: runbook, runRequest, warnings } = about;
  const { runId, outcome, reason } = result;
  const notes = notesOf(result, engine.limits.maxOutputBytes);
  const facts = runFacts(request, runRequest, runbook, result);
  if (outcome === 'timed-out') log.warn(facts, 'Script execution timed out');
  log.info(facts, 'Run ended');
  stream.text('stderr', notes.live);
  const isPlain = outcome === 'succeeded' || outcome === 'failed';
  const errors = isPlain || reason === null ? [] : [reason];
  const returnCode = exitCodeOf(result);
  await stream.done(
    doneData({ runbook, returnCode, errors, warnings, stderrNotes: notes.atEnd }, { runId, kept: engine.output }),
  );
}

/** The run has happened, and its end could not be recorded, say: that must not look like a success. */
async function breakOff(
  { log }: ServerContext,
  request: FastifyRequest,
  stream: EventStream,
  runbook: string,
  error: unknown,
): Promise<void> {
  const { detail, fix } = problemOf(error);
  log.error({ correlationId: request.id, runbook, err: error }, 'A run could not be carried to its end');
  const text = `ERROR: ${detail} ${fix}\n`;
  stream.text('stderr', text);
  await stream.done(doneData({ runbook, returnCode: 1, errors: [detail], warnings: [], stderrNotes: text }, null));
}

/** Refusals that Stage0 tells in the stream, since the caller may execute the runbook. */
const IN_STREAM: ReadonlySet<ErrorCode> = new Set(['runbook-invalid', 'recursion', 'requirements-unmet']);

async function refused(
  { log, metrics }: ServerContext,
  request: FastifyRequest,
  reply: FastifyReply,
  operation: 'execute' | 'validate',
  error: unknown,
  execution?: { readonly name: string; readonly stream: EventStream; readonly warnings: readonly string[] },
): Promise<void> {
  const subject = identityOf(request).subject;
  const about = { correlationId: request.id, subject };
  if (error instanceof RunbookError) {
    metrics.refusal(error.code);
    const missingInterpreter = error.code === 'unavailable' && error.problems.length > 0;
    if (execution !== undefined && (IN_STREAM.has(error.code) || missingInterpreter)) {
      const errors = error.problems.filter(({ severity }) => severity === 'error').map(({ message }) => message);
      const messages = errors.length === 0 ? [error.message] : errors;
      const { name, stream, warnings } = execution;
      log.warn({ ...about, runbook: name, code: error.code }, 'Run refused');
      reply.hijack();
      stream.open();
      const text = messages.join('\n');
      stream.text('stderr', text);
      await stream.done(
        doneData({ runbook: name, returnCode: 1, errors: messages, warnings, stderrNotes: text }, null),
      );
      return;
    }
    if (error instanceof ClaimsLacking) log.warn({ ...about, operation }, 'RBAC failure');
    else if (error.message.startsWith('Invalid environment variable name'))
      log.warn(about, 'Invalid environment variable name');
    else log.warn({ ...about, code: error.code }, 'Run refused');
  }
  const stage0 = error instanceof ClaimsLacking ? rbacText(operation, error.missing) : undefined;
  const problem = problemOf(error, stage0);
  if (problem.status === 500) log.error({ ...about, err: error }, 'A bug');
  await sendProblem(reply, problem);
}

/** For a question that starts nothing. */
function quiet({ log }: ServerContext, request: FastifyRequest): RunEventSink {
  return (event) => {
    if (event.type === 'notice' && event.level === 'warning') log.warn({ correlationId: request.id }, event.message);
  };
}

function textHeaders(reply: FastifyReply): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(reply.getHeaders()).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])),
  );
}
