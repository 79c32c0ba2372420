/** What is told of a run whose owner was gone before it ended. */
import { existsSync } from 'node:fs';
import { shellQuote } from '../../../core/contract.ts';
import { endOfLastStep } from '../../../core/interruption.ts';
import type { Interruption, StoredRun } from '../../../core/run.ts';
import { describeInterruption } from '../../../engine/entry.ts';
import { rowsSoFar } from './steps.ts';

/** Names and texts of its rows; none for a run that was not interrupted. */
export function interruptionRows({
  interruption,
  runbook,
  attested,
}: StoredRun): readonly (readonly [string, string])[] {
  if (interruption === undefined) return [];
  const { at, survivors, workFolder, output } = interruption;
  // What is left of a run that was elsewhere is there.
  const isHere = attested === undefined;
  const next = isHere ? goOn(interruption, runbook.name) : null;
  return [
    ['outcome', `${describeInterruption(interruption)} It was noticed at ${at}.`],
    ...rowsSoFar(interruption, 'how it ended is not known'),
    ...(isHere ? keptRows(workFolder) : []),
    ...(next === null ? [] : [['go on', next] as const]),
    ...notEnded(survivors),
    ...(output === undefined || output === null
      ? []
      : [['output', `${output.bytes} bytes lay there, sha256 ${output.digest}`] as const]),
  ];
}

/** Null where there is nothing to go on with. */
function goOn(interruption: Interruption, runbook: string): string | null {
  const { progress } = interruption;
  if (progress === null || progress.of === 1) return null;
  const command = `runbook execute ${shellQuote(runbook)} --from`;
  const last = endOfLastStep(interruption)?.outcome;
  if (last !== 'succeeded' && last !== 'skipped')
    return `${command} ${shellQuote(progress.name)}, with the same variables, once it is known what that step has done`;
  const next = progress.step + 2;
  return next > progress.of ? null : `${command} ${next}, with the same variables`;
}

/** Where it is still there: it goes with a run that goes on from this one, or after a day. */
export function keptRows(folder: string | null): readonly (readonly [string, string])[] {
  return folder === null || !existsSync(folder) ? [] : [['kept', folder]];
}

function notEnded(survivors: Interruption['survivors']): readonly (readonly [string, string])[] {
  if (survivors === null) return [['not ended', 'not known: nobody could look for processes of it']];
  return survivors.map(({ pid, command }) => ['not ended', `process ${pid} (${command})`]);
}
