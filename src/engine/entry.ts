/** What an entry says, from what is kept of a run: so it can be written at its end, and by anybody later. */
import { ExcerptOf } from '../core/excerpt.ts';
import { SHOWN_BYTES } from '../core/history/document-entry.ts';
import type { DocumentEntry } from '../core/history/document-entry.ts';
import { endOfLastStep } from '../core/interruption.ts';
import { exitCodeOf } from '../core/run.ts';
import type { Interruption, Progress, RunRecord } from '../core/run.ts';
import type { EnginePorts } from './ports.ts';

type Head = Pick<DocumentEntry, 'finishedAt' | 'exitCode' | 'outcome' | 'dropped' | 'error'>;

/** Nobody knows how an interrupted run ended; no process ends with this. */
const NO_EXIT = -1;

/** @returns null for a run that leaves no entry: it has not ended, or was refused for anything but lacking claims */
export async function entryOf({ output }: Pick<EnginePorts, 'output'>, run: RunRecord): Promise<DocumentEntry | null> {
  const head = headOf(run);
  if (head === null) return null;
  const shown = { stdout: new ExcerptOf(SHOWN_BYTES), stderr: new ExcerptOf(SHOWN_BYTES) };
  if (run.refusal === null)
    for await (const item of output.read(run.runId)) if (item.kind === 'chunk') shown[item.stream].push(item.bytes);
  const [stdout, stderr] = [shown.stdout.excerpt, shown.stderr.excerpt];
  return {
    ...head,
    runId: run.runId,
    subject: run.who.subject,
    stdout: stdout.bytes,
    stderr: stderr.bytes,
    omitted: { stdout: stdout.omitted, stderr: stderr.omitted },
  };
}

function headOf({ result, interruption, refusal, enqueuedAt, who }: RunRecord): Head | null {
  if (result !== null) {
    const { finishedAt, outcome, output, reason } = result;
    return { finishedAt, exitCode: exitCodeOf(result), outcome, dropped: output.dropped, error: reason };
  }
  if (interruption !== undefined) {
    const error = describeInterruption(interruption);
    return { finishedAt: interruption.at, exitCode: NO_EXIT, outcome: 'interrupted', dropped: 0, error };
  }
  if (refusal?.code !== 'forbidden') return null;
  // As in Stage0, a verified caller who lacked the claims leaves an entry with the number 403; nobody else can make one.
  const error = `RBAC Failure: Access denied for user ${who.subject ?? ''}. ${refusal.message}`;
  return { finishedAt: enqueuedAt, exitCode: 403, outcome: refusal.code, dropped: 0, error };
}

/**
 * `Interrupted at “Drain” (step 2 of 3). Its process (4711 on ops-1) is gone. How it ended is not known.`; or `after` a step
 * whose end is known.
 */
export function describeInterruption(interruption: Pick<Interruption, 'reason' | 'progress' | 'steps'>): string {
  return `Interrupted ${describePlace(interruption)}. ${interruption.reason} How it ended is not known.`;
}

/** `before its first step`, `at “Drain” (step 2 of 3)`, `after “Drain” (step 2 of 3)` */
export function describePlace(interruption: Pick<Interruption, 'progress' | 'steps'>): string {
  const { progress } = interruption;
  if (progress === null) return 'before its first step';
  return `${endOfLastStep(interruption) === null ? 'at' : 'after'} ${describeProgress(progress)}`;
}

export function describeProgress({ step, of, name }: Progress): string {
  return `“${name}” (step ${step + 1} of ${of})`;
}
