/** The way of an accepted run through the queue of its server. */
import { isAtConcurrency } from '../core/concurrency.ts';
import type { RunEventSink } from '../core/run.ts';
import type { Turn } from './admission.ts';
import type { Draft } from './draft.ts';
import type { Accepted } from './place.ts';
import type { EnginePorts } from './ports.ts';

/**
 * From before the run is recorded to its end; what was refused here is recorded nowhere.
 * @param work gets null where there is no queue
 * @throws RunbookError `busy`
 */
export async function inQueue<T>(
  { admission }: EnginePorts,
  { runId, identity }: Draft,
  { document, plan }: Accepted,
  work: (turn: Turn | null) => Promise<T>,
): Promise<T> {
  const parent = identity?.run?.runId ?? null;
  const turn = admission?.enter({ runId, path: document.path, concurrency: plan.concurrency, parent }) ?? null;
  try {
    return await work(turn);
  } finally {
    turn?.leave();
  }
}

/**
 * Where another process has as many runs of the document as may be, it waits for that, too.
 * @returns false where the run is to end instead
 * @throws RunbookError `busy` where runs are paused, or the server is about to end
 */
export async function awaitTurn(
  { ledger }: EnginePorts,
  { runId, stop }: Draft,
  { document, plan }: Accepted,
  turn: Turn | null,
  emit: RunEventSink,
): Promise<boolean> {
  if (turn === null) return true;
  for (;;) {
    if (!turn.isAdmitted) {
      const [paused] = await ledger.admission(null, null);
      if (paused !== undefined) throw paused;
    }
    await turn.come(stop, async (place) => {
      await emit({ type: 'waiting', runId, place });
    });
    if (stop.aborted) return false;
    if (!turn.mayWait || plan.concurrency === null) return true;
    const reasons = await ledger.admission(document.path, plan.concurrency);
    if (!reasons.some(isAtConcurrency)) return true;
    turn.stepBack();
  }
}

/** Whether what kept a run from beginning passes: between the question and `begin` another process was faster. */
export function mustWaitAgain(turn: Turn | null, error: unknown): boolean {
  if (turn?.mayWait !== true || !isAtConcurrency(error)) return false;
  turn.stepBack();
  return true;
}
