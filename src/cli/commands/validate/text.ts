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

/** 65 where one is invalid, else 78 where one is not ready, else 0. */
export function exitCodeOf(results: readonly Validation[]): number {
  if (results.some(({ valid }) => !valid)) return ERRORS['runbook-invalid'].exit;
  return results.some(({ ready }) => ready === false) ? ERRORS['requirements-unmet'].exit : 0;
}

/** One line for a person. */
export function verdict(style: Style, results: readonly Validation[]): string {
  const all = count(results.length);
  const invalid = results.filter(({ valid }) => !valid).length;
  if (invalid > 0) return style.red(`${invalid} of ${all} invalid`);
  const unready = results.filter(({ ready }) => ready === false).length;
  return unready > 0 ? style.red(`${all} valid, ${unready} not ready to run`) : style.green(`${all} valid`);
}

function count(documents: number): string {
  return `${documents} ${documents === 1 ? 'document' : 'documents'}`;
}
