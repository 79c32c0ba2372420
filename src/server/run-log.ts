/** What the log says of a run that has ended: who ran what, for whom, and how it went. Stage0's audit record, without texts. */
import type { FastifyRequest } from 'fastify';
import { exitCodeOf } from '../core/run.ts';
import type { RunRequest, RunResult } from '../core/run.ts';
import { identityOf } from './access.ts';
import { traceParentOf } from './trace-context.ts';

/** Names, numbers and times only: no output, no variable, no token. */
export function runFacts(
  request: FastifyRequest,
  { callChain, address }: Pick<RunRequest, 'callChain' | 'address'>,
  runbook: string,
  result: RunResult,
): Readonly<Record<string, unknown>> {
  const { subject, roles } = identityOf(request);
  return {
    correlationId: request.id,
    route: request.routeOptions.url ?? null,
    operation: 'execute',
    runId: result.runId,
    runbook,
    outcome: result.outcome,
    returnCode: exitCodeOf(result),
    start: result.startedAt,
    finish: result.finishedAt,
    durationMs: result.durationMs,
    subject,
    roles,
    address,
    chain: [...callChain, runbook],
    traceId: traceParentOf(request.headers)?.split('-')[1] ?? null,
    outputBytes: result.output.bytes,
    outputDropped: result.output.dropped,
    survivors: result.survivors.length,
  };
}
