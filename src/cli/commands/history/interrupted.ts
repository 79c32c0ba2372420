/** What is told of a run whose owner was gone before it ended. */
import { existsSync } from 'node:fs';
import { shellQuote } from '../../../core/contract.ts';
import type { Interruption, StoredRun } from '../../../core/run.ts';
import { describeInterruption, describeProgress } from '../../../engine/entry.ts';

/** Names and texts of its rows; none for a run that was not interrupted. */
export function interruptionRows({ interruption, runbook }: StoredRun): readonly (readonly [string, string])[] {
  if (interruption === undefined) return [];
  const { at, survivors, workFolder, progress } = interruption;
  const isInTheMiddle = progress !== null && progress.of > 1;
  const goOn = `runbook execute ${shellQuote(runbook.name)} --from ${shellQuote(progress?.name ?? '')}, with the same variables, once it is known what that step has done`;
  return [
    ['outcome', `${describeInterruption(interruption)} It was noticed at ${at}.`],
    ...(progress === null ? [] : [['step', stepsOf(progress)] as const]),
    ...keptRows(workFolder),
    ...(isInTheMiddle ? [['go on', goOn] as const] : []),
    ...notEnded(survivors),
  ];
}

/** The last one that it has come to; of those before it the ledger knows that they were over. */
function stepsOf(progress: NonNullable<Interruption['progress']>): string {
  return `${describeProgress(progress)}: begun at ${progress.at}, how it ended is not known`;
}

/** Where it is still there: it goes with a run that goes on from this one, or after a day. */
export function keptRows(folder: string | null): readonly (readonly [string, string])[] {
  return folder === null || !existsSync(folder) ? [] : [['kept', folder]];
}

function notEnded(survivors: Interruption['survivors']): readonly (readonly [string, string])[] {
  if (survivors === null) return [['not ended', 'not known: nobody could look for processes of it']];
  return survivors.map(({ pid, command }) => ['not ended', `process ${pid} (${command})`]);
}
