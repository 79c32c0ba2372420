/** Ending a run from outside: its owner is asked, through the ledger. Nobody signals a process that a record names. */
import { RunbookError } from '../core/errors.ts';
import type { Operation, RunLedger, StoredOperation } from '../core/ports.ts';
import type { RunRecord, StoredRun } from '../core/run.ts';
import { isUnderWay } from '../core/run-state.ts';
import { operationOf } from './operations.ts';
import type { Caller, OperationPorts } from './operations.ts';
import type { EnginePorts } from './ports.ts';
import { sleep } from './wait.ts';

/** How often somebody who waits looks. */
const LOOK_MS = 100;
/** … and how often after the runs of others, among them the one that is waited for: its owner may die meanwhile. */
const LOOKS_PER_CARE = 20;

export interface Watching {
  /** Ends it early. */
  readonly signal: AbortSignal;
  /** Called now and then: see `recover`. */
  readonly lookAfterRuns: () => Promise<void>;
}

/**
 * Recorded, and left for the owner to see.
 * @throws RunbookError `not-found` for a run that has ended, `usage` for a reason that is none
 */
export async function requestCancel(
  ports: OperationPorts,
  run: StoredRun,
  reason: string | null,
  by: Caller | null = null,
): Promise<Operation> {
  const { runId } = run;
  const operation = operationOf(ports, 'cancel', reason, { run: runId }, by);
  if (await ports.ledger.requestCancel(runId, operation)) return operation;
  throw notUnderWay((await ports.ledger.get(runId)) ?? run);
}

export function notUnderWay({ runId, state, result }: StoredRun): RunbookError {
  return new RunbookError('not-found', `Run ${runId} is not under way: it has ended (${result?.outcome ?? state}).`, {
    fix: `\`runbook history ${runId}\` says how; \`runbook ps\` shows what runs now.`,
  });
}

/** @returns the run with its end; null where it has none after that time, or when the signal was aborted */
export async function awaitEnd(
  { ledger, clock }: Pick<EnginePorts, 'ledger' | 'clock'>,
  runId: string,
  { forMs, signal, lookAfterRuns }: { readonly forMs: number } & Watching,
): Promise<StoredRun | null> {
  const until = clock.monotonicMs() + forMs;
  for (let looks = 1; ; looks += 1) {
    if (looks % LOOKS_PER_CARE === 0) await lookAfterRuns();
    const run = await ledger.get(runId);
    if (run !== null && !isUnderWay(run.state)) return run;
    if (signal.aborted || clock.monotonicMs() >= until) return null;
    await sleep(LOOK_MS, signal);
  }
}

/**
 * Requests to end a run, oldest first, with the reasons that the run has recorded: only there its secrets are masked. A reason
 * stays null while the run is under way, and where it died before it had heard of the request.
 */
export async function cancelsOf(
  ledger: Pick<RunLedger, 'cancelsOf'>,
  { runId, result }: Pick<RunRecord, 'runId' | 'result'>,
): Promise<readonly StoredOperation[]> {
  const all = await ledger.cancelsOf(runId);
  return all.map((operation) => withText(operation, reasonOf(operation, result, all.length)));
}

/** Any operation, with the reason that it is to be shown with. */
export async function withReason(
  ledger: Pick<RunLedger, 'get' | 'cancelsOf'>,
  operation: StoredOperation,
): Promise<StoredOperation> {
  const run = operation.run === undefined ? null : await ledger.get(operation.run);
  if (run === null) return operation;
  return (await cancelsOf(ledger, run)).find(({ seq }) => seq === operation.seq) ?? operation;
}

function withText(operation: StoredOperation, reason: string | null): StoredOperation {
  return { ...operation, reason };
}

function reasonOf({ operationId }: Operation, result: RunRecord['result'], requests: number): string | null {
  if (result?.cancels !== undefined)
    return result.cancels.find((one) => one.operationId === operationId)?.reason ?? null;
  // Older records have one sentence: of several requests nobody knows whose reason it is.
  if (result?.outcome !== 'canceled' || requests > 1) return null;
  return /^Canceled by [^:]+: (.+?)\.?$/.exec(result.reason ?? '')?.[1] ?? null;
}
