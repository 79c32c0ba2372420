/** What an examination finds: one sentence, and one thing to do where something is to be done. */
import { RunbookError } from '../../core/errors.ts';
import { messageOf } from '../../core/failures.ts';

export interface Finding {
  readonly subject: string;
  /** `note`: worth knowing; `problem`: it does not work so. */
  readonly state: 'ok' | 'note' | 'problem';
  readonly text: string;
  /** Empty where nothing is to be done. */
  readonly fix: string;
  /** `file:line` where it is about one; else null. */
  readonly place: string | null;
}

const finding =
  (state: Finding['state']) =>
  (subject: string, text: string, fix: string, place: string | null = null): Finding => ({
    subject,
    state,
    text,
    fix,
    place,
  });

export const note = finding('note');
export const problem = finding('problem');
export const ok = (subject: string, text: string, place: string | null = null): Finding =>
  finding('ok')(subject, text, '', place);

export function failure(subject: string, error: unknown): Finding {
  return problem(subject, messageOf(error), error instanceof RunbookError ? error.fix : '');
}
