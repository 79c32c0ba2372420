/**
 * THE flow: one run of one runbook, from the request to the record. Read it from top to bottom.
 *
 * Everything up to `enqueue` may refuse (a `RunbookError`, recorded, nothing started). Once `begin` has committed
 * `started`, whatever happens is data: an outcome, committed before anybody hears of it.
 */
import { RunbookError } from '../core/errors.ts';
import { messageOf } from '../core/failures.ts';
import type { Enclosure, LoadedDocument, WorkFolder } from '../core/ports.ts';
import type { RunEventSink, RunRequest, RunResult } from '../core/run.ts';
import type { Runbook } from '../core/runbook.ts';
import { authenticate, checkCallChain, checkClaims } from './access.ts';
import { checkDocument, warningsOf } from './document.ts';
import { headOf, recordOf, startDraft } from './draft.ts';
import type { Draft } from './draft.ts';
import { neverStarted, recordEnd } from './end.ts';
import { NO_OUTPUT, openOutput } from './output.ts';
import type { RunOutputSink } from './output.ts';
import type { EnginePorts } from './ports.ts';
import { projectResult } from './projection.ts';
import { refuse } from './refuse.ts';
import { checkRequirements } from './requirements.ts';
import type { Plan } from './requirements.ts';
import { openEnclosure } from './enclosure.ts';
import { brokenOff, runSteps } from './steps.ts';
import type { StepsResult } from './steps.ts';

interface Accepted {
  readonly document: LoadedDocument;
  readonly runbook: Runbook;
  readonly plan: Plan;
}
interface Begun extends Accepted {
  readonly startedAt: string;
  readonly workFolder: WorkFolder;
  readonly enclosure: Enclosure;
}

/**
 * @throws RunbookError when the run is refused, or when its end cannot be recorded (`io`: it must not be repeated blindly)
 * @returns how it ended; the record is durable by then, and `finished` is the last event
 */
export async function execute(ports: EnginePorts, request: RunRequest, listener: RunEventSink): Promise<RunResult> {
  // Only lost output ends a run (see output.ts); a listener that fails to hear of anything else must not.
  const emit: RunEventSink = async (event) => {
    await Promise.resolve(listener(event)).catch(() => {});
  };
  const draft = startDraft(ports, request);
  const { runId } = draft;

  const accepted = await accept(ports, draft, emit);
  await ports.ledger.enqueue(recordOf(ports, draft, null), ports.owner, headOf(draft) ?? Buffer.alloc(0));
  await emit({ type: 'queued', runId, at: draft.enqueuedAt });

  const begun = await begin(ports, draft, accepted, emit);
  await emit({ type: 'started', runId, at: begun.startedAt });
  const result = await carryOut(ports, draft, begun, listener, emit);

  try {
    await recordEnd(ports, result, emit);
  } finally {
    // Also where the ledger fails, the document gets what can be told.
    await projectResult(ports, draft, result, emit);
    await begun.workFolder.remove().catch(async (error: unknown) => {
      const message = `The work folder ${begun.workFolder.path} could not be removed: ${messageOf(error)}.`;
      await emit({ type: 'notice', runId, level: 'warning', message });
    });
  }
  await emit({ type: 'finished', runId, result });
  return result;
}

/** Every check, in the order in which its answer may be given away. A refusal is recorded and thrown. */
async function accept(ports: EnginePorts, draft: Draft, emit: RunEventSink): Promise<Accepted> {
  const { request, runId } = draft;
  try {
    const authentication = await authenticate(ports, draft);
    const document = (draft.document = await ports.source.load(request.reference));
    const runbook = checkDocument(ports, document, draft);
    checkCallChain(ports, request, document);
    checkClaims(authentication, runbook);
    const plan = await checkRequirements(ports, document, runbook, draft);

    const history = await ports.documentHistory.decide(request.historyMode, document.path);
    draft.historyMode = history.mode;
    draft.git = await ports.facts.git(document.path);
    if (history.reason !== null) await emit({ type: 'notice', runId, level: 'info', message: history.reason });
    for (const message of [...warningsOf(draft), ...plan.unenforced])
      await emit({ type: 'notice', runId, level: 'warning', message });
    return { document, runbook, plan };
  } catch (error) {
    if (error instanceof RunbookError) await refuse(ports, draft, error, emit);
    throw error;
  }
}

/** Where it will live first, then `started`: once that is committed, nothing but the script is between us and its effects. */
async function begin(ports: EnginePorts, draft: Draft, accepted: Accepted, emit: RunEventSink): Promise<Begun> {
  const { runId, request } = draft;
  const { document, plan } = accepted;
  let workFolder: WorkFolder | null = null;
  let enclosure: Enclosure | null = null;
  try {
    workFolder = await ports.workspace.create(runId, document.folder, plan.inputs, request.signal);
    enclosure = await openEnclosure(ports, draft, accepted, emit);
    const startedAt = ports.clock.now().toISOString();
    await ports.ledger.begin(runId, { startedAt, containment: enclosure.containment }, plan.concurrency);
    return { ...accepted, startedAt, workFolder, enclosure };
  } catch (error) {
    // None of these may hide why the run could not begin; a run that stays queued is seen by the next look at its owner.
    await workFolder?.remove().catch(() => {});
    await enclosure?.close().catch(() => {});
    await ports.ledger.finish(runId, neverStarted(ports, runId, request.signal, error)).catch(() => {});
    throw error;
  }
}

/** From here to the record nothing is thrown: also our own failure is how the run ended. */
async function carryOut(
  ports: EnginePorts,
  draft: Draft,
  begun: Begun,
  listener: RunEventSink,
  emit: RunEventSink,
): Promise<RunResult> {
  const { runId, request } = draft;
  const { startedAt } = begun;
  let output: RunOutputSink | null = null;
  let run: StepsResult;
  try {
    output = openOutput(ports, runId, begun.plan.maxOutputBytes, request.signal, listener);
    run = await runSteps({ ports, draft, ...begun, output, emit });
  } catch (error) {
    run = brokenOff(begun.runbook, error);
  }
  const containment = await begun.enclosure.close();
  const { summary, failure } = output?.close() ?? NO_OUTPUT;
  if (failure !== null) await emit({ type: 'notice', runId, level: 'warning', message: failure });
  return { runId, ...run, output: summary, containment, startedAt, finishedAt: ports.clock.now().toISOString() };
}
