/**
 * What the engine needs from the world. Adapters implement these, one folder a port; the engine knows nothing else of
 * them, and they know nothing of the engine.
 */
import type { DocumentEntry } from './history/document-entry.ts';
import type { Claims } from './claims.ts';
import type { RunbookError } from './errors.ts';
import type { FileRequirement, InterpreterName, Step } from './runbook.ts';
import type { HistoryMode, OutputStream, OutputSummary, RunOwner } from './run.ts';

export type * from './enclosure.ts';
export type * from './finding.ts';
export type * from './ledger.ts';
export type { LatestRun } from './latest-run.ts';
export type { ArtifactStore, FolderFate, Followed, MaskStream, WorkFolder, Workspace } from './run-files.ts';

/** A document as it lies in its folder. `path` is absolute, with all links resolved; inside of the folder where a name was given. */
export interface LoadedDocument {
  readonly path: string;
  /** As messages show it: relative to where the user is, or as the user wrote it. */
  readonly displayPath: string;
  /** File name with `.md`: the name in call chains, as in Stage0. Empty of what is only validated and comes from no file. */
  readonly fileName: string;
  /** Folder of the document; input paths are relative to it. */
  readonly folder: string;
  /**
   * All of it, or up to the end of the heading `# History` where what stands behind it has no bearing on the document: the
   * parser says the same of both. All of it where `whole` was asked for.
   */
  readonly bytes: Buffer;
  /** Tells this state of this file from any other (device, inode, size, time of change). */
  readonly stamp: string;
}

export interface RunbookSource {
  /** @throws RunbookError `not-found`, `io`, `usage` (outside the folder, not a regular file, too large) */
  load(reference: string, extent?: 'whole'): Promise<LoadedDocument>;
  /** Every document of the folder, ordered by name; unreadable ones come as errors in `problem`. */
  list(): Promise<readonly (LoadedDocument | UnreadableDocument)[]>;
  /** How many of them can be opened: no link that leads out or nowhere. Nothing is read. @throws RunbookError as `list` */
  count(): Promise<number>;
  /** The names of those without the ending, in order; nothing is read. @throws RunbookError as `list` */
  names(): Promise<readonly string[]>;
}

export interface UnreadableDocument {
  readonly displayPath: string;
  readonly fileName: string;
  readonly bytes: null;
  readonly problem: string;
}

export type FileFact = 'file' | 'directory' | 'missing' | 'outside' | 'special' | 'unreadable';

/** What is true outside the document at the moment of asking. */
export interface FactsSource {
  /** For each input path what is there. Paths are resolved against `folder` and must stay inside it, links resolved. */
  inputs(folder: string, files: readonly FileRequirement[]): Promise<ReadonlyMap<string, FileFact>>;
  /** Names of the executable files right in `folder`, in order; null where that is no folder that can be read. */
  programs(folder: string): Promise<readonly string[] | null>;
  /** Absolute path of an interpreter on the given `PATH`; null where it is not installed. */
  interpreter(name: InterpreterName, path: string): Promise<string | null>;
  git(documentPath: string): Promise<{ readonly commit: string; readonly dirty: boolean } | null>;
  /** The commit alone, read from the work tree's own files: no process is started. Null also where they do not say it. */
  commit(documentPath: string): Promise<string | null>;
  /** What may still be written where this file or folder is, or will be; null where nobody counts it. */
  freeBytes(place: string): Promise<number | null>;
}

/** A verified token. */
export interface Identity {
  readonly subject: string;
  readonly claims: Claims;
  readonly roles: readonly string[];
  readonly issuer: string | null;
  readonly keyId: string | null;
  readonly tokenId: string | null;
  readonly expiresAt: Date;
  /** Signed by `runbook token mint` on this machine. */
  readonly selfMade: boolean;
  /** Of a run's own token: the run that it was made for, and the runbooks that led there, its own last. */
  readonly run?: { readonly runId: string; readonly callChain: readonly string[] };
}

/** Stands in for the caller's own token within a run: what a script may call other runbooks with. */
export interface RunTokens {
  /** Holds until then, or until the run's end, whichever comes first. @param callChain this runbook last */
  issue(facts: RunTokenFacts): Promise<string>;
  /** The run is over. */
  revoke(runId: string): void;
}

export interface RunTokenFacts {
  readonly runId: string;
  /** Of whom the run is. */
  readonly identity: Identity;
  readonly callChain: readonly string[];
  readonly expiresAt: Date;
}

export interface Authenticator {
  /** Verifies signature, times, issuer, audience and form. @throws RunbookError `unauthenticated`, `unavailable` */
  authenticate(token: string): Promise<Identity>;
  /**
   * Whose token it is, where that was verified here before and still holds; else null. As cheap for a stranger's token as for
   * any: no signature is checked.
   */
  recall(token: string): Promise<Identity | null>;
}

export interface SecretSource {
  /** A fresh secret of `length` characters from `[A-Za-z0-9]`, from the system's random source. */
  generate(length: number): string;
  /** Keyed HMAC-SHA-256 (hex) of a value, with this installation's key: same value, same text, not invertible. */
  fingerprint(value: string): string;
}

export interface OutputChunk {
  readonly step: number;
  readonly stream: OutputStream;
  readonly bytes: Buffer;
}

/** Where the output of one run goes before any sink sees it. */
export interface OutputSpool {
  /** Never throws for a disk that is full or broken: what cannot be kept is counted as dropped. */
  write(step: number, stream: OutputStream, chunk: Buffer): void;
  /** Syncs and closes; afterwards `read` gives what is kept. */
  close(): OutputSummary;
  /** Why something could not be kept although it was within the cap (`io`); null while all is well. */
  readonly failure: RunbookError | null;
}

