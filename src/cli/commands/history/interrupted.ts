/** What is told of a run whose owner was gone before it ended. */
import type { StoredRun } from '../../../core/run.ts';
import { describeInterruption } from '../../../engine/entry.ts';

/** Names and texts of its rows; none for a run that was not interrupted. */
export function interruptionRows({ interruption }: StoredRun): readonly (readonly [string, string])[] {
  if (interruption === undefined) return [];
  const { at, survivors, workFolder } = interruption;
  return [
    ['outcome', `${describeInterruption(interruption)} It was noticed at ${at}.`],
    ...(workFolder === null ? [] : [['kept', workFolder] as const]),
    ...survivors.map(({ pid, command }) => ['not ended', `process ${pid} (${command})`] as const),
  ];
}
