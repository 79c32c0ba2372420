/** The end of a run on its way into the ledger. */
import { RunbookError } from '../core/errors.ts';
import { messageOf } from '../core/failures.ts';
import type { WorkFolder } from '../core/ports.ts';
import { stopReasonOf } from '../core/run.ts';
import type { RunEventSink, RunResult } from '../core/run.ts';
import type { Draft } from './draft.ts';
import { NO_OUTPUT } from './output.ts';
import type { EnginePorts } from './ports.ts';
import { projectEnd, withEntryInHand } from './projection.ts';
import { indexOutput } from './search.ts';
import { maskCancels } from './secrets.ts';
import { sleep } from './wait.ts';
import { removeWorkFolder } from './work-folder.ts';

/** For so long what is in the way may pass: somebody else holds the ledger, or its disk is full. */
const PATIENCE_MS = 60_000;
/** One attempt; while it waits for a lock nothing else goes on, the lease of the run among it. */
const ATTEMPT_MS = 200;
/** Between attempts: for a lock, and for a disk that says no, where each attempt costs more than a look. */
const PAUSES_MS = { busy: 20, io: 1000 };
const TOLD_AFTER_MS = 5000;
const UNRECORDED = 'end-unrecorded';

/** The end in the ledger, then what follows from it. @throws RunbookError `io`, as `recordEnd` */
export async function conclude(
  ports: EnginePorts,
  draft: Draft,
  result: RunResult,
  workFolder: WorkFolder,
  emit: RunEventSink,
): Promise<void> {
  await emit({ type: 'ended', runId: draft.runId });
  await withEntryInHand(ports, draft.runId, async () => {
    try {
      await recordEnd(ports, draft, result, emit);
    } finally {
      await projectEnd(ports, draft, emit);
      if (result.workFolder === null) await removeWorkFolder(draft, workFolder, emit);
    }
  });
  await indexOutput(ports, result);
}

/**
 * Commits the end, with patience for what passes: the effects are there, the record must follow. Whoever is in a hurry ends
 * that as they end a script.
 * @throws RunbookError `io`, never `busy`: nobody may take this for an invitation to run it again
 */
async function recordEnd(
  { ledger, clock }: EnginePorts,
  { request }: Draft,
  result: RunResult,
  emit: RunEventSink,
): Promise<void> {
  const { runId } = result;
  const began = clock.monotonicMs();
  let isTold = false;
  for (;;) {
    try {
      await ledger.finish(runId, result, ATTEMPT_MS);
      return;
    } catch (error) {
      const kind = passing(error);
      const waited = clock.monotonicMs() - began;
      if (kind === null || waited > PATIENCE_MS || request.force.aborted) throw untold(result, error);
      if (!isTold && (kind === 'io' || waited > TOLD_AFTER_MS)) {
        isTold = true;
        const why = kind === 'io' ? `which could not be written: ${messageOf(error)}` : 'which another process holds.';
        const message = `The script has ended; waiting for the ledger, ${why}`;
        await emit({ type: 'notice', runId, level: 'warning', message });
      }
      await sleep(PAUSES_MS[kind], request.force);
    }
  }
}

/** What a later attempt may not meet any more. An `io` without a cause is what the ledger itself says: it never will. */
function passing(error: unknown): keyof typeof PAUSES_MS | null {
  if (!(error instanceof RunbookError)) return null;
  if (error.code === 'busy') return 'busy';
  return error.code === 'io' && error.cause !== undefined ? 'io' : null;
}

function untold({ runId, outcome }: RunResult, cause: unknown): RunbookError {
  const message = `The run ${runId} ended (${outcome}), but its end could not be recorded: ${messageOf(cause)}`;
  return new RunbookError('io', message, {
    fix: 'Look at what it did before you run it again; `runbook history` shows what the ledger says of it.',
    reason: UNRECORDED,
    cause,
  });
}

/** Whether a run has ended and the ledger does not have its end: that counts for more than how anybody asked it to stop. */
export function isUnrecordedEnd(error: unknown): boolean {
  return error instanceof RunbookError && error.reason === UNRECORDED;
}

/** Of a run that was recorded as queued and could not begin: busy, stopped, or no work folder could be made. */
export async function recordNoStart(ports: EnginePorts, draft: Draft, error: unknown): Promise<RunResult> {
  const result = { ...neverStarted(ports, draft, error), ...(await maskCancels(draft)) };
  await ports.ledger.finish(draft.runId, result);
  return result;
}

function neverStarted(ports: EnginePorts, { runId, stop: signal, masker }: Draft, error: unknown): RunResult {
  const now = ports.clock.now().toISOString();
  const failure = error instanceof RunbookError ? error : null;
  return {
    runId,
    outcome: signal.aborted || failure?.code === 'busy' ? 'canceled' : 'spawn-failed',
    exitCode: signal.aborted ? null : (failure?.exitCode ?? null),
    signal: signal.aborted ? stopReasonOf(signal).signal : null,
    steps: [],
    output: NO_OUTPUT.summary,
    startedAt: now,
    finishedAt: now,
    durationMs: 0,
    survivors: [],
    containment: { claim: 'proven', reason: null },
    artifacts: [],
    reason: masker.text((signal.aborted ? stopReasonOf(signal).message : undefined) ?? messageOf(error)),
    workFolder: null,
  };
}
