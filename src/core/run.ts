/**
 * One run of a runbook: what is asked for, what happens, what is kept. The record is the same whatever face asked.
 */
import type { Attestation } from './attestation.ts';
import type { Containment, ContainmentProof } from './containment.ts';
import type { ErrorCode } from './errors.ts';
import { OUTCOME_EXITS } from './errors.ts';
import type { Interaction } from './ports.ts';
import type { Interruption, LeftOutput, NotedProgress, Progress, RecordedOutput } from './interruption.ts';
import type { ArtifactRecord } from './run-files.ts';
import type { RequestKey } from './request-key.ts';
import { signalNumber } from './signals.ts';
import type { RunState } from './run-state.ts';

export type { Attestation };
export type { ArtifactRecord, Interruption, LeftOutput, NotedProgress, Progress, RecordedOutput, RunState };
export type { Rollback, RunEvent, RunEventSink } from './run-events.ts';

export type Outcome = 'succeeded' | 'failed' | 'timed-out' | 'canceled' | 'limit-exceeded' | 'spawn-failed';
export type RunSource = 'cli' | 'api' | 'ci' | 'image';
export type HistoryMode = 'auto' | 'file' | 'ledger' | 'none';
export type OutputStream = 'stdout' | 'stderr';

/** Which steps of a runbook are asked for: one and all behind it, or that one alone. By name, its beginning, or number. */
export interface StepChoice {
  readonly kind: 'from' | 'only';
  readonly step: string;
}

/** Whether the work folder of a run is kept: always, after a run of several steps that did not succeed, or never. */
export type KeepWorkFolder = 'always' | 'failed' | 'never';

/** What a face asks the engine for. */
export interface RunRequest {
  /** Name or path, as the caller wrote it. */
  readonly reference: string;
  readonly token: string | null;
  /** Values that the caller gives by name; they win over everything else. */
  readonly given: ReadonlyMap<string, string>;
  /** Those of them that stand in the caller's command line; refused for secrets, since everybody can see them there. */
  readonly onCommandLine: ReadonlySet<string>;
  /** Names that the caller passes from the environment, or wants to be asked for where they are not in it. */
  readonly wanted: readonly string[];
  /** Values of an env file; they win over the caller's own environment. */
  readonly envFile: ReadonlyMap<string, string>;
  /** Names or `PREFIX_*` patterns of the caller's environment that pass although the runbook does not declare them. */
  readonly passEnv: readonly string[];
  readonly source: RunSource;
  /** Where the caller is, an IP address; null where that is this machine, or nobody knows. */
  readonly address: string | null;
  readonly historyMode: HistoryMode;
  /** Shortens the runbook's own limit; null: that limit, else the setting's, else none. */
  readonly timeoutMs: number | null;
  /** Runbooks (file names) that led to this one, outermost first. */
  readonly callChain: readonly string[];
  /** Null: one is made. `traceParent`: W3C, for the script. */
  readonly correlationId: string | null;
  readonly traceParent?: string | null;
  readonly incident: string | null;
  /** Where the caller names the request, so that it is not carried out twice. */
  readonly key?: RequestKey;
  /** Ends the run; `signal.reason` is a `StopReason`. */
  readonly signal: AbortSignal;
  /** Ends it at once: the second Ctrl-C. */
  readonly force: AbortSignal;
  /** Refuse the run where a declared limit cannot be held. */
  readonly strict: boolean;
  /** Null: nobody can be asked anything. */
  readonly interaction: Interaction | null;
  /** Confirm every `confirm` step beforehand. */
  readonly assumeYes: boolean;
  /** Null: all steps. */
  readonly choice: StepChoice | null;
  /**
   * Folder of programs that stand in for the real ones: the run is a rehearsal, for which claims are not asked.
   * Null: a real run.
   */
  readonly stubs: string | null;
  readonly keepWorkFolder: KeepWorkFolder;
  /** Told every secret that will be masked, before anything can show it. */
  readonly onSecret?: (secret: string) => void;
}

const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGPIPE'] as const;

/** Why a run is being ended from outside: a signal to the tool; SIGPIPE when the reader of the output is gone. */
export interface StopReason {
  readonly signal: (typeof STOP_SIGNALS)[number];
  /** One sentence, where there is more to say than the signal's name. */
  readonly message?: string;
}

/** The reason that an aborted signal carries; one of unknown origin counts as an interrupt. */
export function stopReasonOf(signal: AbortSignal): StopReason {
  const reason: unknown = signal.reason;
  if (typeof reason !== 'object' || reason === null || !('signal' in reason)) return { signal: 'SIGINT' };
  const known = STOP_SIGNALS.find((name) => name === reason.signal) ?? 'SIGINT';
  return 'message' in reason && typeof reason.message === 'string'
    ? { signal: known, message: reason.message }
    : { signal: known };
}

export type Survivor = { readonly pid: number; readonly command: string };

export type StepOutcome = Outcome | 'skipped';

/** By an answer at the terminal, by typing a value, or beforehand with `--yes`. */
export type ConfirmedBy = 'answer' | 'typing' | 'yes';

export interface StepResult {
  readonly name: string;
  readonly line: number;
  readonly outcome: StepOutcome;
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly startedAt: string | null;
  readonly durationMs: number;
  /** One sentence where the outcome needs one ("done-when was not met", …). */
  readonly reason?: string;
  /** How a person agreed to it, where the step asks; also of a step that failed afterwards. */
  readonly confirmedBy?: ConfirmedBy;
}

