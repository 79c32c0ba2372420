/**
 * Output and artifacts are kept for a time, and up to a size; the record of a run stays and says how much there was. Done once
 * a day by a run that has ended, when everybody knows how: it fails no run, and delays none.
 */
import type { OutputFacts } from '../core/ports.ts';
import type { EnginePorts } from './ports.ts';

export type RetentionPorts = Pick<EnginePorts, 'ledger' | 'output' | 'artifacts' | 'clock' | 'retention'>;

const DAY_MS = 24 * 3_600_000;
/** The process of the run goes on for so long at most; what does not fit is for tomorrow. */
const BUDGET_MS = 1000;

/** For faces, behind the end of a run. Never throws. */
export async function lookAfterOutput(ports: RetentionPorts): Promise<void> {
  const { ledger, clock } = ports;
  const now = clock.now();
  try {
    const since = new Date(now.getTime() - DAY_MS).toISOString();
    if (await ledger.takeTurn('retention', now.toISOString(), since)) await removeOld(ports, now);
  } catch {
    // The run that ended here has nothing to do with whatever is in the way.
  }
}

async function removeOld(ports: RetentionPorts, now: Date): Promise<void> {
  const { ledger, output, artifacts, clock, retention } = ports;
  const end = clock.monotonicMs() + BUDGET_MS;
  const underWay = new Set((await ledger.underWay()).map(({ run }) => run.runId));
  const kept = oldestFirst([...(await output.kept()), ...((await artifacts?.kept()) ?? [])]);
  const ageOf = ({ lastWriteAt }: OutputFacts): number => now.getTime() - lastWriteAt.getTime();
  let bytes = kept.reduce((sum, one) => sum + one.bytes, 0);
  for (const one of kept) {
    if (clock.monotonicMs() > end) break;
    // No sooner what no record names: this ledger may be one that was restored, or begun anew, and the next one knows it.
    const isOver = ageOf(one) > retention.keepOutputMs || bytes > retention.maxBytes;
    // The entry that a document waits for shows output.
    if (!isOver || underWay.has(one.runId) || (await ledger.isEntryPending(one.runId))) continue;
    try {
      // Marked first: whoever misses a file finds out why, and what a crash leaves is removed tomorrow.
      await ledger.forgetOutput([one.runId]);
      await output.remove(one.runId);
      await artifacts?.remove(one.runId);
    } catch {
      // It is there tomorrow, too; the others are not held up by it.
      continue;
    }
    bytes -= one.bytes;
  }
}

/** Of each run together; the oldest is the one that was longest not written to. */
function oldestFirst(all: readonly OutputFacts[]): readonly OutputFacts[] {
  const runs = new Map<string, OutputFacts>();
  for (const one of all) {
    const other = runs.get(one.runId);
    runs.set(one.runId, {
      runId: one.runId,
      bytes: one.bytes + (other?.bytes ?? 0),
      lastWriteAt: other !== undefined && other.lastWriteAt > one.lastWriteAt ? other.lastWriteAt : one.lastWriteAt,
    });
  }
  return [...runs.values()].toSorted((a, b) => a.lastWriteAt.getTime() - b.lastWriteAt.getTime());
}
