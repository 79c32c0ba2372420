/** The ports for files of a run: the folder that its scripts work in, and what is kept of it. Part of `ports.ts`. */
import type { OutputFacts } from './ports.ts';
import type { FileRequirement } from './runbook.ts';

export interface WorkFolder {
  readonly path: string;
  /** The same folder as the host of a container sees it. */
  readonly hostPath: string;
  /** Writes a private file into the run's control folder (not the work folder) and returns its absolute path. */
  controlFile(name: string, content: string): Promise<string>;
  /** Follows what a script writes into such a file. The function neither waits nor throws. */
  follow(name: string): () => Followed;
  /** A file that the script may have replaced: only a small regular one is read. @throws RunbookError `io` */
  readControlFile(name: string): Promise<string>;
  /** What `keep` would be told now: for whoever recovers a run whose runner is gone. Private; goes with the control folder. */
  remember(outputs: ReadonlyMap<string, string>): Promise<void>;
  /**
   * Leaves the work folder where it is (the control folder goes) and remembers what later steps need. Returns its path.
   * @throws Error whose message says why, as a part of a sentence
   */
  keep(outputs: ReadonlyMap<string, string>): Promise<string>;
  /** @throws Error whose message says what is in the way and what to do, as a part of a sentence */
  remove(): Promise<void>;
}

/** A file that a script writes to while it runs. */
export interface Followed {
  /** All of it whenever it has changed, else ''. */
  readonly text: string;
  /** Why something of it is not in `text`, to go on from “because”; null where all is. */
  readonly problem: string | null;
}

/** Of the run of a work folder that lies about: it has ended and keeps the folder (`kept`), or keeps none (`over`). */
export type FolderFate = 'kept' | 'over';

export interface Workspace {
  /**
   * Before anything is made for a run: where no ledger will know it, a folder says whose it is, and whoever finds that one
   * looks for the rest. @throws RunbookError `io`
   */
  claim(runId: string): Promise<void>;
  /** A private folder (0700) with copies of the inputs, structure kept. @throws RunbookError `io`, `requirements-unmet` */
  create(runId: string, folder: string, inputs: readonly FileRequirement[], signal: AbortSignal): Promise<WorkFolder>;
  /**
   * Takes over the work folder that an earlier run left, with the outputs of its steps; null where it is gone. It belongs
   * to the new run from then on, and lies under another path. @throws RunbookError `io`, `busy` (stopped)
   */
  adopt(
    runId: string,
    earlierRunId: string,
    signal: AbortSignal,
  ): Promise<{ readonly folder: WorkFolder; readonly outputs: ReadonlyMap<string, string> } | null>;
  /** Whether `adopt` would find the folder of that run, by then swept. Nothing is touched. */
  isKept(runId: string, now: Date): Promise<boolean>;
  /**
   * Where the work folder and the files beside it would be; `run-id` stands for the run's id. Nothing is made.
   * @throws RunbookError `io`, as far as permissions tell
   */
  foresee(): Promise<Pick<WorkFolder, 'path' | 'hostPath'> & { readonly control: string }>;
  /** Whether a work folder can be made now: one is, and goes again. @returns bytes that are free there; null: nobody counts them. @throws RunbookError `io` */
  tryFolder(): Promise<number | null>;
  /**
   * What a run left whose runner is gone. Scripts, outputs of steps and secrets go at once; the work folder stays for a day
   * where `isKept`, with the outputs that were remembered, else it goes as well. @returns where it is; null where there is none
   */
  recover(runId: string, isKept: boolean): Promise<string | null>;
  /**
   * Removes what was kept longer than 24 h, what a runner left that died between the end of its run and the removal, and
   * scripts and secrets beside a folder that is kept. Never fails, costs little when there is nothing.
   * @param fateOf what becomes of the folder of a run; null: it is under way, or nobody knows
   * @returns ids of runs without a record whose owner is gone: processes and control groups of theirs may be left
   */
  sweep(now: Date, fateOf: (runId: string) => Promise<FolderFate | null>): Promise<readonly string[]>;
}

/** Text on its way to where it is kept, secrets taken out. Each call gives what can be told by then. */
export interface MaskStream {
  write(chunk: Uint8Array): Buffer;
  end(): Buffer;
}

/** Files that a run declared as its outputs. */
export interface ArtifactStore {
  /**
   * Copies the declared outputs out of the work folder; once a run, when its processes are gone. Never throws for what a
   * script did: what is not kept says why. Of a folder there is a record for each file.
   * @param paths relative to the work folder, as the runbook declares them
   * @param mask begins a stream for one file of text; others are kept as they are
   */
  keep(
    runId: string,
    workFolder: string,
    paths: readonly string[],
    mask: () => MaskStream,
  ): Promise<readonly ArtifactRecord[]>;
  /** What was kept under the path of a record; null where there is nothing. @throws RunbookError `io` */
  read(runId: string, path: string): Promise<Buffer | null>;
  /** The same as length and SHA-256 (lower-case hex), read a little at a time. @throws RunbookError `io` */
  measure(runId: string, path: string): Promise<{ readonly bytes: number; readonly digest: string } | null>;
  /** Runs of which something is kept, with its size on disk and the time of the last of it. @throws RunbookError `io` */
  kept(): Promise<readonly OutputFacts[]>;
  /** Everything that is kept of a run. @throws RunbookError `io` */
  remove(runId: string): Promise<void>;
}

/** The `reason` of a declared output that is not there. */
export const NOT_WRITTEN = 'it was not written';

/** A declared output, or a file in a declared folder, and what became of it. */
export interface ArtifactRecord {
  /** Relative to the work folder; may hold any character. */
  readonly path: string;
  /** Of what is kept; of the file itself where it is not kept; 0 where there is none. */
  readonly bytes: number;
  /** SHA-256, lower-case hex, over what is kept; null where nothing is. */
  readonly digest: string | null;
  /** It is text and secrets were taken out of it; other files are kept as they are. */
  readonly masked: boolean;
  readonly kept: boolean;
  /** Why it is not kept, to go on from “because”: `it was not written`; null where it is kept. */
  readonly reason: string | null;
}
