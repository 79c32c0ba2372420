/** What is known of a run whose owner was gone before its end. Part of `run.ts`. */
import type { OutputSummary, StepResult, Survivor } from './run.ts';

/** Where a run is: its steps count from 0 (people are told a number that counts from 1). */
export interface Progress {
  readonly step: number;
  readonly of: number;
  readonly name: string;
  readonly at: string;
}

/** Noted beside the chain while a run is under way: where it is, and how the steps ended that are over. */
export interface NotedProgress extends Progress {
  /** In order, those among them that were left out. Older programs did not note them. */
  readonly ended?: readonly StepResult[];
}

/** What lay there of an output: as a reader sees it, up to where the file is torn. */
export interface LeftOutput {
  readonly bytes: number;
  /** SHA-256, lower-case hex, over them. */
  readonly digest: string;
}

/** What a record says of an output: of a run that has ended, all that was written; of an interrupted one, what lay there. */
export type RecordedOutput = OutputSummary | LeftOutput;

/** Of a run whose owner is gone: nobody knows how it ended, so nobody runs it again by itself. */
export interface Interruption {
  /** When it was noticed. */
  readonly at: string;
  /** One sentence: why the owner counts as dead. */
  readonly reason: string;
  /** The last step that it is known to have begun. */
  readonly progress: Progress | null;
  /** How the steps ended that are known to be over, in order from the first; not in older records. */
  readonly steps?: readonly StepResult[];
  /** Null: nobody could look, since they are on another machine, say. */
  readonly survivors: readonly Survivor[] | null;
  /** Where its work folder was kept. */
  readonly workFolder: string | null;
  /** Null: it could not be read, or its owner may still have been writing. Not in older records. */
  readonly output?: LeftOutput | null;
}

/** What was noted, as the record of an interruption has it. */
export function placeOf(noted: NotedProgress | null): Pick<Interruption, 'progress' | 'steps'> {
  if (noted === null) return { progress: null };
  const { ended, ...progress } = noted;
  return ended === undefined ? { progress } : { progress, steps: ended };
}

/** How the step ended that it had come to, where that is known. */
export function endOfLastStep({ progress, steps = [] }: Pick<Interruption, 'progress' | 'steps'>): StepResult | null {
  return progress === null ? null : (steps[progress.step] ?? null);
}
