/** What is told of a run whose owner was gone before it ended. */
import { shellQuote } from '../../../core/contract.ts';
import type { StoredRun } from '../../../core/run.ts';
import { describeInterruption } from '../../../engine/entry.ts';

/** Names and texts of its rows; none for a run that was not interrupted. */
export function interruptionRows({ interruption, runbook }: StoredRun): readonly (readonly [string, string])[] {
  if (interruption === undefined) return [];
  const { at, survivors, workFolder, progress } = interruption;
  const isInTheMiddle = progress !== null && progress.of > 1;
  const goOn = `runbook execute ${shellQuote(runbook.name)} --from ${shellQuote(progress?.name ?? '')}, with the same variables, once it is known what that step has done`;
  return [
    ['outcome', `${describeInterruption(interruption)} It was noticed at ${at}.`],
    ...(workFolder === null ? [] : [['kept', workFolder] as const]),
    ...(isInTheMiddle ? [['go on', goOn] as const] : []),
    ...(survivors ?? []).map(({ pid, command }) => ['not ended', `process ${pid} (${command})`] as const),
  ];
}
