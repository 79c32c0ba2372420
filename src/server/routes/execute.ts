/** Executing a runbook: the engine decides, runs and records; here its answer becomes Stage0's. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { RunbookError } from '../../core/errors.ts';
import type { StopSignals } from '../../core/ports.ts';
import { exitCodeOf } from '../../core/run.ts';
import type { RunEventSink, RunRequest, RunResult } from '../../core/run.ts';
import { warningTexts } from '../../engine/document.ts';
import { isUnrecordedEnd } from '../../engine/end.ts';
import { execute } from '../../engine/execute.ts';
import type { Http, ServerContext } from '../context.ts';
import type { FoundRunbook } from '../documents.ts';
import { problemOf } from '../problem.ts';
import { answerRefusal, asEvents, logRefusal } from '../refusals.ts';
import { readRequest } from '../run-request.ts';
import type { ReadRequest } from '../run-request.ts';
import { watchCaller } from '../request-log.ts';
import { EnvVarsBody, Name } from '../schemas/runbooks.ts';
import { runFacts } from '../run-log.ts';
import { doneData } from '../stage0/done.ts';
import { createEventStream } from '../stage0/event-stream.ts';
import type { EventStream } from '../stage0/event-stream.ts';
import { notesOf } from '../stage0/texts.ts';
import type { RunLimits } from '../stage0/texts.ts';
import { messagesOf } from '../stage0/validation.ts';

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
        },
      },
    },
    async (request, reply) => {
      watchCaller(context, request, reply);
      await context.runs.track(async (signals) => {
        const read = await readRequest(context, request, request.params.name);
        await executeOverHttp(context, request, reply, read, signals);
      });
      return reply;
    },
  );
}

async function executeOverHttp(
  context: ServerContext,
  request: FastifyRequest,
  reply: FastifyReply,
  { found, runRequest, warnings }: ReadRequest,
  { stop, force }: StopSignals,
): Promise<void> {
  const { engine, metrics } = context;
  const runbook = found.document.fileName;
  const stream = createEventStream(reply.raw, () => textHeaders(reply), stop);
  const notices: string[] = [];
  const open = (): void => {
    if (stream.isOpen) return;
    reply.hijack();
    stream.open();
  };
  const listener: RunEventSink = async (event) => {
    switch (event.type) {
      case 'queued':
        reply.header('x-run-id', event.runId);
        return;
      case 'waiting':
        open();
        stream.comment(`place ${event.place} in the queue`);
        return;
      case 'started':
        open();
        return;
      case 'stdout':
      case 'stderr':
        await stream.output(event.type, event.chunk);
        return;
      case 'notice':
        if (event.level === 'warning') notices.push(event.message);
        return;
      default:
    }
  };
  try {
    const result = await execute(engine, { ...runRequest, signal: stop, force }, listener);
    metrics.run(runbook, { ...result, dropped: result.output.dropped });
    // Also a run that was ended before it began.
    open();
    await finish(context, request, stream, found, result, runRequest, [...warnings, ...warningsOf(found, notices)]);
  } catch (error) {
    if (stream.isOpen) {
      await breakOff(context, request, stream, found, error);
      return;
    }
    const told = asEvents(context, error, found, runRequest);
    if (told === null) {
      await answerRefusal(context, request, reply, { operation: 'execute', found }, error);
      return;
    }
    logRefusal(context, request, { operation: 'execute', found }, error);
    const { errors, stderr } = told;
    open();
    stream.text('stderr', stderr);
    await stream.done(doneData({ runbook, returnCode: 1, errors, warnings, stderrNotes: stderr }, null));
  }
}

/** Those of the document in Stage0's words. */
function warningsOf({ document, parsed }: FoundRunbook, notices: readonly string[]): readonly string[] {
  const { displayPath, fileName } = document;
  const known = new Set(warningTexts(displayPath, parsed.problems));
  const { warnings } = messagesOf(parsed.problems, { title: parsed.title, fileName });
  return [...warnings, ...notices.filter((text) => !known.has(text))];
}

async function finish(
  { engine, log }: ServerContext,
  request: FastifyRequest,
  stream: EventStream,
  found: FoundRunbook,
  result: RunResult,
  runRequest: RunRequest,
  warnings: readonly string[],
): Promise<void> {
  const { runId, outcome, reason } = result;
  const runbook = found.document.fileName;
  const notes = notesOf(result, limitsOf(engine.limits, found));
  const returnCode = exitCodeOf(result);
  const facts = runFacts(request, runRequest, runbook, result);
  if (outcome === 'timed-out') log.warn(facts, 'Script execution timed out');
  log.info(facts, 'Run ended');
  stream.text('stderr', notes.live);
  const isPlain = outcome === 'succeeded' || outcome === 'failed';
  const errors = isPlain || reason === null ? [] : [reason];
  await stream.done(
    doneData({ runbook, returnCode, errors, warnings, stderrNotes: notes.atEnd }, { runId, kept: engine.output }),
  );
}

/** As the engine bounds a run over HTTP, which brings no limit of its own. */
function limitsOf(
  limits: ServerContext['engine']['limits'],
  { parsed: { runbook } }: Pick<FoundRunbook, 'parsed'>,
): RunLimits {
  const own = runbook?.limits ?? {};
  const timeouts = [own.timeoutMs ?? limits.defaultTimeoutMs, limits.maxTimeoutMs].filter((limit) => limit !== null);
  return {
    timeoutMs: timeouts.length === 0 ? null : Math.min(...timeouts),
    maxOutputBytes: Math.min(own.maxOutputBytes ?? limits.maxOutputBytes, limits.maxOutputBytes),
  };
}

/** Behind the head of the answer: it waited and could not begin, or its end could not be recorded; neither may look like a success. */
async function breakOff(
  context: ServerContext,
  request: FastifyRequest,
  stream: EventStream,
  found: FoundRunbook,
  error: unknown,
): Promise<void> {
  const { detail, fix } = problemOf(error);
  const runbook = found.document.fileName;
  if (error instanceof RunbookError && !isUnrecordedEnd(error))
    logRefusal(context, request, { operation: 'execute', found }, error);
  else context.log.error({ correlationId: request.id, runbook, err: error }, 'A run could not be carried to its end');
  const text = `ERROR: ${detail} ${fix}\n`;
  stream.text('stderr', text);
  await stream.done(doneData({ runbook, returnCode: 1, errors: [detail], warnings: [], stderrNotes: text }, null));
}

function textHeaders(reply: FastifyReply): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(reply.getHeaders()).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])),
  );
}