/** Of a step whose effect was there before. */
export const ALREADY_DONE = 'already done';

/** Whether it was its turn: a step that is already done is left out only then. */
export function hasBegun({ startedAt, reason }: Pick<StepResult, 'startedAt' | 'reason'>): boolean {
  return startedAt !== null || reason === ALREADY_DONE;
}

export interface OutputSummary {
  /** Bytes that the script wrote, kept or not. */
  readonly bytes: number;
  readonly dropped: number;
  /** SHA-256, lower-case hex, over everything that was written (not only what is kept). */
  readonly digest: string;
  /** Why bytes within the cap are not kept, one sentence; only where there are such. */
  readonly lost?: string;
}

export interface RunResult {
  readonly runId: string;
  readonly outcome: Outcome;
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly steps: readonly StepResult[];
  readonly output: OutputSummary;
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly durationMs: number;
  readonly survivors: readonly Survivor[];
  readonly containment: ContainmentProof;
  /** Declared outputs, and what became of them. */
  readonly artifacts: readonly ArtifactRecord[];
  /** One sentence where the outcome is not `succeeded`. */
  readonly reason: string | null;
  /** Where the work folder was kept; null: it is removed. */
  readonly workFolder: string | null;
  /** Why somebody wanted it to end, of all that it has heard of; not there where nobody did, and in older records. */
  readonly cancels?: readonly CancelReason[];
}

/** The reason of a request to end a run, with the run's secrets masked; who and when is in the operation. */
export interface CancelReason {
  readonly operationId: string;
  readonly reason: string | null;
}

/** Who asked. Everything of a token is null without one; `selfMade` marks a token of `runbook token mint`. */
export interface Who {
  readonly subject: string | null;
  readonly roles: readonly string[];
  readonly issuer: string | null;
  readonly keyId: string | null;
  readonly tokenId: string | null;
  readonly selfMade: boolean;
  readonly osUser: string | null;
  readonly host: string | null;
  readonly address: string | null;
}

/** What is kept of a variable: the value only of typed, non-secret ones, a keyed HMAC of the others. */
export interface VariableRecord {
  readonly name: string;
  readonly origin: 'given' | 'env-file' | 'environment' | 'default' | 'generated' | 'asked' | 'passed';
  readonly value?: string;
  readonly hmac?: string;
}

/** The process that is responsible for a run. Dead when the boot id differs, or no such process is left. */
export interface RunOwner {
  readonly bootId: string;
  readonly pidNamespace: string;
  readonly pid: number;
  /** Start time in clock ticks after boot, `/proc/<pid>/stat` field 22; empty where there is no /proc. */
  readonly startTime: string;
  readonly host: string;
}

export interface Refusal {
  readonly code: ErrorCode;
  readonly message: string;
}

/** What is fixed when a run is asked for. The ledger keeps it with the first transition. */
export interface RunRecord {
  readonly schemaVersion: 1;
  readonly runId: string;
  /** `validate`: only of a refusal, as in Stage0. */
  readonly operation: 'execute' | 'validate';
  readonly state: RunState;
  readonly enqueuedAt: string;
  readonly runbook: {
    readonly name: string;
    /** Null: there was no document to read. */
    readonly digest: string | null;
    readonly path: string | null;
    readonly gitCommit?: string;
    readonly gitDirty?: boolean;
  };
  readonly who: Who;
  readonly source: RunSource;
  readonly toolVersion: string;
  readonly containment: Containment | null;
  readonly correlationId: string;
  readonly callChain: readonly string[];
  /** The run that this one goes on from. */
  readonly continues?: string;
  /** Names of steps, where not all were asked for. */
  readonly steps?: { readonly from?: string; readonly only?: string };
  readonly incident: string | null;
  /** Carried out with stand-ins for programs: its outcome says nothing about the world. */
  readonly rehearsal: boolean;
  readonly historyMode: Exclude<HistoryMode, 'auto'>;
  /** What was asked for, where it is not `failed`; not in older records. */
  readonly keepWorkFolder?: Exclude<KeepWorkFolder, 'failed'>;
  readonly variables: readonly VariableRecord[];
  readonly startedAt: string | null;
  readonly result: RunResult | null;
  readonly refusal: Refusal | null;
  /** Only in the state `interrupted`. */
  readonly interruption?: Interruption;
  /** It took place elsewhere, and was reported when it had ended. */
  readonly attested?: Attestation;
}

/** A record as the ledger gives it back: with its place in the chain (of its newest transition). */
export interface StoredRun extends RunRecord {
  readonly seq: number;
  readonly prev: string;
  readonly hash: string;
}

/** The exit code of the tool for a finished run: the script's own unless the run was ended or never began. */
export function exitCodeOf(result: Pick<RunResult, 'outcome' | 'exitCode' | 'signal'>): number {
  switch (result.outcome) {
    case 'succeeded':
      return 0;
    case 'failed':
      return result.exitCode ?? (result.signal === null ? 1 : 128 + signalNumber(result.signal));
    case 'canceled':
      return result.exitCode ?? 128 + signalNumber(result.signal ?? 'SIGINT');
    case 'spawn-failed':
      return result.exitCode ?? OUTCOME_EXITS['spawn-failed'].exit;
    default:
      return OUTCOME_EXITS[result.outcome].exit;
  }
}
