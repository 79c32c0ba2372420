/** What runs now. */
import type { Pause, RunUnderWay } from '../core/ports.ts';
import type { EnginePorts } from './ports.ts';

export interface RunningNow extends RunUnderWay {
  /** ISO 8601; null: it has not printed anything yet. */
  readonly lastOutputAt: string | null;
}

/** Oldest first; and whether others may begin. */
export async function whatRuns({ ledger, output }: Pick<EnginePorts, 'ledger' | 'output'>): Promise<{
  readonly runs: readonly RunningNow[];
  readonly paused: Pause | null;
}> {
  const runs: RunningNow[] = [];
  for (const one of await ledger.underWay()) {
    // Whoever cannot read an output can still be told that the run is there.
    const facts = await output.facts(one.run.runId).catch(() => null);
    const lastOutputAt = facts === null || facts.bytes === 0 ? null : facts.lastWriteAt.toISOString();
    runs.push({ ...one, lastOutputAt });
  }
  return { runs, paused: await ledger.paused() };
}
