/** A run that somebody watches from elsewhere: what it prints as it comes, the steps it comes to, and its end. */
import type { KeptOutput, OutputFacts } from '../core/ports.ts';
import type { StoredRun } from '../core/run.ts';
import { isUnderWay } from '../core/run-state.ts';
import type { Watching } from './cancel.ts';
import { createHeadings, stepNamesOf } from './headings.ts';
import type { EnginePorts } from './ports.ts';
import { aborted, sleep } from './wait.ts';

export interface Follower {
  /** A step has begun, or what follows is of it; counts from 0. Not told of a runbook that has one. */
  step(step: number, of: number, name: string): Promise<void> | void;
  output(item: Exclude<KeptOutput, { readonly kind: 'end' | 'foreign' }>): Promise<void> | void;
  /** Once: the run prints more than the beginning that is kept, so of that nothing is seen until its end. */
  beyond(): Promise<void> | void;
}

type FollowPorts = Pick<EnginePorts, 'ledger' | 'output'>;

/** How often the ledger is asked, in milliseconds. */
const LOOK_MS = 500;
const LOOKS_PER_CARE = 4;

/**
 * The signal ends the watching, not the run.
 * @returns the run with its end; null where the watching was ended before
 * @throws RunbookError `io`; what the follower throws
 */
export async function followRun(
  ports: FollowPorts,
  run: StoredRun,
  follower: Follower,
  { signal, lookAfterRuns }: Watching,
): Promise<StoredRun | null> {
  const { runId } = run;
  const headings = createHeadings(await stepNamesOf(ports, run), (step, of, name) => follower.step(step, of, name));
  const [over, failed] = [new AbortController(), new AbortController()];
  const leave = AbortSignal.any([signal, failed.signal]);
  const left = aborted(signal);
  let told = 0;
  const read = async (): Promise<void> => {
    for await (const item of ports.output.follow(runId, over.signal)) {
      if (signal.aborted) return;
      told += 1;
      if (item.kind === 'chunk') await headings.reach(item.step);
      if (item.kind === 'chunk' || item.kind === 'gap') await follower.output(item);
    }
  };

  let reading: Promise<void> | null = null;
  let before: { readonly told: number; readonly step: number | null } = { told: -1, step: null };
  const isBeyond = watchTheCap(ports, runId);
  try {
    for (let looks = 1; !leave.aborted; looks += 1) {
      if (looks % LOOKS_PER_CARE === 0) await lookAfterRuns();
      const now = await look(ports, runId);
      if (now.end !== null) {
        headings.know(now.end);
        over.abort();
        await Promise.race([reading ?? read(), left]);
        if (signal.aborted) return null;
        await headings.finish();
        return now.end;
      }
      if (reading === null) {
        reading = read();
        // Heard of at once; thrown below.
        reading.catch(() => {
          failed.abort();
        });
      }
      // Nothing came since the last look: whatever was printed before this step is told.
      if (now.step !== null && now.step === before.step && told === before.told) await headings.reach(now.step);
      before = { told, step: now.step };
      if (await isBeyond()) await follower.beyond();
      await sleep(LOOK_MS, leave);
    }
  } finally {
    over.abort();
  }
  // A reader that does not read holds up nobody who leaves.
  if (!signal.aborted) await reading;
  return null;
}

/** What is kept by now of a run whose end this ledger will not hear of. @throws RunbookError `io`; what the follower throws */
export async function tellKept(ports: FollowPorts, run: StoredRun, follower: Follower): Promise<void> {
  const headings = createHeadings(await stepNamesOf(ports, run), (step, of, name) => follower.step(step, of, name));
  for await (const item of ports.output.read(run.runId)) {
    if (item.kind === 'chunk') await headings.reach(item.step);
    if (item.kind === 'chunk' || item.kind === 'gap') await follower.output(item);
  }
  const { step } = await look(ports, run.runId);
  if (step !== null) await headings.reach(step);
}

/** Its end, or the step that it is at. */
async function look(
  { ledger }: FollowPorts,
  runId: string,
): Promise<{ readonly end: StoredRun | null; readonly step: number | null }> {
  const mine = (await ledger.underWay()).find(({ run }) => run.runId === runId);
  if (mine !== undefined) return { end: null, step: mine.progress?.step ?? null };
  const run = await ledger.get(runId);
  return { end: run !== null && !isUnderWay(run.state) ? run : null, step: null };
}

/** @returns what says, once, that the file was touched and has not grown: the output goes to the tail, which comes at the end */
function watchTheCap({ output }: FollowPorts, runId: string): () => Promise<boolean> {
  let [before, isTold]: [OutputFacts | null, boolean] = [null, false];
  return async () => {
    if (isTold) return false;
    const facts = await output.facts(runId);
    isTold = facts !== null && before?.bytes === facts.bytes && facts.lastWriteAt > before.lastWriteAt;
    before = facts;
    return isTold;
  };
}
