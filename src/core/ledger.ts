/** The port of the record: what happened to runs, in one chain, and what may be asked about it. Part of `ports.ts`. */
import type { ChainLink, ReadLink } from './chain.ts';
import type { Containment } from './containment.ts';
import type { RunbookError } from './errors.ts';
import type { Finding } from './finding.ts';
import type { LatestRun } from './latest-run.ts';
import type { KeyedRun, KeyHolder, RequestKey } from './request-key.ts';
import type { ArtifactRecord, Attestation, Interruption, NotedProgress, RecordedOutput } from './run.ts';
import type { RunOwner, RunRecord, RunResult, RunState, StoredRun } from './run.ts';
import type { Operation, Pruned, StoredOperation } from './operation.ts';

export type * from './operation.ts';

export interface RunFilter {
  /** Beginning of the run's id. */
  readonly idPrefix?: string;
  readonly runbook?: string;
  /** Of the document, as it is recorded. */
  readonly path?: string;
  readonly subject?: string;
  readonly state?: string;
  /** A rehearsal has no outcome that counts: it is not among them. */
  readonly outcome?: string;
  /** Any of them; a state is one, too (`refused`, `interrupted`). */
  readonly outcomes?: readonly string[];
  readonly incident?: string;
  /** ISO 8601 in UTC; runs that were asked for at or after it. */
  readonly since?: string;
  /** … before it. */
  readonly until?: string;
  /** Runs that have begun and did not succeed, or have not ended; no rehearsals. */
  readonly incomplete?: true;
  /** Only runs whose first transition has a smaller number: the next page. */
  readonly before?: number;
  readonly limit: number;
}

export interface PlacedRun {
  /** Number of its first transition. */
  readonly place: number;
  readonly run: StoredRun;
}

/** One transition of a run. */
export interface RunChange {
  readonly seq: number;
  readonly runId: string;
  readonly state: RunState;
  readonly at: string;
}

export interface RunUnderWay {
  readonly run: StoredRun;
  readonly owner: RunOwner;
  /** ISO 8601; null: the owner never renews anything, so only its process tells. */
  readonly leaseUntil: string | null;
  /** The step that it is at; null before the first one. */
  readonly progress: NotedProgress | null;
  /** The newest request. */
  readonly cancel: Operation | null;
}

export interface Pause {
  readonly since: string;
  readonly by: string | null;
  readonly reason: string | null;
}

/** The life of runs. Every transition is one transaction, durable when the promise resolves, chained by hash. */
interface RunTransitions {
  /**
   * First transition (`null → queued`). Keeps the document's text once per digest.
   * @param leaseUntil until when the owner counts as alive where nobody can look at its process
   * @param key kept in the same transaction, until the run turns out not to begin
   * @throws AlreadyAsked where a run came of that key
   */
  enqueue(
    record: RunRecord,
    owner: RunOwner,
    documentText: Buffer,
    leaseUntil?: string,
    key?: RequestKey,
  ): Promise<void>;
  /**
   * `queued → started`: committed before anything is spawned.
   * @throws RunbookError `busy` when paused, or when `concurrency` runs of the same document are under way; rehearsals
   *   do not count
   */
  begin(
    runId: string,
    change: { readonly startedAt: string; readonly containment: Containment },
    concurrency: number | null,
  ): Promise<void>;
  /** Why `begin` would refuse a run of this document (its path) now, in that order; none where it would not. */
  admission(path: string | null, concurrency: number | null): Promise<readonly RunbookError[]>;
  /**
   * `started → finished`, or `queued → finished` for a run that was canceled before it began.
   * @param patienceMs how long another process's lock is waited for, where it is not as long as always
   * @throws RunbookError `io` where somebody has recorded it as interrupted meanwhile, or where the ledger is not in its place
   *   (without a cause), or cannot be written (with one)
   */
  finish(runId: string, result: RunResult, patienceMs?: number): Promise<void>;
  /** `null → refused`. `documentText` is null where no document could be read. */
  refuse(record: RunRecord, documentText: Buffer | null, owner: RunOwner, leaseUntil?: string): Promise<void>;
  /**
   * `queued | started → interrupted`. Waits for others but a moment: whoever recovers comes again.
   * @returns false where it has an end by now
   */
  interrupt(runId: string, interruption: Interruption): Promise<boolean>;
  /**
   * `null → finished | interrupted | refused`: a run that took place elsewhere, as somebody attests. Nothing more ever becomes of
   * it here: it has no owner, its path names no document of this machine, and its output is where it ran.
   * @param documentText null where it did not come along
   * @returns `known`: the same record is there already; `other`: another one with that id. Nothing is recorded then
   */
  report(record: AttestedRecord, documentText: Buffer | null): Promise<'recorded' | 'known' | 'other'>;
}

