/** What a list of runbooks says of each one's past. */
import type { Outcome, RunState } from './run.ts';

/** The newest run of a document that has begun; rehearsals do not count. */
export interface LatestRun {
  readonly path: string;
  readonly runId: string;
  /** `interrupted` also where the owner is gone and nobody has recorded that yet. */
  readonly state: RunState;
  readonly outcome: Outcome | null;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly finishedAt: string | null;
}

/** How it ended, else where it is. */
export function endOf({ state, outcome }: Pick<LatestRun, 'state' | 'outcome'>): Outcome | RunState {
  return outcome ?? state;
}
