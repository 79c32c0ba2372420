/** A request that names itself: however often it is sent, one run comes of it. */
import { RunbookError } from './errors.ts';

/** Whose key it is. Two callers may choose the same one. */
export interface KeyHolder {
  /** Empty where the token names none. */
  readonly issuer: string;
  readonly subject: string;
  readonly key: string;
  /** ISO 8601; what was asked for before that is forgotten. */
  readonly since: string;
}

export interface RequestKey extends KeyHolder {
  /** Stands for all that was asked for: the same key with another one is another request. */
  readonly digest: string;
}

/** What came of a request with a key. */
export interface KeyedRun {
  readonly runId: string;
  readonly digest: string;
}

/** The key belongs to a run: nothing was recorded, and nothing begins. */
export class AlreadyAsked extends RunbookError {
  readonly earlier: KeyedRun;

  constructor(earlier: KeyedRun) {
    super('busy', `The same was asked for before: run ${earlier.runId} came of it.`, {
      fix: `\`runbook history ${earlier.runId}\` shows the run.`,
    });
    this.earlier = earlier;
  }
}
