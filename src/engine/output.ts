/** The way of every byte that a script writes: first into the spool (within its cap), then to whoever listens (all of it). */
import type { OutputStream, OutputSummary, RunEventSink } from '../core/run.ts';
import type { EnginePorts } from './ports.ts';

export interface RunOutputSink {
  /** Resolves when the listener has taken the chunk; never rejects. */
  write(step: number, stream: OutputStream, chunk: Buffer): Promise<void>;
  close(): OutputSummary;
  /** One sentence when something could not be kept although it was within the cap; null while all is well. */
  failure(): string | null;
  /** Aborted when the listener is gone (a closed pipe), or when the request's own signal is. */
  readonly signal: AbortSignal;
}

export function openOutput(
  ports: EnginePorts,
  runId: string,
  maxBytes: number,
  signal: AbortSignal,
  emit: RunEventSink,
): RunOutputSink {
  const spool = ports.output.open(runId, maxBytes);
  const listenerGone = new AbortController();
  let closed = false;
  return {
    signal: AbortSignal.any([signal, listenerGone.signal]),
    write: async (step, stream, chunk) => {
      // A stopped run does not wait for its reader; what still trickles in afterwards is nobody's.
      if (closed) return;
      spool.write(step, stream, chunk);
      if (listenerGone.signal.aborted) return;
      try {
        await emit({ type: stream, runId, step, chunk });
      } catch {
        // The reader closed the pipe (`| head`): nobody wants the rest, so the run ends as canceled, as with SIGPIPE.
        listenerGone.abort({ signal: 'SIGPIPE' });
      }
    },
    close: () => {
      closed = true;
      return spool.close();
    },
    failure: () => spool.failure?.message ?? null,
  };
}
