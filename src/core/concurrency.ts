/** `concurrency` of a document: so many of its runs at once, whoever starts them. */
import { RunbookError } from './errors.ts';

const REASON = 'concurrency';

/** @param running how many go on now */
export function atConcurrency(running: number, concurrency: number): RunbookError {
  const message = `This runbook is running already (${running} of at most ${concurrency} at once).`;
  return new RunbookError('busy', message, {
    fix: 'Try again when it has ended; `runbook ps` shows the run.',
    reason: REASON,
  });
}

/** Whether it passes when another run of the same document ends. */
export function isAtConcurrency(error: unknown): boolean {
  return error instanceof RunbookError && error.reason === REASON;
}
