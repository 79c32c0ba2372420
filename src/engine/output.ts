/** The way of every byte that a script writes: through the masker, into the spool (within its cap), to whoever listens (all of it). */
import { createHash } from 'node:crypto';
import { messageOf } from '../core/failures.ts';
import type { OutputStream, OutputSummary, RunEventSink, StopReason } from '../core/run.ts';
import type { Draft } from './draft.ts';
import type { EnginePorts } from './ports.ts';

/** Its bytes are those of the masker: what is kept, counted and hashed is what a reader may see. */
export interface RunOutputSink {
  /** Resolves when the listener has taken the chunk; never rejects. */
  write(step: number, stream: OutputStream, chunk: Buffer): Promise<void>;
  /**
   * After a script: what was held back because a secret might have begun with it. As `write`.
   * @param isCut whether the script was ended in the middle of what it wanted to print
   */
  endScript(step: number, isCut: boolean): Promise<void>;
  close(): ClosedOutput;
  /** Aborted when the listener is gone (a closed pipe), or when the run is to stop. */
  readonly signal: AbortSignal;
}

export interface ClosedOutput {
  readonly summary: OutputSummary;
  /** One sentence when something could not be kept although it was within the cap. */
  readonly failure: string | null;
}

/** Of a run whose output could not even be opened. */
export const NO_OUTPUT: ClosedOutput = {
  summary: { bytes: 0, dropped: 0, digest: createHash('sha256').digest('hex') },
  failure: null,
};

/** So much of the beginning of a secret is not shown where only the end of the script kept the rest from coming. */
const SAYS_SOMETHING = 4;

/** `listener` is the face itself, whose failure is an answer here. @throws RunbookError `io` */
export function openOutput(
  ports: EnginePorts,
  { runId, masker, stop }: Draft,
  maxBytes: number,
  listener: RunEventSink,
): RunOutputSink {
  const masked = { stdout: masker.stream(), stderr: masker.stream() };
  const spool = ports.output.open(runId, maxBytes);
  const listenerGone = new AbortController();
  let closed = false;
  const pass = async (step: number, stream: OutputStream, chunk: Buffer): Promise<void> => {
    // A stopped run does not wait for its reader; what still trickles in afterwards is nobody's.
    if (closed || chunk.length === 0) return;
    spool.write(step, stream, chunk);
    if (listenerGone.signal.aborted) return;
    try {
      await listener({ type: stream, runId, step, chunk });
    } catch (error) {
      // The reader closed the pipe (`| head`), or the disk behind `>` is full: nobody gets the rest, so the run ends.
      listenerGone.abort({ signal: 'SIGPIPE', message: messageOf(error) } satisfies StopReason);
    }
  };
  return {
    signal: AbortSignal.any([stop, listenerGone.signal]),
    write: async (step, stream, chunk) => {
      await pass(step, stream, masked[stream].write(chunk));
    },
    endScript: async (step, isCut) => {
      // Both at once: a stopped run does not wait for its reader, and keeps what was held back all the same.
      const rests = (['stdout', 'stderr'] as const).map(async (stream) => {
        const rest = masked[stream].end();
        await pass(step, stream, isCut && rest.length >= SAYS_SOMETHING ? Buffer.from('***') : rest);
      });
      await Promise.all(rests);
    },
    close: () => {
      closed = true;
      const summary = spool.close();
      const lost = `Of ${summary.bytes} bytes of output ${summary.dropped} are not in the record.`;
      if (spool.failure === null) return { summary, failure: null };
      const { message } = spool.failure;
      return { summary: { ...summary, lost: message }, failure: `${message} ${lost}` };
    },
  };
}
