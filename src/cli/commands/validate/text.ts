/** What a person reads of checked documents, and what a script does: the exit code. */
import { ERRORS } from '../../../core/errors.ts';
import { withoutCommands } from '../../../core/workflow-commands.ts';
import type { Validation } from '../../../engine/queries.ts';
import { renderProblem } from '../../render.ts';
import type { Style } from '../../render.ts';

/** @param isJob nothing of it may be read as a command of the runner */
export function textReport(style: Style, results: readonly Validation[], isJob: boolean): string {
  const text = results
    .flatMap(({ displayPath, problems }) =>
      problems.map((problem) => `${renderProblem(style, displayPath, problem)}\n`),
    )
    .join('');
  return isJob ? text.split('\n').map(withoutCommands).join('\n') : text;
}

/** 65 where one is invalid, else 66 where one is not there, else 78 where one is not ready, else 0. */
export function exitCodeOf(results: readonly Validation[]): number {
  if (results.some(isInvalid)) return ERRORS['runbook-invalid'].exit;
  if (results.some(isMissing)) return ERRORS['not-found'].exit;
  return results.some(({ ready }) => ready === false) ? ERRORS['requirements-unmet'].exit : 0;
}

/** One line for a person. */
export function verdict(style: Style, results: readonly Validation[]): string {
  const missing = results.filter(isMissing).length;
  const all = count(results.length - missing);
  const invalid = results.filter(isInvalid).length;
  const unready = results.filter(({ ready }) => ready === false).length;
  const absent = missing === 0 ? '' : `${count(missing)} not there`;
  if (missing > 0 && missing === results.length) return style.red(absent);
  const rest = absent === '' ? '' : `, ${absent}`;
  if (invalid > 0) return style.red(`${invalid} of ${all} invalid${rest}`);
  if (unready > 0) return style.red(`${all} valid, ${unready} not ready to run${rest}`);
  return absent === '' ? style.green(`${all} valid`) : style.red(`${all} valid${rest}`);
}

/** It was named, and there is nothing of that name: nothing is known of a document. */
function isMissing({ valid, problems }: Validation): boolean {
  return !valid && problems.length > 0 && problems.every(({ rule }) => rule === 'not-found');
}

function isInvalid(result: Validation): boolean {
  return !result.valid && !isMissing(result);
}

function count(documents: number): string {
  return `${documents} ${documents === 1 ? 'document' : 'documents'}`;
}
