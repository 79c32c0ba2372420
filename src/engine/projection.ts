/** What a run leaves in its document. The ledger is the truth: where the document cannot be written, nothing is lost. */
import { ExcerptOf } from '../core/excerpt.ts';
import { SHOWN_BYTES } from '../core/history/document-entry.ts';
import type { DocumentEntry } from '../core/history/document-entry.ts';
import type { RunbookError } from '../core/errors.ts';
import { messageOf } from '../core/failures.ts';
import { exitCodeOf } from '../core/run.ts';
import type { RunEventSink, RunResult } from '../core/run.ts';
import { historyDocumentOf } from './draft.ts';
import type { Draft } from './draft.ts';
import type { EnginePorts } from './ports.ts';

/** The entry of a finished run; a warning where it could not be written. */
export async function projectResult(
  ports: EnginePorts,
  draft: Draft,
  result: RunResult,
  emit: RunEventSink,
): Promise<void> {
  const { runId } = draft;
  try {
    await append(ports, draft, async () => {
      const shown = { stdout: new ExcerptOf(SHOWN_BYTES), stderr: new ExcerptOf(SHOWN_BYTES) };
      for await (const item of ports.output.read(runId)) if (item.kind === 'chunk') shown[item.stream].push(item.bytes);
      const [stdout, stderr] = [shown.stdout.excerpt, shown.stderr.excerpt];
      return {
        runId,
        finishedAt: result.finishedAt,
        exitCode: exitCodeOf(result),
        outcome: result.outcome,
        subject: draft.identity?.subject ?? null,
        stdout: stdout.bytes,
        stderr: stderr.bytes,
        omitted: { stdout: stdout.omitted, stderr: stderr.omitted },
        dropped: result.output.dropped,
        error: result.reason,
      };
    });
  } catch (error) {
    const message = `The entry could not be written into the document: ${messageOf(error)} The run is in the ledger.`;
    await emit({ type: 'notice', runId, level: 'warning', message });
  }
}

/** As in Stage0, a verified caller who lacked the claims leaves an entry with the number 403; nobody else can make one. */
export async function projectRefusal(ports: EnginePorts, draft: Draft, refusal: RunbookError): Promise<void> {
  if (refusal.code !== 'forbidden') return;
  const subject = draft.identity?.subject ?? null;
  await append(ports, draft, async () => ({
    runId: draft.runId,
    finishedAt: draft.enqueuedAt,
    exitCode: 403,
    outcome: refusal.code,
    subject,
    stdout: Buffer.alloc(0),
    stderr: Buffer.alloc(0),
    omitted: { stdout: 0, stderr: 0 },
    dropped: 0,
    error: `RBAC Failure: Access denied for user ${subject ?? ''}. ${refusal.message}`,
  }));
}

async function append(ports: EnginePorts, draft: Draft, entry: () => Promise<DocumentEntry>): Promise<void> {
  const document = historyDocumentOf(draft);
  if (draft.historyMode === 'file' && document !== null) await ports.documentHistory.append(document, await entry());
}
