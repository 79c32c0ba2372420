/**
 * THE flow: one run of one runbook, from the request to the record. Read it from top to bottom.
 *
 * Everything up to `enqueue` may refuse (a `RunbookError`, recorded, nothing started). Once `begin` has committed
 * `started`, whatever happens is data: an outcome, committed before anybody hears of it.
 */
import { RunbookError } from '../core/errors.ts';
import type { RunEventSink, RunRequest, RunResult } from '../core/run.ts';
import { chooseSteps } from '../core/step-choice.ts';
import { authenticate, checkCallChain, checkClaims } from './access.ts';
import { isOverload } from './admission.ts';
import { keepArtifacts } from './artifacts.ts';
import { begin, endUnbegun } from './begin.ts';
import type { Begun } from './begin.ts';
import { findEarlierRun, noticesOfEarlier } from './continuation.ts';
import { checkDocument, warningsOf } from './document.ts';
import { queuedEvent, startDraft } from './draft.ts';
import type { Draft } from './draft.ts';
import { closeEnclosure } from './enclosure.ts';
import { conclude } from './end.ts';
import { enqueue } from './enqueue.ts';
import type { Lease } from './lease.ts';
import { notify, tellerOf } from './notices.ts';
import { NO_OUTPUT, openOutput } from './output.ts';
import type { RunOutputSink } from './output.ts';
import type { EnginePorts } from './ports.ts';
import type { Accepted } from './place.ts';
import { inQueue } from './queue.ts';
import { refuse } from './refuse.ts';
import { checkStubs } from './rehearsal.ts';
import { checkRequirements } from './requirements.ts';
import { decideRecord } from './room.ts';
import { maskReasons } from './secrets.ts';
import { withScriptToken } from './script-token.ts';
import { brokenOff, runSteps } from './steps.ts';
import type { KnownSteps, StepsResult } from './steps.ts';
import { lookAfterOthers, whileUnderWay } from './under-way.ts';
import { keepWorkFolder } from './work-folder.ts';

/**
 * @throws RunbookError when the run is refused, or when its end cannot be recorded (`io`: it must not be repeated blindly)
 * @returns how it ended; the record is durable by then, and `finished` is the last event
 */
export async function execute(ports: EnginePorts, request: RunRequest, listener: RunEventSink): Promise<RunResult> {
  const draft = startDraft(ports, request);
  const { runId } = draft;
  const emit = tellerOf(draft, listener);
  ports.executor.prepare();
  await lookAfterOthers(ports, draft, emit);
  const accepted = await accept(ports, draft, emit);
  return await inQueue(ports, draft, accepted, async (turn) => {
    await emit(queuedEvent(await enqueue(ports, draft), accepted.document));

    return await whileUnderWay(ports, draft, emit, async (lease) => {
      const begun = await begin(ports, draft, accepted, turn, emit);
      if (begun === null) return await endUnbegun(ports, draft, emit);
      await emit({ type: 'started', runId, at: begun.startedAt });
      const result = await carryOut(ports, draft, begun, lease, listener, emit);
      await conclude(ports, draft, result, begun.workFolder, emit);
      await emit({ type: 'finished', runId, result });
      return result;
    });
  });
}

/** Every check, in the order in which its answer may be given away. A refusal is recorded and thrown. */
async function accept(ports: EnginePorts, draft: Draft, emit: RunEventSink): Promise<Accepted> {
  const { request } = draft;
  try {
    // What is not known cannot be masked.
    await ports.ownSecrets.read();
    await notify(draft, emit, 'warning', [await checkStubs(ports, request)]);
    const authentication = await authenticate(ports, draft);
    ports.admission?.checkRoom(draft.identity);
    const document = (draft.document = await ports.source.load(request.reference));
    const runbook = checkDocument(ports, document, draft);
    checkCallChain(ports, request, document);
    checkClaims(authentication, runbook, draft);
    const steps = chooseSteps(runbook, request.choice);
    draft.choice = steps.chosen;
    const plan = await checkRequirements(ports, document, runbook, steps, draft);
    const earlier = await findEarlierRun(ports, draft, runbook);
    draft.continues = earlier?.run.runId ?? null;

    const whereRecorded = await decideRecord(ports, draft, document);
    draft.git = await ports.facts.git(document.path);
    const { infos, warnings } = noticesOfEarlier(earlier, runbook, draft);
    await notify(draft, emit, 'info', [whereRecorded, ...infos]);
    await notify(draft, emit, 'warning', [...warningsOf(draft), ...plan.warnings, ...warnings]);
    return { document, runbook, plan, earlier };
  } catch (error) {
    if (error instanceof RunbookError && !isOverload(error)) await refuse(ports, draft, error, emit);
    throw error;
  }
}

/** From here to the record nothing is thrown: also our own failure is how the run ended. */
async function carryOut(
  ports: EnginePorts,
  draft: Draft,
  begun: Begun,
  lease: Lease,
  listener: RunEventSink,
  emit: RunEventSink,
): Promise<RunResult> {
  const { runId } = draft;
  const { startedAt, runbook, plan, passedOn } = begun;
  let output: RunOutputSink | null = null;
  let run: StepsResult;
  const known: KnownSteps = { ended: [], begunAt: null };
  try {
    output = openOutput(ports, draft, plan.maxOutputBytes, listener);
    const context = { ports, draft, ...begun, lease, output, emit };
    run = await withScriptToken(context, async (token) => await runSteps({ ...context, token }, passedOn, known));
  } catch (error) {
    run = brokenOff(runbook, error, known);
  }
  const containment = await closeEnclosure(begun.enclosure, draft, emit);
  const artifacts = await keepArtifacts(ports, draft, runbook, begun.workFolder, run.steps, emit);
  const { summary, failure } = output?.close() ?? NO_OUTPUT;
  await notify(draft, emit, 'warning', [failure]);
  const finishedAt = ports.clock.now().toISOString();
  const workFolder = await keepWorkFolder(draft, run, begun, emit);
  return {
    runId,
    ...(await maskReasons(draft, run)),
    output: summary,
    containment,
    artifacts,
    startedAt,
    finishedAt,
    workFolder,
  };
}
