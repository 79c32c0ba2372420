/** What is wrong with a document that cannot be loaded, in one sentence. */
import { RunbookError } from '../../core/errors.ts';
import { codeOf, messageOf } from '../../core/failures.ts';

export function notThere(reference: string): RunbookError {
  return new RunbookError('not-found', `There is no runbook “${reference.replaceAll(/\p{C}/gu, '�')}”.`, {
    fix: 'Names are those of the list of runbooks.',
  });
}

export function asRunbookError(error: unknown, shown: string): unknown {
  if (error instanceof RunbookError) return error;
  switch (codeOf(error)) {
    case '':
      return error;
    case 'ENOENT':
    case 'ENOTDIR':
      return new RunbookError('not-found', `There is no file ${shown}.`, {
        fix: 'Check the path; `runbook list` shows the runbooks of the folder.',
        cause: error,
      });
    case 'EACCES':
    case 'EPERM':
      return new RunbookError('io', `${shown} cannot be read: permission denied.`, {
        fix: 'Give yourself permission to read it.',
        cause: error,
      });
    case 'ELOOP':
      return new RunbookError('not-found', `${shown} is a link that leads nowhere.`, {
        fix: 'Repair the link.',
        cause: error,
      });
    case 'ENAMETOOLONG':
      return new RunbookError('not-found', 'The name of the runbook is too long for a file name.', {
        fix: 'Check the name; `runbook list` shows the runbooks of the folder.',
        cause: error,
      });
    default:
      return new RunbookError('io', `${shown} cannot be read: ${messageOf(error)}.`, {
        fix: 'Repair what the message names and try again.',
        cause: error,
      });
  }
}

export function noFolder(reference?: string): RunbookError {
  return new RunbookError(
    'not-found',
    reference === undefined
      ? 'There is no folder of runbooks here.'
      : `There is no folder of runbooks here in which “${reference}” could be.`,
    {
      fix: 'Go to where a `runbooks/` folder is, name one with `--runbooks-dir`, or give a path to a document.',
    },
  );
}
