/**
 * What a run leaves in its document. The ledger is the truth and says which entries are still to be written: one that
 * cannot be written now is written when it can be, by whoever looks after runs then.
 */
import { messageOf } from '../core/failures.ts';
import type { HistoryDocument, RunLedger } from '../core/ports.ts';
import type { RunEventSink, RunRecord } from '../core/run.ts';
import { historyDocumentOf } from './draft.ts';
import type { Draft } from './draft.ts';
import { entryOf } from './entry.ts';
import { leaseUntil } from './lease.ts';
import { notify } from './notices.ts';
import type { EnginePorts } from './ports.ts';

export type ProjectionPorts = Pick<EnginePorts, 'ledger' | 'output' | 'documentHistory' | 'owners' | 'clock'>;

/** Runs of this process whose entry is in the hands of who carries them out. */
const inHand = new WeakMap<RunLedger, Set<string>>();

/**
 * From before the ledger says that the entry is wanted until it is written: whoever looks after runs in this process, and
 * is as much their owner, would write it as well.
 */
export async function withEntryInHand<T>({ ledger }: EnginePorts, runId: string, work: () => Promise<T>): Promise<T> {
  const runs = inHand.get(ledger) ?? new Set();
  inHand.set(ledger, runs.add(runId));
  try {
    return await work();
  } finally {
    runs.delete(runId);
  }
}

/**
 * The entry of a run that has just ended, as the ledger says: where that has no end of it yet, whoever looks after the run
 * writes the one that it gets. A warning where the document must wait.
 */
export async function projectEnd(ports: EnginePorts, draft: Draft, emit: RunEventSink): Promise<void> {
  const document = historyDocumentOf(draft);
  if (draft.historyMode !== 'file' || document === null) return;
  await withWarning(draft, emit, async () => {
    const stored = await ports.ledger.get(draft.runId).catch(() => null);
    if (stored?.state === 'finished') await writeNow(ports, stored, document);
    // Somebody else has recorded another end: it is that one's entry, and may be written already.
    else if (stored?.state === 'interrupted') await claimAndWrite(ports, stored);
  });
}

/** The entry of a refusal that has just been recorded. */
export async function projectRefusal(
  ports: EnginePorts,
  draft: Draft,
  record: RunRecord,
  emit: RunEventSink,
): Promise<void> {
  const document = historyDocumentOf(draft);
  if (record.historyMode !== 'file' || document === null) return;
  await withWarning(draft, emit, async () => {
    await writeNow(ports, record, document);
  });
}

/**
 * An entry that the ledger says is still to be written. It may be there already: who wrote it died before saying so.
 * @returns false where it is for somebody else to write
 * @throws RunbookError `io`, `busy`
 */
export async function writeWaiting(ports: ProjectionPorts, run: RunRecord): Promise<boolean> {
  return inHand.get(ports.ledger)?.has(run.runId) !== true && (await claimAndWrite(ports, run));
}

async function claimAndWrite(ports: ProjectionPorts, run: RunRecord): Promise<boolean> {
  const { ledger, documentHistory, owners } = ports;
  const { path } = run.runbook;
  if (path === null || !(await ledger.claimEntry(run.runId, owners.current, leaseUntil(ports)))) return false;
  if (await documentHistory.has(path, run.runId)) await ledger.entryWritten(run.runId);
  else await writeNow(ports, run, { path, hasHistory: false, stamp: NOT_LOADED });
  return true;
}

/** No file has this stamp, so what is in the document is looked up. */
const NOT_LOADED = '';

async function writeNow(ports: ProjectionPorts, run: RunRecord, document: HistoryDocument): Promise<void> {
  const entry = await entryOf(ports, run);
  if (entry === null) return;
  await ports.documentHistory.append(document, entry);
  // Where that is lost, the next who looks finds the entry in the document.
  await ports.ledger.entryWritten(run.runId).catch(() => {});
}

async function withWarning(draft: Draft, emit: RunEventSink, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const message = `The entry could not be written into the document: ${messageOf(error)} The run is in the ledger. The entry follows when the document can be written.`;
    await notify(draft, emit, 'warning', [message]);
  }
}
