/** What a face hears of a run while it goes on. Part of `run.ts`. */
import type { OutputStream, RunRecord, RunResult, StepResult, VariableRecord } from './run.ts';
import type { Script } from './runbook.ts';

/** By hand: `values` are the variables of the run that it names, null where one is a secret. */
export interface Rollback {
  readonly script: Script;
  readonly values: ReadonlyMap<string, string | null>;
}

/** `detail`: what was decided, for who wants to know it exactly. */
export type NoticeLevel = 'info' | 'warning' | 'detail';

export interface StepStart {
  /** It has a terminal of its own. */
  readonly tty: boolean;
  /** What it declares; null: nothing. */
  readonly timeoutMs: number | null;
  /** Of the run, counted from its start; null: none. */
  readonly runTimeoutMs: number | null;
}

export type RunEvent =
  | {
      readonly type: 'queued';
      readonly runId: string;
      readonly at: string;
      readonly variables: readonly VariableRecord[];
      /** As messages show it. */
      readonly document: string;
    }
  /** Other runs go first; told again whenever it changes. `place` 1: it is next. */
  | { readonly type: 'waiting'; readonly runId: string; readonly place: number }
  /** Told before it is recorded, which may fail. */
  | { readonly type: 'refused'; readonly runId: string; readonly record: RunRecord }
  | { readonly type: 'notice'; readonly runId: string; readonly level: NoticeLevel; readonly message: string }
  | { readonly type: 'started'; readonly runId: string; readonly at: string }
  | {
      readonly type: 'step';
      readonly runId: string;
      readonly step: number;
      /** Steps of the runbook. */
      readonly of: number;
      readonly name: string;
      readonly phase: 'started' | 'finished';
      /** Of one that has started. */
      readonly start?: StepStart;
      readonly result?: StepResult;
      /** What a person can do to take the step back; of a finished one whose script, or whose work by hand, has begun. */
      readonly rollback?: Rollback;
      /** Outputs of the step that are secrets, and so are not kept for a run that goes on from it. */
      readonly unkept?: readonly string[];
    }
  | { readonly type: OutputStream; readonly runId: string; readonly step: number; readonly chunk: Buffer }
  /** Nothing of it runs any more; its end is not recorded yet. */
  | { readonly type: 'ended'; readonly runId: string }
  | { readonly type: 'finished'; readonly runId: string; readonly result: RunResult };

/** A face's ear. The script waits (backpressure) while the promise is pending. */
export type RunEventSink = (event: RunEvent) => void | Promise<void>;
