/** Steps of a run in words. */
import { endOfLastStep } from '../../../core/interruption.ts';
import type { Interruption, Progress, StepResult, StoredRun } from '../../../core/run.ts';
import { formatDuration } from '../../../core/units.ts';
import { describeProgress } from '../../../engine/entry.ts';

const CONFIRMED = {
  answer: 'confirmed by an answer',
  typing: 'confirmed by typing',
  yes: 'confirmed by --yes',
} as const;

type Row = readonly ['step', string];

export function stepRow({ name, outcome, durationMs, reason, confirmedBy }: StepResult): Row {
  if (outcome === 'skipped') return ['step', `${name}: skipped${reason === undefined ? '' : `, ${reason}`}`];
  const confirmed = confirmedBy === undefined ? '' : `, ${CONFIRMED[confirmedBy]}`;
  return ['step', `${name}: ${outcome}, ${formatDuration(durationMs)}${confirmed}`];
}

/** Of a run that has come so far: the steps that are over, and the one that it is at. @param how that one is, as a part of a sentence */
export function rowsSoFar(place: Pick<Interruption, 'progress' | 'steps'>, how: string): readonly Row[] {
  const { progress, steps = [] } = place;
  const ended = steps.map(stepRow);
  if (progress === null || endOfLastStep(place) !== null) return ended;
  return [...ended, ['step', `${describeProgress(progress)}: begun at ${progress.at}, ${how}`]];
}

export interface ToldOutcome {
  readonly name: string;
  readonly reason: string | null;
  readonly outcome: StepResult['outcome'] | 'interrupted';
  /** Null where it did not run, or nobody knows. */
  readonly durationMs: number | null;
}

/** All of which anything is known, in order; of a run that has an end. */
export function outcomesOf({
  result,
  interruption,
}: Pick<StoredRun, 'result' | 'interruption'>): readonly ToldOutcome[] {
  const ended = (result?.steps ?? interruption?.steps ?? []).map(({ name, reason, outcome, durationMs }) => ({
    name,
    outcome,
    durationMs: outcome === 'skipped' ? null : durationMs,
    reason: reason ?? null,
  }));
  const progress: Progress | null = interruption?.progress ?? null;
  if (interruption === undefined || progress === null || endOfLastStep(interruption) !== null) return ended;
  const reason = 'how it ended is not known';
  return [...ended, { name: progress.name, outcome: 'interrupted', durationMs: null, reason }];
}
