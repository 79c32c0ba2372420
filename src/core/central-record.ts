/** Records on their way to a server that keeps those of many machines. Its ports are part of `ports.ts`. */
import type { RunRecord } from './run.ts';

/** What is to be told of one run. */
export interface Report {
  /** As the ledger has it, without its place in the chain. */
  readonly record: RunRecord;
  /** Null where it is too large, or no text. */
  readonly document: string | null;
}

export interface WaitingReport {
  readonly runId: string;
  /** Address of the server, as `parseServerAddress` gives it. */
  readonly server: string;
  /** Null: the run had not ended when this was written; its record is in the ledger. */
  readonly report: Report | null;
}

export interface RefusedReport extends WaitingReport {
  readonly report: Report;
  /** Why the server does not take it, half a sentence. */
  readonly reason: string;
}

/** Reports that have not arrived yet. Each is there whole or not at all, for its owner only, and never with a token. */
export interface Outbox {
  /** In the place of an earlier one of that run. Durable when it resolves. @throws RunbookError `io` */
  keep(report: WaitingReport): Promise<void>;
  /** Ids of runs, oldest first. @throws RunbookError `io` */
  waiting(): Promise<readonly string[]>;
  /** Null where there is none any more. @throws RunbookError `io`, also where it cannot be understood */
  read(runId: string): Promise<WaitingReport | null>;
  /** It has arrived, or there is nothing to tell. @throws RunbookError `io` */
  remove(runId: string): Promise<void>;
  /** It is not sent again by itself. @throws RunbookError `io` */
  refuse(report: RefusedReport): Promise<void>;
  /** Oldest first; what cannot be read is left out. @throws RunbookError `io` */
  refused(): Promise<readonly RefusedReport[]>;
  /** Those that were refused wait again. @returns how many @throws RunbookError `io` */
  retry(): Promise<number>;
}

/** What came of it; `reason` is half a sentence about the server. `away`: it is worth another try. */
export type Delivery =
  | { readonly kind: 'taken' }
  | { readonly kind: 'away'; readonly reason: string }
  | { readonly kind: 'refused'; readonly reason: string };

export interface CentralRecord {
  /** Never throws for what a server does. @param signal gives up */
  send(server: string, token: string, report: Report, signal: AbortSignal): Promise<Delivery>;
}
