/** The beginning of an accepted run: its turn, then where it will live, then `started`. */
import type { RunEventSink, RunResult } from '../core/run.ts';
import type { Turn } from './admission.ts';
import type { Draft } from './draft.ts';
import { recordNoStart } from './end.ts';
import { leavePlace, openPlace } from './place.ts';
import type { Accepted, Place } from './place.ts';
import type { EnginePorts } from './ports.ts';
import { awaitTurn, mustWaitAgain } from './queue.ts';

export interface Begun extends Accepted, Place {
  readonly startedAt: string;
}

/**
 * Once `started` is committed, nothing but the script is between us and its effects.
 * @returns null where it was to end while it waited
 */
export async function begin(
  ports: EnginePorts,
  draft: Draft,
  accepted: Accepted,
  turn: Turn | null,
  emit: RunEventSink,
): Promise<Begun | null> {
  const { runId } = draft;
  for (;;) {
    let place: Place | null = null;
    try {
      if (!(await awaitTurn(ports, draft, accepted, turn, emit))) return null;
      place = await openPlace(ports, draft, accepted, emit);
      const startedAt = ports.clock.now().toISOString();
      const { containment } = place.enclosure;
      await ports.ledger.begin(runId, { startedAt, containment }, accepted.plan.concurrency);
      turn?.begun();
      return { ...accepted, ...place, startedAt };
    } catch (error) {
      // Neither of these may hide why the run could not begin; a run that stays queued is seen by the next look at its owner.
      if (place !== null) await leavePlace(place).catch(() => {});
      if (mustWaitAgain(turn, error)) continue;
      await recordNoStart(ports, draft, error).catch(() => {});
      throw error;
    }
  }
}

/** Of a run that was to end before it had begun. */
export async function endUnbegun(ports: EnginePorts, draft: Draft, emit: RunEventSink): Promise<RunResult> {
  const result = await recordNoStart(ports, draft, null);
  await emit({ type: 'finished', runId: draft.runId, result });
  return result;
}
