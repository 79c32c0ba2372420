/** A refused request leaves a record; one that a verified caller lacked the claims for leaves an entry in the document, too. */
import type { RunbookError } from '../core/errors.ts';
import { messageOf } from '../core/failures.ts';
import type { RunEventSink, RunRequest } from '../core/run.ts';
import { ClaimsLacking } from './access.ts';
import { headOf, recordOf, startDraft } from './draft.ts';
import type { Draft } from './draft.ts';
import { leaseUntil } from './lease.ts';
import type { EnginePorts } from './ports.ts';
import { projectRefusal, withEntryInHand } from './projection.ts';
import { checkRoomForRefusal } from './room.ts';

/** Never hides the refusal itself: when it cannot be recorded, a warning says so. */
export async function refuse(
  ports: EnginePorts,
  draft: Draft,
  refusal: RunbookError,
  emit: RunEventSink,
): Promise<void> {
  const { code } = refusal;
  const message = refusal instanceof ClaimsLacking ? refusal.recorded : refusal.message;
  const { document, request } = draft;
  try {
    if (code === 'forbidden' && document !== null) {
      const decided = await ports.documentHistory.decide(request.historyMode, document.path).catch(() => null);
      draft.historyMode = decided?.mode ?? draft.historyMode;
    }
    const record = recordOf(ports, draft, { code, message });
    await emit({ type: 'refused', runId: draft.runId, record });
    await checkRoomForRefusal(ports);
    await withEntryInHand(ports, draft.runId, async () => {
      await ports.ledger.refuse(record, headOf(draft), ports.owners.current, leaseUntil(ports));
      await projectRefusal(ports, draft, record, emit);
    });
  } catch (error) {
    const warning = `The refusal could not be recorded: ${messageOf(error)}`;
    await emit({ type: 'notice', runId: draft.runId, level: 'warning', message: warning });
  }
}

/** For a request that its face could not even read (a bad option, say). */
export async function refuseRequest(
  ports: EnginePorts,
  request: RunRequest,
  refusal: RunbookError,
  listener: RunEventSink,
): Promise<void> {
  await refuse(ports, startDraft(ports, request), refusal, listener);
}
