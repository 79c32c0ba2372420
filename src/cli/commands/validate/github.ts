/** Problems as annotations on the lines of a pull request. */
import { annotationLine } from '../../../core/workflow-commands.ts';
import type { Validation } from '../../../engine/queries.ts';

/** One line each, with its end. @param place from a shown path to one of the workspace */
export function annotations(validations: readonly Validation[], place: (shown: string) => string): readonly string[] {
  return validations.flatMap(({ displayPath, problems }) =>
    problems.map(
      ({ severity, line, column, rule, message, fix }) =>
        `${annotationLine({
          level: severity,
          file: place(displayPath),
          line,
          column,
          title: `runbook: ${rule}`,
          message: `${message}\n${fix}`,
        })}\n`,
    ),
  );
}
