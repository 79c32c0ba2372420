/** What a run leaves behind: its entry in the document, and the result of one that never got to its script. */
import { createHash } from 'node:crypto';
import type { DocumentEntry } from '../core/document-entry.ts';
import { RunbookError } from '../core/errors.ts';
import { exitCodeOf } from '../core/run.ts';
import type { RunResult } from '../core/run.ts';
import type { Draft } from './draft.ts';
import type { EnginePorts } from './ports.ts';

export async function resultEntry(ports: EnginePorts, draft: Draft, result: RunResult): Promise<DocumentEntry> {
  const { chunks, dropped } = await ports.output.read(result.runId);
  const of = (stream: 'stdout' | 'stderr'): Buffer =>
    Buffer.concat(chunks.filter((chunk) => chunk.stream === stream).map((chunk) => chunk.bytes));
  return {
    runId: result.runId,
    finishedAt: result.finishedAt,
    exitCode: exitCodeOf(result),
    outcome: result.outcome,
    subject: draft.subject,
    stdout: of('stdout'),
    stderr: of('stderr'),
    dropped,
    error: result.reason,
  };
}

/** A run that was recorded as queued and could not begin: busy, or no work folder could be made. */
export function neverStarted(ports: EnginePorts, draft: Draft, error: unknown): RunResult {
  const now = ports.clock.now().toISOString();
  const busy = error instanceof RunbookError && error.code === 'busy';
  return {
    runId: draft.runId,
    outcome: busy ? 'canceled' : 'spawn-failed',
    exitCode: error instanceof RunbookError ? error.exitCode : null,
    signal: null,
    steps: [],
    output: { bytes: 0, dropped: 0, digest: createHash('sha256').digest('hex') },
    startedAt: now,
    finishedAt: now,
    durationMs: 0,
    survivors: [],
    reason: error instanceof Error ? error.message : String(error),
  };
}
