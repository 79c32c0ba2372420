/** The runs that this server carries out now: counted, awaited, and ended when the server itself has to end. */
import { RunbookError } from '../core/errors.ts';
import type { StopSignals } from '../core/ports.ts';
import type { StopReason } from '../core/run.ts';

export interface ActiveRuns {
  /** Runs and requests for runs. */
  readonly count: number;
  readonly isDraining: boolean;
  /** Whether `stop` found any to end. */
  readonly hasStopped: boolean;
  /** @throws RunbookError `busy` where the server takes no more */
  track<T>(work: (signals: StopSignals) => Promise<T>): Promise<T>;
  /** Takes no more from now on. Resolves when none is left. */
  drain(): Promise<void>;
  stop(reason: StopReason): void;
  /** At once, where `stop` was too polite. */
  force(): void;
}

export function createActiveRuns(): ActiveRuns {
  const active = new Set<Promise<unknown>>();
  const stop = new AbortController();
  const force = new AbortController();
  let isDraining = false;
  let hasStopped = false;
  return {
    get count() {
      return active.size;
    },
    get isDraining() {
      return isDraining;
    },
    get hasStopped() {
      return hasStopped;
    },
    track: async (work) => {
      if (isDraining) {
        throw new RunbookError('busy', 'The server is about to end and takes no more runs.', {
          fix: 'Try again in a moment.',
        });
      }
      const running = work({ stop: stop.signal, force: force.signal });
      active.add(running);
      try {
        return await running;
      } finally {
        active.delete(running);
      }
    },
    drain: async () => {
      isDraining = true;
      while (active.size > 0) await Promise.allSettled(active);
    },
    stop: (reason) => {
      hasStopped ||= active.size > 0;
      stop.abort(reason);
    },
    force: () => {
      force.abort();
    },
  };
}
