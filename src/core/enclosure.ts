/** The port of what starts scripts and holds what they start. Part of `ports.ts`. */
import type { Containment, ContainmentProof } from './containment.ts';
import type { OutputStream, Survivor } from './run.ts';

/** One process to carry out, with everything it will see. */
export interface Job {
  readonly runId: string;
  /** Absolute path of the program first. */
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs: number | null;
  /** A pseudo-terminal of its own, with the caller's terminal as its keyboard. */
  readonly tty: boolean;
}

export interface JobEnd {
  readonly cause: 'exited' | 'timed-out' | 'canceled' | 'limit-exceeded' | 'spawn-failed';
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly survivors: readonly Survivor[];
  /** Processes that were still there after the script had ended by itself, and had to be ended. */
  readonly leftBehind: readonly Survivor[];
  /** One sentence for `spawn-failed` and `limit-exceeded`, and where an end needs an explanation. */
  readonly reason: string | null;
  readonly durationMs: number;
}

/** How a run is ended from outside: politely, and, where somebody is in a hurry, at once. */
export interface StopSignals {
  /** `reason` is a `StopReason`. */
  readonly stop: AbortSignal;
  readonly force: AbortSignal;
}

/** Bounds of all processes of a run together (memory, processes) or of each (files); null: none. */
export interface ProcessLimits {
  readonly memoryBytes: number | null;
  readonly processes: number | null;
  readonly fileBytes: number | null;
  readonly openFiles: number | null;
}

export type LimitName = 'memory' | 'processes' | 'file size' | 'open files';

export interface EnclosureRequest {
  readonly runId: string;
  readonly limits: ProcessLimits;
  /** Whether a job will want the caller's terminal. */
  readonly terminal: boolean;
}

/** Where the scripts of one run live, and what they start. */
export interface Enclosure {
  readonly containment: Containment;
  /** Limits of the request that cannot be held here. */
  readonly unenforced: readonly LimitName[];
  /** Never throws for what the script does. `onOutput` is awaited: while it is pending the script waits. */
  execute(
    job: Job,
    signals: StopSignals,
    onOutput: (stream: OutputStream, chunk: Buffer) => Promise<void>,
  ): Promise<JobEnd>;
  /** Gives everything back. */
  close(): Promise<ContainmentProof>;
}

/** What is left all the same. */
export interface Leftovers {
  /** Who could not be ended. */
  readonly survivors: readonly Survivor[];
  /** Folders of control groups that could not be removed. */
  readonly cgroups: readonly string[];
}

/** `containment` names no groups: they are made for a run. */
export type Foreseen = Pick<Enclosure, 'containment' | 'unenforced'>;

export interface Executor {
  /** A run is likely to begin soon: what it needs whatever it is may be made now. Never throws; nothing is left where none begins. */
  prepare(): void;
  /** Lets go of what was prepared. */
  close(): void;
  /** Prepares the strongest containment there is; nothing of the run is started. @throws RunbookError `unavailable` where it is weaker than required */
  open(request: EnclosureRequest): Promise<Enclosure>;
  /** What `open` would come to, as far as that can be told without starting or making anything. @throws RunbookError as `open` */
  foresee(request: Omit<EnclosureRequest, 'runId'>): Promise<Foreseen>;
  /** Ends what is left of a run whose runner is gone, and gives its control groups back. */
  endLeftovers(runId: string, containment: Containment | null): Promise<Leftovers>;
}
