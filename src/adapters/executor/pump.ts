/** The streams of a script on their way to whoever listens. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Readable } from 'node:stream';
import { codeOf } from '../../core/failures.ts';
import type { OutputStream } from '../../core/run.ts';

/** After the leader's exit its pipes may be held open by a process that got away; nobody waits longer for it. */
const SILENCE_MS = 250;

export type OnOutput = (stream: OutputStream, chunk: Buffer) => Promise<void>;

export interface Pumps {
  /**
   * The last words. Who reads slowly gets all of what a script wrote before it ended by itself; only a pipe that stays
   * silent, because a process that got away holds it open, is given up. A job that was stopped, or is stopped now, does
   * not wait for a reader.
   *
   * @returns whether a reader was given up that had not read everything
   */
  drain(stop: AbortSignal): Promise<boolean>;
}

export function startPumps(stdout: Readable | null, stderr: Readable | null, onOutput: OnOutput): Pumps {
  const streams = [stdout, stderr].filter((stream) => stream !== null);
  const pumps = [pump(stdout, 'stdout', onOutput), pump(stderr, 'stderr', onOutput)];
  const progress = (): number => pumps.reduce((sum, one) => sum + one.progress(), 0);
  const isHeld = (): boolean => pumps.some((one) => one.progress() % 2 === 1);
  return {
    drain: async (stop) => {
      const all = Promise.all(pumps.map((one) => one.ended)).then(() => true);
      all.catch(() => {});
      let isGivenUp = false;
      for (let before = -1; before !== progress() || isHeld();) {
        before = progress();
        const idle = new AbortController();
        const done = await Promise.race([all, delay(SILENCE_MS, false, { signal: idle.signal }).catch(() => false)]);
        idle.abort();
        isGivenUp = !done && stop.aborted && (before !== progress() || isHeld());
        if (done || stop.aborted) break;
      }
      for (const stream of streams) stream.destroy();
      if (!isGivenUp) await all;
      return isGivenUp;
    },
  };
}

/** One stream on its way to the listener. */
interface Pump {
  readonly ended: Promise<void>;
  /** Grows with every chunk that begins or ends its way; odd while the listener holds one. */
  readonly progress: () => number;
}

/** One chunk at a time: while a sink is slow the pipe fills and the script waits. */
function pump(stream: Readable | null, name: OutputStream, onOutput: OnOutput): Pump {
  let progress = 0;
  const run = async (): Promise<void> => {
    if (stream === null) return;
    try {
      const chunks: AsyncIterable<Buffer> = stream;
      for await (const chunk of chunks) {
        progress += 1;
        await onOutput(name, chunk);
        progress += 1;
      }
    } catch (error) {
      // A pipe that was destroyed after the drain is an end like any other; what a sink throws is not.
      if (codeOf(error) !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
    }
  };
  const ended = run();
  // Awaited in `drain`; until then a rejection must not count as unhandled.
  ended.catch(() => {});
  return { ended, progress: () => progress };
}
