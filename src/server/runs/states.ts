/**
 * The states that readers of a run's events are told, in the one order that is the same while it goes on, after its end, and
 * after a restart of the server: their number is part of an event's id.
 */
import { hasBegun } from '../../core/run.ts';
import type { NotedProgress, StepResult, StoredRun } from '../../core/run.ts';
import { isUnderWay } from '../../core/run-state.ts';
import { runFor } from './resource.ts';

export interface RunStateEvent {
  readonly name: 'queued' | 'started' | 'step' | 'finished' | 'interrupted' | 'refused';
  readonly data: object;
  /** Of output that is told behind it: that of this step and of later ones. */
  readonly beforeStep: number;
  /** Whether it is told behind all output. */
  readonly isLast: boolean;
}

/** What is known of a run, of whatever process it is. */
export interface KnownRun {
  readonly run: StoredRun;
  /** Of a run that is under way. */
  readonly progress: NotedProgress | null;
  /** The last event tells it; null while the run is under way. */
  readonly end: object | null;
}

export function statesOf({ run, progress, end }: KnownRun): readonly RunStateEvent[] {
  const { runId, enqueuedAt, startedAt, runbook } = run;
  const states: RunStateEvent[] = [];
  const add = (name: RunStateEvent['name'], data: object, beforeStep: number): void => {
    states.push({ name, data, beforeStep, isLast: false });
  };
  if (run.state !== 'refused') add('queued', { run_id: runId, runbook: runbook.name, at: enqueuedAt }, -1);
  if (startedAt !== null) add('started', { at: startedAt }, -1);
  const { steps, of, current } = stepsOf(run, progress);
  for (const [index, result] of steps.entries()) {
    if (!hasBegun(result)) continue;
    add('step', stepStarted(index, of, result.name), index);
    add('step', stepFinished(index, of, result), index + 1);
  }
  if (current !== null) add('step', stepStarted(current.step, of, current.name), current.step);
  if (end !== null) states.push({ name: nameOf(run), data: end, beforeStep: Infinity, isLast: true });
  return states;
}

/** Those that come before the output of a step, and their numbers; the last one of all is not among them. @param told how many were told */
export function* untoldStates(
  states: readonly RunStateEvent[],
  told: number,
  step: number,
): Generator<readonly [state: RunStateEvent, number: number]> {
  for (const [index, state] of states.entries()) {
    if (state.beforeStep > step || state.isLast) return;
    if (index >= told) yield [state, index + 1];
  }
}

export function stepStarted(index: number, of: number, name: string): object {
  return { step: index + 1, of, name, phase: 'started' };
}

export function stepFinished(index: number, of: number, result: StepResult): object {
  return { step: index + 1, of, name: result.name, phase: 'finished', result };
}

/** As the last event has it. */
export function endOf(run: StoredRun): object | null {
  return isUnderWay(run.state) ? null : { run: runFor(run, false) };
}

function nameOf({ state }: StoredRun): 'finished' | 'interrupted' | 'refused' {
  return state === 'interrupted' || state === 'refused' ? state : 'finished';
}

/** Those that are over, and the one that the run is at, or was at when it was interrupted. */
function stepsOf(
  { result, interruption }: StoredRun,
  noted: NotedProgress | null,
): {
  readonly steps: readonly StepResult[];
  readonly of: number;
  readonly current: { readonly step: number; readonly name: string } | null;
} {
  if (result !== null) return { steps: result.steps, of: result.steps.length, current: null };
  const place = interruption?.progress ?? noted;
  const steps = interruption === undefined ? (noted?.ended ?? []) : (interruption.steps ?? []);
  if (place === null) return { steps, of: steps.length, current: null };
  const isOver = steps.length > place.step;
  return { steps, of: place.of, current: isOver ? null : { step: place.step, name: place.name } };
}
