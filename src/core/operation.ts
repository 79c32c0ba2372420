/** What is done to runs and to the record besides executing runbooks. Part of `ports.ts`. */

/** Something that was done to the record or to runs, other than executing a runbook. It is a link of the chain like any. */
export interface Operation {
  readonly schemaVersion: 1;
  /** As a run id. */
  readonly operationId: string;
  /** `move`: a copy of a ledger became one of its own. */
  readonly operation: 'pause' | 'resume' | 'cancel' | 'confirm' | 'prune' | 'move';
  readonly at: string;
  readonly who: Doer;
  readonly toolVersion: string;
  readonly reason: string | null;
  /** Of `cancel` and `confirm`: the id of the run. */
  readonly run?: string;
  /** Of `confirm`. */
  readonly answer?: Answer;
  /** Of `prune`. */
  readonly pruned?: Pruned;
}

/** The account that did it; where somebody asked it to over HTTP, whose token that was. */
export interface Doer {
  readonly osUser: string | null;
  readonly host: string;
  readonly subject?: string;
  /** Null where the token names none. */
  readonly issuer?: string | null;
}

/** What somebody said who is not at the terminal of the run. */
export interface Answer {
  /** Counts from 1, as it was asked. */
  readonly step: number;
  readonly answer: 'yes' | 'no';
}

export interface StoredOperation extends Operation {
  readonly seq: number;
  readonly hash: string;
}

/** Links whose records were taken out: of each only number, `prev` and hash stay, so the chain still holds. */
export interface Pruned {
  readonly runIds: readonly string[];
  /** First and last number of each group of links, in order, both included. */
  readonly ranges: readonly (readonly [number, number])[];
  /** SHA-256, lower-case hex, over the hashes of those links in order, a line feed behind each. */
  readonly digest: string;
}
