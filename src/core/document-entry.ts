/** Entries of `# History`: how a run is written into its document, and how such entries are read back. */
import type { ErrorCode } from './errors.ts';
import type { Outcome } from './run.ts';

/** What an entry says. `runId`, `outcome` and digests travel in the machine line; text is for people. */
export interface DocumentEntry {
  readonly runId: string;
  readonly finishedAt: string;
  /** Stage0's number in the heading: the exit code, or 403 for a refused caller. */
  readonly exitCode: number;
  readonly outcome: Outcome | ErrorCode;
  readonly subject: string | null;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  /** Bytes that the run wrote per stream beyond what the buffers above hold. */
  readonly dropped: number;
  readonly error: string | null;
}
