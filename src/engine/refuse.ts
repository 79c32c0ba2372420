/** A refused request leaves a record; one that a verified caller lacked the claims for leaves an entry in the document, too. */
import type { RunbookError } from '../core/errors.ts';
import { messageOf } from '../core/failures.ts';
import type { LoadedDocument, RunLedger } from '../core/ports.ts';
import type { RunEventSink, RunRequest } from '../core/run.ts';
import { ClaimsLacking } from './access.ts';
import { headOf, recordOf, startDraft } from './draft.ts';
import type { Draft } from './draft.ts';
import { leaseUntil } from './lease.ts';
import type { EnginePorts } from './ports.ts';
import { projectRefusal, withEntryInHand } from './projection.ts';
import { checkRoomForRefusal } from './room.ts';

/** Entries for refusals that a document gets between two runs: who may not run it must not be able to fill it (ADR 24). */
const MAX_IN_A_ROW = 10;
/** Refusals for other reasons may stand between them; nobody can cause those without the claims. */
const LOOKED_AT = 2 * MAX_IN_A_ROW;
const LAST_ONE =
  'Later refusals are not in this file but in the ledger (`runbook history`), until the runbook runs again.';

/** Never hides the refusal itself: when it cannot be recorded, a warning says so. */
export async function refuse(
  ports: EnginePorts,
  draft: Draft,
  refusal: RunbookError,
  emit: RunEventSink,
): Promise<void> {
  const { document } = draft;
  try {
    if (refusal.code === 'forbidden' && document !== null)
      // Each has to see those before it, also of a hundred at once.
      await inTurn(ports.ledger, async () => {
        await record(ports, draft, refusal, await decide(ports, draft, document), emit);
      });
    else await record(ports, draft, refusal, null, emit);
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

async function record(
  ports: EnginePorts,
  draft: Draft,
  refusal: RunbookError,
  note: string | null,
  emit: RunEventSink,
): Promise<void> {
  const { code } = refusal;
  const reason = refusal instanceof ClaimsLacking ? refusal.recorded : refusal.message;
  const refused = recordOf(ports, draft, { code, message: note === null ? reason : `${reason}\n${note}` });
  await emit({ type: 'refused', runId: draft.runId, record: refused });
  await checkRoomForRefusal(ports);
  await withEntryInHand(ports, draft.runId, async () => {
    await ports.ledger.refuse(refused, headOf(draft), ports.owners.current, leaseUntil(ports));
    await projectRefusal(ports, draft, refused, emit);
  });
}

/** Whether the document gets an entry: the draft says so then. @returns what the last one of a row says besides */
async function decide(ports: EnginePorts, draft: Draft, { path }: LoadedDocument): Promise<string | null> {
  const decided = await ports.documentHistory.decide(draft.request.historyMode, path).catch(() => null);
  draft.historyMode = decided?.mode ?? draft.historyMode;
  if (draft.historyMode !== 'file') return null;
  const newest = await ports.ledger.list({ path, limit: LOOKED_AT });
  const begun = newest.findIndex(({ state }) => state !== 'refused');
  const row = begun === -1 ? newest : newest.slice(0, begun);
  const before = row.filter(({ refusal }) => refusal?.code === 'forbidden').length;
  if (before >= MAX_IN_A_ROW) draft.historyMode = 'ledger';
  return before === MAX_IN_A_ROW - 1 ? LAST_ONE : null;
}

const turns = new WeakMap<RunLedger, Promise<void>>();

async function inTurn(ledger: RunLedger, work: () => Promise<void>): Promise<void> {
  const before = turns.get(ledger) ?? Promise.resolve();
  const own = before.then(work, work);
  turns.set(ledger, own);
  await own;
}
