/** What a plan says: plain data, the same for every face. Durations end in `Ms`; nothing in it is the value of a secret. */
import type { MissingClaim } from '../core/claims.ts';
import type { Rung } from '../core/containment.ts';
import type { ErrorCode } from '../core/errors.ts';
import type { FileFact } from '../core/ports.ts';
import type { RunRecord, StepChoice, VariableRecord } from '../core/run.ts';
import type { ClaimAlternative, InterpreterName, Problem } from '../core/runbook.ts';
import type { DecidedLimit, LimitName } from './limits.ts';

export interface RunPlan {
  /** Whether a run would begin now. */
  readonly wouldRun: boolean;
  /** 0 where it would begin, else what the run would end with: that of the first refusal. */
  readonly exitCode: number;
  /** All that stands in the way, in the order in which a run would meet it. */
  readonly refusals: readonly PlannedRefusal[];
  readonly rehearsal: boolean;
  /** Null: it could not be read. */
  readonly document: PlannedDocument | null;
  readonly who: PlannedWho;
  /** Null of a document that is no valid runbook. What follows is empty then, too. */
  readonly claims: PlannedClaims | null;
  readonly variables: readonly PlannedVariable[];
  readonly inputs: readonly PlannedInput[];
  readonly interpreters: readonly PlannedInterpreter[];
  readonly steps: readonly PlannedStep[];
  readonly choice: StepChoice | null;
  readonly limits: readonly PlannedLimit[];
  /** Null: it would be refused, or it is not known what is asked for. */
  readonly containment: PlannedContainment | null;
  /** Names of all that a script would find in its environment. */
  readonly environment: readonly string[];
  readonly history: PlannedHistory | null;
  /** Null: the run goes on from none. */
  readonly continues: PlannedContinuation | null;
  /** Sentences that a run would begin with. */
  readonly warnings: readonly string[];
  readonly infos: readonly string[];
  /** What cannot be known before it runs, one sentence each. */
  readonly unknown: readonly string[];
}

export interface PlannedRefusal {
  readonly code: ErrorCode;
  readonly exitCode: number;
  readonly message: string;
  readonly fix: string;
  readonly problems: readonly Problem[];
}

export interface PlannedDocument {
  readonly name: string;
  readonly path: string;
  readonly displayPath: string;
  readonly digest: string;
  /** Null outside of a git work tree; whether the document differs from the commit is not looked up. */
  readonly commit: string | null;
}

export interface PlannedWho {
  /** Null without a token, and with one that does not hold. */
  readonly subject: string | null;
  readonly roles: readonly string[];
  readonly issuer: string | null;
  readonly expiresAt: string | null;
  readonly selfMade: boolean;
  readonly osUser: string | null;
}

export interface PlannedClaims {
  /** Null: the runbook has no such section. */
  readonly required: readonly ClaimAlternative[] | null;
  readonly answer: 'met' | 'lacking' | 'no token' | 'bad token' | 'not required' | 'not asked';
  /** The alternative that lets the caller in. */
  readonly metBy: ClaimAlternative | null;
  /** Of the alternative that lacks least. */
  readonly missing: readonly MissingClaim[];
}

/** `earlier run`: a step that is not asked for passed it on in the run that this one goes on from. */
export type VariableSource = VariableRecord['origin'] | 'would be asked' | 'step' | 'earlier run' | 'missing';

export interface PlannedVariable {
  readonly name: string;
  readonly source: VariableSource;
  readonly secret: boolean;
  readonly declared: boolean;
  /** Null of a secret, and where there is none yet. */
  readonly value: string | null;
  /** The step that passes it on. */
  readonly step: string | null;
}

export interface PlannedInput {
  readonly path: string;
  readonly line: number;
  readonly found: FileFact;
}

export interface PlannedInterpreter {
  readonly name: InterpreterName;
  /** Null: it is not installed. */
  readonly path: string | null;
}

export interface PlannedStep {
  readonly name: string;
  readonly line: number;
  /** `unless done`: its “Done when” is asked first. */
  readonly runs: 'yes' | 'unless done' | 'not asked for';
  /** As it would be started; null of a step by hand, and where its interpreter is not there. */
  readonly argv: readonly string[] | null;
  readonly doneWhenArgv: readonly string[] | null;
  readonly timeoutMs: number | null;
  readonly tty: boolean;
  /** What a person would be told to do. */
  readonly manual: string | null;
  /** What a person would be asked. */
  readonly confirm: string | null;
  /** The variable whose value a person would have to type. */
  readonly confirmTyping: string | null;
  /** It is confirmed beforehand. */
  readonly confirmed: boolean;
  readonly outputs: readonly string[];
}

export interface PlannedLimit extends DecidedLimit {
  readonly name: LimitName;
  /** Whether it can be held here; null: nothing is to be held, or it is not known. */
  readonly held: boolean | null;
}

export interface PlannedContainment {
  readonly rung: Rung;
  readonly reaper: string | null;
  /** Why it is no higher rung. */
  readonly refused: readonly string[];
}

export interface PlannedHistory {
  readonly mode: RunRecord['historyMode'];
  readonly reason: string | null;
}

export interface PlannedContinuation {
  readonly runId: string;
  /** Why nothing is taken over from it; null where its work folder is, if that is still there. */
  readonly obstacle: string | null;
}
