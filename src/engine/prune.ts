/** Taking out records of runs that ended long ago, with their outputs and artifacts. Only when somebody asks for it. */
import { messageOf } from '../core/failures.ts';
import type { EndedRun } from '../core/ports.ts';
import { operationOf } from './operations.ts';
import type { OperationPorts } from './operations.ts';
import type { EnginePorts } from './ports.ts';

export type PrunePorts = OperationPorts & Pick<EnginePorts, 'output' | 'artifacts' | 'documentHistory'>;

/** What would be taken out. */
export interface PrunePlan {
  /** ISO 8601; runs that were asked for and ended before it. */
  readonly before: string;
  readonly runs: readonly EndedRun[];
}

export interface PruneResult {
  readonly runs: number;
  /** Links of the chain of which only the hash is left. */
  readonly records: number;
  /** Texts that no run names any more. */
  readonly documents: number;
  /** Each is an operation of its own, of at most 1,000 runs. */
  readonly operations: readonly string[];
  /** Why output or artifacts of runs are still there; what is left is removed later. */
  readonly problems: readonly string[];
}

/** Of one transaction, which others wait for: about 0.1 s. */
const RUNS_AT_ONCE = 1000;

/** Not those whose document waits for its entry, unless that document is gone. */
export async function planPrune(
  { ledger, clock, documentHistory }: PrunePorts,
  olderThanMs: number,
): Promise<PrunePlan> {
  const now = clock.now().getTime();
  // Nothing is older than the first year that can be written.
  const before = new Date(Math.max(now - olderThanMs, 0)).toISOString();
  const runs: EndedRun[] = [];
  for (const run of await ledger.endedBefore(before))
    if (run.waitsFor === null || (await documentHistory.isGone(run.waitsFor))) runs.push(run);
  return { before, runs };
}

/**
 * @param onProgress told how many runs are gone
 * @throws RunbookError `record-altered`, `io`, `busy`: what was taken out until then is recorded and stays out
 */
export async function prune(
  ports: PrunePorts,
  plan: PrunePlan,
  onProgress: (done: number) => void = () => {},
): Promise<PruneResult> {
  const { ledger } = ports;
  const operations: string[] = [];
  const problems: string[] = [];
  let [runs, records] = [0, 0];
  for (let at = 0; at < plan.runs.length; at += RUNS_AT_ONCE) {
    const batch = plan.runs.slice(at, at + RUNS_AT_ONCE);
    const givenUp = batch.filter(({ waitsFor }) => waitsFor !== null);
    const without = givenUp.length === 0 ? '' : `; ${givenUp.length} without an entry, since the document is gone`;
    const operation = operationOf(ports, 'prune', `ended before ${plan.before}${without}`);
    for (const { runId } of givenUp) await ledger.forgetEntry(runId);
    const pruned = await ledger.prune(
      batch.map(({ runId }) => runId),
      operation,
    );
    if (pruned === null) continue;
    operations.push(operation.operationId);
    runs += pruned.runIds.length;
    records += pruned.ranges.reduce((sum, [first, last]) => sum + last - first + 1, 0);
    // Behind the record: what a crash leaves here is named by no run, and goes when output is looked after.
    for (const runId of pruned.runIds) {
      try {
        await ports.output.remove(runId);
        await ports.artifacts?.remove(runId);
      } catch (error) {
        problems.push(messageOf(error));
      }
    }
    onProgress(runs);
  }
  return { runs, records, documents: await ledger.forgetDocuments(), operations, problems };
}
