/**
 * THE flow: one run of one runbook, from the request to the record. Read it from top to bottom.
 *
 * Everything up to `enqueue` may refuse (a `RunbookError`, recorded, nothing started). From `begin` on the run is in the
 * ledger as started, and whatever happens afterwards is data: an outcome, committed before anybody hears of it.
 */
import { RunbookError } from '../core/errors.ts';
import type { LoadedDocument, WorkFolder } from '../core/ports.ts';
import type { RunEventSink, RunRequest, RunResult } from '../core/run.ts';
import type { Runbook } from '../core/runbook.ts';
import { authenticate, checkCallChain, checkClaims } from './access.ts';
import { headOf, recordOf, startDraft } from './draft.ts';
import type { Draft } from './draft.ts';
import { neverStarted } from './never-started.ts';
import { openOutput } from './output.ts';
import type { EnginePorts } from './ports.ts';
import { projectRefusal, projectResult } from './projection.ts';
import { readRunbook } from './read.ts';
import { checkRequirements, unenforced } from './requirements.ts';
import type { Plan } from './requirements.ts';
import { runSteps } from './steps.ts';

interface Accepted {
  readonly document: LoadedDocument;
  readonly runbook: Runbook;
  readonly plan: Plan;
}

/**
 * @throws RunbookError when the run is refused or cannot be recorded
 * @returns how it ended; the record is durable by then, and `finished` is the last event
 */
export async function execute(ports: EnginePorts, request: RunRequest, sink: RunEventSink): Promise<RunResult> {
  // Only lost output ends a run (see output.ts); a listener that fails to hear of anything else must not.
  const emit: RunEventSink = async (event) => {
    await Promise.resolve(sink(event)).catch(() => {});
  };
  const draft = startDraft(ports, request);
  const { runId } = draft;
  const accepted = await accept(ports, draft, emit);

  await ports.ledger.enqueue(recordOf(ports, draft, null), ports.owner, headOf(draft) ?? Buffer.alloc(0));
  await emit({ type: 'queued', runId, at: draft.enqueuedAt });

  const { startedAt, workFolder } = await begin(ports, draft, accepted);
  try {
    await emit({ type: 'started', runId, at: startedAt });
    const output = openOutput(ports, runId, accepted.plan.maxOutputBytes, request.signal, sink);
    const run = await runSteps({ ports, draft, ...accepted, workFolder, output, emit });
    const result: RunResult = {
      runId,
      ...run,
      output: output.close(),
      startedAt,
      finishedAt: ports.clock.now().toISOString(),
    };
    await ports.ledger.finish(runId, result);
    const message = output.failure();
    if (message !== null) await emit({ type: 'notice', runId, level: 'warning', message });
    await projectResult(ports, draft, result, emit);
    await emit({ type: 'finished', runId, result });
    return result;
  } finally {
    await workFolder.remove().catch(async (error: unknown) => {
      const message = `The work folder ${workFolder.path} could not be removed: ${String(error)}`;
      await emit({ type: 'notice', runId, level: 'warning', message });
    });
  }
}

/** Every check, in the order in which its answer may be given away. A refusal is recorded and thrown. */
async function accept(ports: EnginePorts, draft: Draft, emit: RunEventSink): Promise<Accepted> {
  const { request } = draft;
  try {
    const authentication = await authenticate(ports, draft);
    const document = (draft.document = await ports.source.load(request.reference));
    const history = await ports.documentHistory.decide(request.historyMode, document.path);
    draft.historyMode = history.mode;
    const runbook = readRunbook(ports, document, draft);
    checkCallChain(ports, request, document);
    checkClaims(authentication, runbook);
    const plan = await checkRequirements(ports, document, runbook, draft);
    draft.git = await ports.facts.git(document.path);
    if (history.reason !== null)
      await emit({ type: 'notice', runId: draft.runId, level: 'info', message: history.reason });
    for (const message of unenforced(runbook))
      await emit({ type: 'notice', runId: draft.runId, level: 'warning', message });
    return { document, runbook, plan };
  } catch (error) {
    if (error instanceof RunbookError) await refuse(ports, draft, error, emit);
    throw error;
  }
}

/** Never hides the refusal itself: when it cannot be recorded, a warning says so. */
async function refuse(ports: EnginePorts, draft: Draft, error: RunbookError, emit: RunEventSink): Promise<void> {
  try {
    await ports.ledger.refuse(recordOf(ports, draft, { code: error.code, message: error.message }), headOf(draft));
    await projectRefusal(ports, draft, error);
  } catch (failure) {
    const reason = failure instanceof Error ? failure.message : String(failure);
    await emit({
      type: 'notice',
      runId: draft.runId,
      level: 'warning',
      message: `The refusal could not be recorded: ${reason}`,
    });
  }
}

/** The work folder first, then `started`: once that is committed, nothing but the script is between us and its effects. */
async function begin(
  ports: EnginePorts,
  { runId }: Draft,
  { document, plan }: Accepted,
): Promise<{ readonly startedAt: string; readonly workFolder: WorkFolder }> {
  let workFolder: WorkFolder | null = null;
  try {
    workFolder = await ports.workspace.create(runId, document.folder, plan.inputs);
    const startedAt = ports.clock.now().toISOString();
    await ports.ledger.begin(runId, { startedAt, containment: ports.executor.containment }, plan.concurrency);
    return { startedAt, workFolder };
  } catch (error) {
    await workFolder?.remove().catch(() => {});
    await ports.ledger.finish(runId, neverStarted(ports, runId, error));
    throw error;
  }
}
