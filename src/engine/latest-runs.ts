/** The newest run of each of many documents, asked at once; also of what a ConfigMap has made anew since. */
import type { LatestRun } from '../core/ports.ts';
import type { StoredRun } from '../core/run.ts';
import type { EnginePorts } from './ports.ts';
import { hasRevision, runsOf } from './unwritten-entries.ts';

/** In which the newest run that has begun is looked for, behind refusals and rehearsals. */
const LOOKED_AT = 50;

/** By path; none where there is none. Of runs that have begun: who may not run a document says nothing of its last run. @param paths absolute, links resolved */
export async function latestRunsOf(
  ports: Pick<EnginePorts, 'ledger'>,
  paths: readonly string[],
): Promise<ReadonlyMap<string, LatestRun>> {
  const latest = new Map(paths.length === 0 ? [] : await ports.ledger.latestOf(paths));
  // A ConfigMap that was changed has its documents at other paths, and their runs at those before.
  for (const path of paths.filter((one) => !latest.has(one) && hasRevision(one))) {
    const run = (await runsOf(ports, path, LOOKED_AT)).find(hasBegun);
    if (run !== undefined) latest.set(path, latestRun(path, run));
  }
  return latest;
}

function hasBegun({ state, startedAt, rehearsal }: StoredRun): boolean {
  return state !== 'refused' && startedAt !== null && !rehearsal;
}

function latestRun(path: string, { runId, state, startedAt, result, interruption }: StoredRun): LatestRun {
  const finishedAt = result?.finishedAt ?? interruption?.at ?? null;
  return { path, runId, state, outcome: result?.outcome ?? null, startedAt: startedAt ?? '', finishedAt };
}
