/** How a caller hears of a run: a face turns what the engine tells into one kind of answer. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { StopSignals } from '../../core/ports.ts';
import type { RunEventSink, RunResult } from '../../core/run.ts';
import { AlreadyAsked } from '../../core/request-key.ts';
import { execute } from '../../engine/execute.ts';
import type { ServerContext } from '../context.ts';
import { runFacts } from '../run-log.ts';
import type { ReadRequest } from '../run-request.ts';
import type { Question } from '../runs/questions.ts';

/** One request that a run may come of. */
export interface Call {
  readonly context: ServerContext;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly read: ReadRequest;
  readonly signals: StopSignals;
}

export interface Face {
  readonly hear: RunEventSink;
  /** A step of it asks: only where the caller has said that somebody answers. */
  ask?(runId: string, question: Question): void;
  /** The end is recorded. */
  end(result: RunResult): Promise<void>;
  /** No run came of it, it could not begin, or its end could not be recorded. */
  fail(error: unknown): Promise<void>;
}

/** @throws AlreadyAsked where the request was carried out before */
export async function carryOut({ context, request, read, signals }: Call, face: Face): Promise<void> {
  const { engine, metrics, hub, log } = context;
  const { found, runRequest, asking } = read;
  const runbook = found.document.fileName;
  const over = Promise.withResolvers<void>();
  let runId: string | null = null;
  const listener: RunEventSink = (event) => {
    if (event.type === 'queued') {
      ({ runId } = event);
      context.ends.set(runId, over.promise);
    }
    asking?.hear(event);
    return face.hear(event);
  };
  asking?.listen((id, question) => {
    face.ask?.(id, question);
    hub.ask(id, question);
  });
  try {
    const result = await hub.during(
      async (hear) =>
        await execute(engine, { ...runRequest, signal: signals.stop, force: signals.force }, async (event) => {
          await hear(event);
          await listener(event);
        }),
    );
    metrics.run(runbook, { ...result, dropped: result.output.dropped });
    const facts = runFacts(request, runRequest, runbook, result);
    if (result.outcome === 'timed-out') log.warn(facts, 'Script execution timed out');
    log.info(facts, 'Run ended');
    await face.end(result);
  } catch (error) {
    if (error instanceof AlreadyAsked) throw error;
    await face.fail(error);
  } finally {
    if (runId !== null) context.ends.delete(runId);
    over.resolve();
  }
}
