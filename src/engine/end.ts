/** The end of a run on its way into the ledger. */
import { RunbookError } from '../core/errors.ts';
import { messageOf } from '../core/failures.ts';
import type { WorkFolder } from '../core/ports.ts';
import { stopReasonOf } from '../core/run.ts';
import type { RunEventSink, RunResult } from '../core/run.ts';
import type { Draft } from './draft.ts';
import { NO_OUTPUT } from './output.ts';
import type { EnginePorts } from './ports.ts';
import { projectResult, withEntryInHand } from './projection.ts';
import { indexOutput } from './search.ts';
import { removeWorkFolder } from './work-folder.ts';

/** Each attempt waits as long as the ledger does for a lock (5 s for SQLite). */
const ATTEMPTS = 12;

/** The end in the ledger, then what follows from it. @throws RunbookError `io`, as `recordEnd` */
export async function conclude(
  ports: EnginePorts,
  draft: Draft,
  result: RunResult,
  workFolder: WorkFolder,
  emit: RunEventSink,
): Promise<void> {
  await withEntryInHand(ports, draft.runId, async () => {
    try {
      await recordEnd(ports, result, emit);
    } finally {
      // Also where the ledger fails, the document gets what can be told.
      await projectResult(ports, draft, result, emit);
      if (result.workFolder === null) await removeWorkFolder(draft, workFolder, emit);
    }
  });
  await indexOutput(ports, result);
}

/**
 * Commits the end, with patience for a ledger that somebody else holds: the effects are there, the record must follow.
 * @throws RunbookError `io`, never `busy`: nobody may take this for an invitation to run it again
 */
async function recordEnd({ ledger }: EnginePorts, result: RunResult, emit: RunEventSink): Promise<void> {
  const { runId } = result;
  for (let attempt = 1; ; attempt += 1) {
    try {
      await ledger.finish(runId, result);
      return;
    } catch (error) {
      const busy = error instanceof RunbookError && error.code === 'busy';
      if (!busy || attempt === ATTEMPTS) {
        throw new RunbookError(
          'io',
          `The run ${runId} ended (${result.outcome}), but its end could not be recorded: ${messageOf(error)}`,
          {
            fix: 'Look at what it did before you run it again; `runbook history` shows what the ledger says of it.',
            cause: error,
          },
        );
      }
      if (attempt > 1) continue;
      const message = 'The script has ended; waiting for the ledger, which another process holds.';
      await emit({ type: 'notice', runId, level: 'warning', message });
    }
  }
}

/** Of a run that was recorded as queued and could not begin: busy, stopped, or no work folder could be made. */
export async function recordNoStart(ports: EnginePorts, { runId, stop }: Draft, error: unknown): Promise<void> {
  await ports.ledger.finish(runId, neverStarted(ports, runId, stop, error));
}

function neverStarted(ports: EnginePorts, runId: string, signal: AbortSignal, error: unknown): RunResult {
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
    reason: (signal.aborted ? stopReasonOf(signal).message : undefined) ?? messageOf(error),
    workFolder: null,
  };
}
