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
import { startDraft } from './draft.ts';
import type { Draft } from './draft.ts';
import { neverStarted, resultEntry } from './entries.ts';
import { openOutput } from './output.ts';
import type { EnginePorts } from './ports.ts';
import { readRunbook } from './read.ts';
import { recordRefusal } from './refuse.ts';
import { checkRequirements } from './requirements.ts';
import type { Plan } from './requirements.ts';
import { runSteps } from './steps.ts';

interface Accepted {
  readonly document: LoadedDocument;
  readonly runbook: Runbook;
  readonly head: Buffer;
  readonly hasHistory: boolean;
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
  const accepted = await accept(ports, request, draft, emit);

  await ports.ledger.enqueue(draft.record('queued'), ports.owner, accepted.head);
  await emit({ type: 'queued', runId, at: draft.enqueuedAt });

  const workFolder = await begin(ports, draft, accepted);
  try {
    await emit({ type: 'started', runId, at: draft.startedAt });
    const output = openOutput(ports, runId, accepted.plan.maxOutputBytes, request.signal, sink);
    const run = await runSteps({ ports, request, draft, ...accepted, workFolder, output, emit });
    const result: RunResult = {
      runId,
      ...run,
      output: output.close(),
      startedAt: draft.startedAt,
      finishedAt: ports.clock.now().toISOString(),
    };
    await ports.ledger.finish(runId, result);
    await project(ports, draft, accepted, result, emit);
    await emit({ type: 'finished', runId, result });
    return result;
  } finally {
    await workFolder.remove().catch(async (error: unknown) => {
      await emit({
        type: 'notice',
        runId,
        level: 'warning',
        message: `The work folder ${workFolder.path} could not be removed: ${String(error)}`,
      });
    });
  }
}

/** Every check, in the order in which its answer may be given away. A refusal is recorded and thrown. */
async function accept(ports: EnginePorts, request: RunRequest, draft: Draft, emit: RunEventSink): Promise<Accepted> {
  try {
    const authentication = await authenticate(ports, request, draft);
    const document = await ports.source.load(request.reference);
    draft.document(document);
    const history = await ports.documentHistory.decide(request.historyMode, document.path);
    draft.history(history.mode);
    if (history.reason !== null)
      await emit({ type: 'notice', runId: draft.runId, level: 'info', message: history.reason });

    const { runbook, head, hasHistory } = readRunbook(ports, document, draft);
    checkCallChain(ports, request, document);
    checkClaims(authentication, runbook);
    const plan = await checkRequirements(ports, request, document, runbook, draft);
    draft.git(await ports.facts.git(document.path));
    return { document, runbook, head, hasHistory, plan };
  } catch (error) {
    if (error instanceof RunbookError) await recordRefusal(ports, draft, error, emit);
    throw error;
  }
}

/** The work folder first, then `started`: once that is committed, nothing but the script is between us and its effects. */
async function begin(ports: EnginePorts, draft: Draft, { document, plan }: Accepted): Promise<WorkFolder> {
  let workFolder: WorkFolder | null = null;
  try {
    workFolder = await ports.workspace.create(draft.runId, document.folder, plan.inputs);
    draft.begin(ports.clock.now().toISOString());
    await ports.ledger.begin(
      draft.runId,
      { startedAt: draft.startedAt, containment: ports.executor.containment },
      plan.concurrency,
    );
    return workFolder;
  } catch (error) {
    await workFolder?.remove().catch(() => {});
    await ports.ledger.finish(draft.runId, neverStarted(ports, draft, error));
    throw error;
  }
}

/** The document is a projection of the ledger: when it cannot be written, the run is recorded all the same. */
async function project(
  ports: EnginePorts,
  draft: Draft,
  accepted: Accepted,
  result: RunResult,
  emit: RunEventSink,
): Promise<void> {
  if (draft.historyMode !== 'file') return;
  try {
    const entry = await resultEntry(ports, draft, result);
    await ports.documentHistory.append({ path: accepted.document.path, hasHistory: accepted.hasHistory }, entry);
  } catch (error) {
    const message = `The entry could not be written into ${accepted.document.displayPath}: ${error instanceof Error ? error.message : String(error)} The run is in the ledger.`;
    await emit({ type: 'notice', runId: draft.runId, level: 'warning', message });
  }
}