export type AttestedRecord = RunRecord & { readonly attested: Attestation };

/** What is known of runs. */
interface RunQueries {
  get(runId: string): Promise<StoredRun | null>;
  /** The run that came of a request with that key; null where none did, where it never began, or is not recorded any more. */
  runOfKey(holder: KeyHolder): Promise<KeyedRun | null>;
  /** Newest first, in the order of arrival: clocks may step. */
  list(filter: RunFilter): Promise<readonly StoredRun[]>;
  /** The same, with what `before` takes for the page behind each. */
  listPlaced(filter: RunFilter): Promise<readonly PlacedRun[]>;
  /** What runs came to since then, oldest first; of records that were taken out nothing. @param after number of a transition */
  changesAfter(after: number, limit: number): Promise<readonly RunChange[]>;
  /** Number of the newest link; 0 for none. Cheap. */
  lastChange(): Promise<number>;
  /** By path of the document, where there is one; one question for all of them. @param paths as they are recorded */
  latestOf(paths: readonly string[]): Promise<ReadonlyMap<string, LatestRun>>;
  documentText(digest: string): Promise<Buffer | null>;
  /** Names of runbooks that runs are recorded of, each once. */
  runbookNames(): Promise<readonly string[]>;
}

/** Between a run and whoever looks after it. Not part of the chain, and not synced, but for `requestCancel`. */
interface RunCare {
  /** Queued or started, oldest first. */
  underWay(): Promise<readonly RunUnderWay[]>;
  /** Waits for nobody. */
  progress(runId: string, progress: NotedProgress): Promise<void>;
  /** Waits for nobody. @returns false where the run has an end, its own or an interruption */
  renewLease(runId: string, leaseUntil: string): Promise<boolean>;
  /**
   * Before anything of a run is touched whose owner is gone: of several only one may, and who dies at it is followed.
   * @returns whether it is the caller's to recover
   */
  claimRecovery(runId: string, by: RunOwner, leaseUntil: string): Promise<boolean>;
  /**
   * A link of the chain without the reason, and a note to the owner with it: who asks does not know the secrets of the run; who
   * carries it out does, and records the reason with its end. @returns false where it is not under way (nothing is recorded then)
   */
  requestCancel(runId: string, operation: Operation): Promise<boolean>;
  /**
   * All that were noted for it, oldest first; null for none. `interrupted`: it was recorded as that. Cheap, and waits for
   * nobody: nothing is read while nobody has written.
   */
  cancelRequest(runId: string): Promise<readonly Operation[] | 'interrupted' | null>;
}

/** The switch that every `begin` looks at, and what else was done. */
interface Operations {
  pause(operation: Operation): Promise<void>;
  /** @returns false where nothing was paused (nothing is recorded then) */
  resume(operation: Operation): Promise<boolean>;
  paused(): Promise<Pause | null>;
  /**
   * What somebody answered to a question of a run, before the run hears of it. @returns false where the run does not go on, or
   * is being canceled (nothing is recorded then)
   */
  confirm(runId: string, operation: Operation): Promise<boolean>;
  /** Whether a change could be recorded now: it is made, and taken back. Waits for nobody. @throws RunbookError `io`, `busy`, `unavailable` */
  tryChange(): Promise<void>;
  /** Newest first. */
  operations(limit: number): Promise<readonly StoredOperation[]>;
  /** Requests to end a run, oldest first. Why is in the run's result, where it has heard of them. */
  cancelsOf(runId: string): Promise<readonly StoredOperation[]>;
  /** What was answered to its questions by people who are not at its terminal, oldest first. */
  answersOf(runId: string): Promise<readonly StoredOperation[]>;
}

/** Entries that documents still have to get: `finish`, `interrupt` and a refusal for lacking claims ask for one in mode `file`. */
interface PendingEntries {
  /** Of each document the oldest that waits, oldest first: one that cannot be written keeps no other from its turn. */
  pendingEntries(limit: number): Promise<readonly StoredRun[]>;
  isEntryPending(runId: string): Promise<boolean>;
  /**
   * Only one may write it: the owner of the run, whoever recovered it, or who follows one that died. Waits but a moment.
   * @returns whether it is the caller's to write
   */
  claimEntry(runId: string, writer: RunOwner, leaseUntil?: string): Promise<boolean>;
  entryWritten(runId: string): Promise<void>;
  /** It is given up: nobody waits for it any more. */
  forgetEntry(runId: string): Promise<void>;
}

