import { createHash } from 'node:crypto';
import { RunbookError } from '../core/errors.ts';
import type { RunResult } from '../core/run.ts';
import type { EnginePorts } from './ports.ts';

/** The result of a run that was recorded as queued and could not begin: busy, or no work folder could be made. */
export function neverStarted(ports: EnginePorts, runId: string, error: unknown): RunResult {
  const now = ports.clock.now().toISOString();
  const failure = error instanceof RunbookError ? error : null;
  return {
    runId,
    outcome: failure?.code === 'busy' ? 'canceled' : 'spawn-failed',
    exitCode: failure?.exitCode ?? null,
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
