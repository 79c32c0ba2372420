/** Reapers whose runner is gone: they end everything by themselves, unless somebody has stopped them. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Survivor } from '../../core/run.ts';
import { isOrphanedMark } from './prepared-name.ts';
import { send, startedWith } from './processes.ts';

/** It kills until nothing is left, and gives up by itself after 10 s. */
const LEAVING_MS = 12_000;
const REAPERS = ['reaper.pl', 'reaper.py'];

/**
 * Waits until they are gone: what they say is a proof, what is looked for afterwards is not. They are known by their
 * command line, and only woken: whoever borrows that comes to no harm.
 * @returns those that stay
 */
export async function awaitReapers(runId: string): Promise<readonly Survivor[]> {
  const deadline = performance.now() + LEAVING_MS;
  for (let pause = 1; ; pause = Math.min(pause * 2, 50)) {
    const reapers = startedWith(REAPERS, (text) => text === runId || isOrphanedMark(text));
    if (reapers.length === 0 || performance.now() > deadline) return reapers;
    for (const { pid } of reapers) send(pid, 'SIGCONT');
    await delay(pause);
  }
}