/** Text of kept output. The index may be wrong in one direction only: whoever asks looks at the output itself. */
interface OutputSearch {
  /** @param text of all that is kept of the output; null where it is too long: it is a candidate whatever is looked for */
  indexOutput(runId: string, text: string | null): Promise<void>;
  /**
   * Runs that fit the filter and whose output may hold the text, whatever its case (`foldCase`), newest first; `limit` of
   * them are read at once. At least 3 characters.
   */
  searchOutput(text: string, filter: RunFilter): AsyncIterable<StoredRun>;
  /** Whether output and artifacts of the run were removed on purpose. */
  isOutputGone(runId: string): Promise<boolean>;
  /** Runs that fit the filter (but its limit) and whose output is not kept any more. */
  countWithoutOutput(filter: RunFilter): Promise<number>;
}

export interface EndedRun {
  readonly runId: string;
  readonly enqueuedAt: string;
  /** Path of the document that waits for its entry; null where none does. */
  readonly waitsFor: string | null;
}

/** A ledger knows where it lives; whoever acts on a copy as if it were the ledger acts twice. */
interface Residence {
  /** The folder of the ledger that this one is a copy of; null where it is at home. */
  copyOf(): Promise<string | null>;
  /**
   * A copy lives here from now on, in one transaction with the operation. Runs that were under way in it are interrupted for
   * this reason, in the ledger alone: whatever there is of them belongs to the other one, as do entries that documents wait for.
   * @returns those runs; null where it is at home (nothing is recorded then)
   */
  moveIn(operation: Operation, reason: string): Promise<readonly string[] | null>;
}

/** The whole of it, for who keeps house. What an auditor sees is a `LedgerView`. */
interface LedgerUpkeep {
  /** In order, from behind the given number; a pruned one has an empty record. Memory does not follow its length. */
  links(after?: number): Iterable<ChainLink>;
  /** Runs that were asked for and ended before the time (ISO 8601), oldest first. */
  endedBefore(time: string): Promise<readonly EndedRun[]>;
  /**
   * Takes the records of ended runs out and leaves their hashes. The operation is recorded in the same transaction,
   * `pruned` filled in. @returns what was taken out; null where nothing of it was there any more (nothing is recorded then)
   * @throws RunbookError `record-altered` where a record does not hold: what was altered is not swept away
   * @throws TypeError of a run that is under way, or whose document waits for its entry
   */
  prune(runIds: readonly string[], operation: Operation): Promise<Pruned | null>;
  /** Texts of documents that no run names any more go. @returns how many */
  forgetDocuments(): Promise<number>;
  /** The output of these runs is gone: nothing of it is found any more. */
  forgetOutput(runIds: readonly string[]): Promise<void>;
  /**
   * For what is done now and then by whoever comes by. @returns whether it is the caller's turn: one gets it, where nobody
   * had it since then (or in a future that a clock has made)
   */
  takeTurn(name: string, now: string, since: string): Promise<boolean>;
  /** A consistent copy while others write (0600), synced, whole or not at all. @throws RunbookError `io`, `usage` (the file is there) */
  copyTo(file: string): Promise<void>;
}

/** A ledger as an auditor sees it: one moment of it, never written to. */
export interface LedgerView {
  /** In order. @throws RunbookError `unavailable` where the file is damaged */
  links(): Iterable<ReadLink>;
  /** Number of the last link; 0 for none. */
  lastSeq(): number;
  /** Those of them that are listed as operations, in order. */
  operations(): Iterable<ChainLink>;
  /**
   * Where something that is kept beside the chain (what queries look at, texts of documents, the file itself) differs from it.
   * Takes a fraction of the time where all links have been walked before.
   */
  discrepancies(): Iterable<Finding>;
  /** As of a `RunLedger`; null, too, where the file does not say where it lives. */
  copyOf(): string | null;
  counts(): { readonly runs: number; readonly operations: number; readonly documents: number };
  /** Runs that have ended, or were interrupted, in order. From now on everything is as it is when it is asked for: files are, too. */
  recordedFiles(): Iterable<RecordedFiles>;
  /** Whether output and artifacts of the run were removed on purpose, by now. */
  isOutputGone(runId: string): boolean;
  close(): void;
}

/** What a record says of the files that were kept of its run. */
export interface RecordedFiles {
  readonly seq: number;
  readonly runId: string;
  /** Null where the record does not say it in a way that can be read. */
  readonly said: { readonly output: RecordedOutput; readonly artifacts: readonly ArtifactRecord[] } | null;
}

/** The truth about runs. */
export interface RunLedger
  extends RunTransitions, RunQueries, RunCare, Operations, PendingEntries, OutputSearch, Residence, LedgerUpkeep {
  close(): void;
}
