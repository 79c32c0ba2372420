/** Runs as JSON tells them: steps count from 1, in every command, although records count them from 0. */
import type { Interruption, Progress, RunRecord } from './run.ts';

export interface ToldStep {
  readonly number: number;
  readonly of: number;
  readonly name: string;
  readonly at: string;
}

export function toldStep({ step, of, name, at }: Progress): ToldStep {
  return { number: step + 1, of, name, at };
}

type ToldInterruption = Omit<Interruption, 'progress'> & { readonly progress: ToldStep | null };

export function toldRun<T extends RunRecord>(
  run: T,
): Omit<T, 'interruption'> & { readonly interruption?: ToldInterruption } {
  const { interruption, ...rest } = run;
  if (interruption === undefined) return rest;
  const { progress } = interruption;
  return { ...rest, interruption: { ...interruption, progress: progress === null ? null : toldStep(progress) } };
}