export interface RunOutput {
  /** `maxBytes` is the cap. @throws RunbookError `io` */
  open(runId: string, maxBytes: number): OutputSpool;
  /** Nothing where nothing is kept. @throws RunbookError `io` */
  read(runId: string): AsyncIterable<KeptOutput>;
  /** As `read`, of a run that goes on: waits for more until there is the end; gives what is there by then when the signal is aborted. */
  follow(runId: string, signal: AbortSignal): AsyncIterable<KeptOutput>;
  /** What is kept of a run; null where nothing is. The time is that of the last output (within a second), also where it does not reach the disk yet. */
  facts(runId: string): Promise<OutputFacts | null>;
  /** Of all runs. */
  kept(): Promise<readonly OutputFacts[]>;
  /** What lies there of a run is on disk when it resolves, also where its writer could not see to that. @throws RunbookError `io` */
  sync(runId: string): Promise<void>;
  /** @throws RunbookError `io` */
  remove(runId: string): Promise<void>;
}

export interface OutputFacts {
  readonly runId: string;
  /** On disk; 0: there was no output yet. */
  readonly bytes: number;
  readonly lastWriteAt: Date;
}

/**
 * Head and tail of a run's output, in order of writing, a little at a time (at most 1 MiB): whoever reads holds no more
 * than it needs, whatever the cap was. `bytes` hold until the next item is asked for. Without an `end` the run goes on,
 * or its runner died: the tail is then not there.
 */
export type KeptOutput =
  | ({ readonly kind: 'chunk' } & OutputChunk)
  | { readonly kind: 'gap'; readonly dropped: number }
  /** `summary`: as it was counted when it was written; null where that cannot be read. */
  | { readonly kind: 'end'; readonly summary: OutputSummary | null }
  /** Last: the file goes on behind its end, or with what is no whole piece of an output (a crash has torn it, or somebody added it). */
  | { readonly kind: 'foreign' };

export interface DocumentHistory {
  /** Resolves `auto`; `reason` is one sentence that a face may show. @throws RunbookError `io` for `file` */
  decide(
    mode: HistoryMode,
    documentPath: string,
  ): Promise<{ readonly mode: Exclude<HistoryMode, 'auto'>; readonly reason: string | null }>;
  /**
   * Appends one complete entry and syncs; a torn one before it is closed off.
   * @throws RunbookError `io` (the message says whether the document is unchanged or ends with a torn entry)
   */
  append(document: HistoryDocument, entry: DocumentEntry): Promise<void>;
  /** Whether a whole entry of the run is there. @throws RunbookError `io` */
  has(documentPath: string, runId: string): Promise<boolean>;
  /** Whether nothing at all is where the document was. Not where that cannot be told. */
  isGone(documentPath: string): Promise<boolean>;
}

/** What was known of a document when it was loaded. */
export interface HistoryDocument {
  /** Absolute, links resolved. */
  readonly path: string;
  /** Whether it has a top-level `# History`; where not, the first entry brings it. */
  readonly hasHistory: boolean;
  /** Of `LoadedDocument`: where the file is another by now, what is in it is looked up. */
  readonly stamp: string;
}

/** Documents that the local user has made or repaired; the engine that runs them never does. */
export interface DocumentWriter {
  /** A new document with its folder's usual mode; whole or not at all. @throws RunbookError `usage` (it is there), `io` */
  create(file: string, text: string): Promise<void>;
  /**
   * Puts other bytes in its place at once, with its mode and owner. What is appended to its history meanwhile stays.
   * @throws RunbookError `busy` (it is another by now), `io`; it is unchanged then
   */
  replace(document: Pick<LoadedDocument, 'path' | 'displayPath' | 'stamp'>, bytes: Uint8Array): Promise<void>;
}

/**
 * Asks the person at the terminal. Absent (null in the request) where nobody can be asked. A question ends unanswered
 * (it rejects) when its signal is aborted, or when the person leaves it with Ctrl-C or Ctrl-D.
 */
export interface Interaction {
  /** Whoever answers is elsewhere: steps are agreed to, but no variable is asked for, and there is no terminal. */
  readonly onlyAgrees?: true;
  /** A value for a variable that is missing; not echoed when it is a secret. */
  askVariable(name: string, description: string, secret: boolean, signal: AbortSignal): Promise<string>;
  /** @returns whether the person agreed */
  confirm(step: Step, text: string, signal: AbortSignal): Promise<boolean>;
  /** The person has to type `expected`. */
  confirmTyping(step: Step, name: string, expected: string, signal: AbortSignal): Promise<boolean>;
  /** The person says that the manual step is done. */
  manual(step: Step, text: string, signal: AbortSignal): Promise<boolean>;
}

/** Whether processes that are responsible for runs are still there. */
export interface Owners {
  readonly current: RunOwner;
  /**
   * Why a run's owner counts as dead, one sentence; null while it may be alive. Certain where its process could be looked at
   * from here; elsewhere (another host, another PID namespace) its lease decides.
   */
  whyGone(owner: RunOwner, leaseUntil: string | null, now: Date): string | null;
}

export interface Clock {
  now(): Date;
  /** Milliseconds that never run backwards. */
  monotonicMs(): number;
}

export interface RunIds {
  /** 26 characters, sortable by time (ULID). */
  next(): string;
}
