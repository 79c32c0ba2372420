/** The answer to a request that was carried out before: from the run that there is, which goes on or has ended. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { StopSignals } from '../../core/ports.ts';
import { isUnderWay } from '../../core/run-state.ts';
import type { StoredRun } from '../../core/run.ts';
import { awaitEnd } from '../../engine/cancel.ts';
import { describeInterruption } from '../../engine/entry.ts';
import { followRun, tellKept } from '../../engine/follow.ts';
import type { Follower } from '../../engine/follow.ts';
import { aborted } from '../../engine/wait.ts';
import { identityOf } from '../access.ts';
import type { ServerContext } from '../context.ts';
import { HttpError } from '../problem.ts';
import { doneData } from '../stage0/done.ts';
import { createEventStream } from '../stage0/event-stream.ts';
import type { EventStream } from '../stage0/event-stream.ts';
import { sendAddress } from './at-once-face.ts';
import { createDocumentStream } from './document.ts';
import { sendRun } from './document-face.ts';
import { finish, textHeaders } from './events-face.ts';
import type { AnswerForm } from './wants.ts';

export interface SecondCall {
  readonly context: ServerContext;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly signals: StopSignals;
  /** File name of the runbook. */
  readonly runbook: string;
}

/** Longer than any run may be. */
const FOR_EVER_MS = 366 * 24 * 3_600_000;

/** @throws HttpError 404 where the run is not in the ledger any more */
export async function answerAgain(call: SecondCall, form: AnswerForm, runId: string): Promise<void> {
  const { context, reply, signals } = call;
  const run = await context.engine.ledger.get(runId);
  if (run === null)
    throw new HttpError(404, 'not-found', `Run ${runId}, which came of this request, is not in the ledger any more.`, {
      fix: 'Send a new Idempotency-Key to have it done anew.',
    });
  reply.header('x-run-id', runId);
  if (form === 'at-once') {
    await sendAddress(reply, runId, run.state);
    return;
  }
  const left = new AbortController();
  reply.raw.once('close', () => {
    left.abort();
  });
  // A run of ours ends with the server; that of another one is not waited for then.
  const signal = AbortSignal.any([left.signal, context.ends.has(runId) ? signals.force : signals.stop]);
  reply.hijack();
  if (form === 'document') await waitForDocument(call, runId, signal);
  else await followEvents(call, run, signal);
}

async function waitForDocument({ context, request, reply, signals }: SecondCall, runId: string, signal: AbortSignal) {
  const stream = createDocumentStream(reply.raw, () => textHeaders(reply), signals.stop);
  stream.open();
  const here = context.ends.get(runId);
  if (here !== undefined) await Promise.race([here, aborted(signal)]);
  await awaitEnd(context.engine, runId, { forMs: FOR_EVER_MS, signal, lookAfterRuns: async () => {} });
  await sendRun(context, identityOf(request), stream, runId);
}

async function followEvents({ context, reply, signals, runbook }: SecondCall, run: StoredRun, signal: AbortSignal) {
  const { engine } = context;
  const stream = createEventStream(reply.raw, () => textHeaders(reply), signals.stop);
  stream.open();
  const follower: Follower = {
    step: () => {},
    output: async (item) => {
      if (item.kind === 'chunk') await stream.output(item.stream, item.bytes);
    },
    beyond: () => {},
  };
  if (!isUnderWay(run.state)) await tellKept(engine, run, follower);
  const watching = { signal, lookAfterRuns: async () => {} };
  const end = isUnderWay(run.state) ? await followRun(engine, run, follower, watching) : run;
  if (end === null) reply.raw.destroy();
  else await tellEnd(context, stream, runbook, end);
}

async function tellEnd({ engine }: ServerContext, stream: EventStream, runbook: string, run: StoredRun): Promise<void> {
  const { result, interruption, runId } = run;
  if (result !== null) {
    const { output, durationMs } = result;
    // What bounded it is not in the record; what it came to is.
    const limits = { timeoutMs: Math.round(durationMs / 1000) * 1000, maxOutputBytes: output.bytes - output.dropped };
    await finish(engine, stream, runbook, result, { limits, warnings: [] });
    return;
  }
  const said = interruption === undefined ? `The run is ${run.state}.` : describeInterruption(interruption);
  const text = `ERROR: ${said}\n`;
  stream.text('stderr', text);
  const facts = { runbook, returnCode: 1, errors: [said], warnings: [], stderrNotes: text };
  await stream.done(doneData(facts, { runId, kept: engine.output }));
}
