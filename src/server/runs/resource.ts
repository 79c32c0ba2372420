/** A run as HTTP tells it. */
import type { RunUnderWay } from '../../core/ports.ts';
import type { StoredRun } from '../../core/run.ts';
import { toldRun, toldStep } from '../../core/told-run.ts';
import type { Question } from './questions.ts';

/** The run's record; where folders are is only for administrators. */
export function runFor(run: StoredRun, isForAdmin: boolean): object {
  const told = toldRun(run);
  if (isForAdmin) return told;
  const { runbook, result, interruption } = told;
  return {
    ...told,
    runbook: { ...runbook, path: null },
    ...(result === null ? {} : { result: { ...result, workFolder: null } }),
    ...(interruption === undefined ? {} : { interruption: { ...interruption, workFolder: null } }),
  };
}

/** What is known of a run only while it goes on. */
/** @param place in the queue, from 1 */
export function underWay(
  { progress, cancel }: Pick<RunUnderWay, 'progress' | 'cancel'>,
  place: number | null,
  question: Question | null,
): object {
  return {
    place,
    step: progress === null ? null : toldStep(progress),
    cancel: cancel === null ? null : { at: cancel.at, who: cancel.who },
    question,
  };
}
