/** A refused run leaves a record; one that a verified caller lacked the claims for leaves an entry in the document, too. */
import type { RunbookError } from '../core/errors.ts';
import type { RunEventSink } from '../core/run.ts';
import type { Draft } from './draft.ts';
import type { EnginePorts } from './ports.ts';

/** Never hides the refusal itself: when the record fails, a warning says so. */
export async function recordRefusal(
  ports: EnginePorts,
  draft: Draft,
  error: RunbookError,
  emit: RunEventSink,
): Promise<void> {
  const { runId } = draft;
  try {
    await ports.ledger.refuse(
      { ...draft.record('refused'), refusal: { code: error.code, message: error.message } },
      draft.head,
    );
    if (error.code === 'forbidden' && draft.historyMode === 'file' && draft.path !== null) {
      await ports.documentHistory.append(
        { path: draft.path, hasHistory: draft.hasHistory },
        {
          runId,
          finishedAt: draft.enqueuedAt,
          exitCode: 403, // Stage0's number for a refused caller
          outcome: 'forbidden',
          subject: draft.subject,
          stdout: Buffer.alloc(0),
          stderr: Buffer.alloc(0),
          dropped: 0,
          error: `RBAC Failure: Access denied for user ${draft.subject ?? ''}. ${error.message}`,
        },
      );
    }
  } catch (failure) {
    const reason = failure instanceof Error ? failure.message : String(failure);
    await emit({ type: 'notice', runId, level: 'warning', message: `The refusal could not be recorded: ${reason}` });
  }
}
