/** Stage0's answer: events as they come, and `done` at the end. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { RunbookError } from '../../core/errors.ts';
import { exitCodeOf } from '../../core/run.ts';
import type { RunResult } from '../../core/run.ts';
import { warningTexts } from '../../engine/document.ts';
import { isUnrecordedEnd } from '../../engine/end.ts';
import type { ServerContext } from '../context.ts';
import type { FoundRunbook } from '../documents.ts';
import { problemOf } from '../problem.ts';
import { answerRefusal, asEvents, logRefusal } from '../refusals.ts';
import { doneData } from '../stage0/done.ts';
import { createEventStream } from '../stage0/event-stream.ts';
import type { EventStream } from '../stage0/event-stream.ts';
import { notesOf } from '../stage0/texts.ts';
import type { RunLimits } from '../stage0/texts.ts';
import { messagesOf } from '../stage0/validation.ts';
import type { Call, Face } from './face.ts';

export function createEventsFace({ context, request, reply, read, signals }: Call): Face {
  const { engine } = context;
  const { found, runRequest, warnings } = read;
  const runbook = found.document.fileName;
  const stream = createEventStream(reply.raw, () => textHeaders(reply), signals.stop);
  const notices: string[] = [];
  const open = (): void => {
    if (stream.isOpen) return;
    reply.hijack();
    stream.open();
  };
  return {
    hear: async (event) => {
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
    },
    ask: (runId, question) => {
      stream.more('question', { run_id: runId, ...question });
    },
    end: async (result) => {
      // Also a run that was ended before it began.
      open();
      await finish(engine, stream, runbook, result, {
        limits: limitsOf(engine.limits, found, runRequest.timeoutMs),
        warnings: [...warnings, ...warningsOf(found, notices)],
      });
    },
    fail: async (error) => {
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
    },
  };
}

/** Those of the document in Stage0's words. */
function warningsOf({ document, parsed }: FoundRunbook, notices: readonly string[]): readonly string[] {
  const { displayPath, fileName } = document;
  const known = new Set(warningTexts(displayPath, parsed.problems));
  const { warnings } = messagesOf(parsed.problems, { title: parsed.title, fileName });
  return [...warnings, ...notices.filter((text) => !known.has(text))];
}

/** The last event of a run, with what is kept of its output. */
export async function finish(
  { output }: Pick<ServerContext['engine'], 'output'>,
  stream: EventStream,
  runbook: string,
  result: RunResult,
  { limits, warnings }: { readonly limits: RunLimits; readonly warnings: readonly string[] },
): Promise<void> {
  const { runId, outcome, reason } = result;
  const notes = notesOf(result, limits);
  stream.text('stderr', notes.live);
  const isPlain = outcome === 'succeeded' || outcome === 'failed';
  const errors = isPlain || reason === null ? [] : [reason];
  const facts = { runbook, returnCode: exitCodeOf(result), errors, warnings, stderrNotes: notes.atEnd };
  await stream.done(doneData(facts, { runId, kept: output }));
}

/** As the engine bounds a run over HTTP. @param asked milliseconds, by the caller */
export function limitsOf(
  limits: ServerContext['engine']['limits'],
  { parsed: { runbook } }: Pick<FoundRunbook, 'parsed'>,
  asked: number | null,
): RunLimits {
  const own = runbook?.limits ?? {};
  const timeouts = [own.timeoutMs ?? limits.defaultTimeoutMs, limits.maxTimeoutMs, asked].filter(
    (limit) => limit !== null,
  );
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

export function textHeaders(reply: FastifyReply): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(reply.getHeaders()).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])),
  );
}
