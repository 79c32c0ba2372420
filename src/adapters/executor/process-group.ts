/**
 * Carries a job out as the leader of a process group of its own. Ended means: the leader has exited and the group is
 * empty; what left the group (`setsid`) is out of reach of this executor.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { codeOf } from '../../core/failures.ts';
import type { Executor, Job, JobEnd } from '../../core/ports.ts';
import type { OutputStream } from '../../core/run.ts';
import { groupMembers, signalGroup } from './group.ts';

/** After the leader's exit its pipes may be held open by a process that got away; nobody waits longer for it. */
const PIPE_DRAIN_MS = 250;

type OnOutput = (stream: OutputStream, chunk: Buffer) => Promise<void>;

export function createProcessGroupExecutor(options: { readonly stopGraceMs: number }): Executor {
  return {
    containment: 'process-group',
    execute: async (job, signal, onOutput) => await execute(job, signal, onOutput, options.stopGraceMs),
  };
}

async function execute(job: Job, signal: AbortSignal, onOutput: OnOutput, graceMs: number): Promise<JobEnd> {
  const startedAt = performance.now();
  const end = (fields: Partial<JobEnd> & Pick<JobEnd, 'cause'>): JobEnd => ({
    exitCode: null,
    signal: null,
    survivors: [],
    leftBehind: [],
    reason: null,
    ...fields,
    durationMs: Math.round(performance.now() - startedAt),
  });
  if (signal.aborted) return end({ cause: 'canceled' });

  const started = await start(job).catch((error: unknown) => spawnReason(error, job));
  if (typeof started === 'string') return end({ cause: 'spawn-failed', reason: started });
  const { child, exited } = started;
  // What goes wrong from now on (a signal that cannot be delivered) shows in how the group ends.
  child.on('error', () => {});

  const pumps = [pump(child.stdout, 'stdout', onOutput), pump(child.stderr, 'stderr', onOutput)];
  const cause = await waitForStop(job.timeoutMs, signal, exited);
  const { survivors, leftBehind } = await emptyGroup(child, job, cause !== 'exited', graceMs, exited);
  const { exitCode, signal: exitSignal } = await exited;
  await drain(pumps, child, cause !== 'exited');
  return end({ cause, exitCode, signal: exitSignal, survivors, leftBehind });
}

interface Started {
  readonly child: ChildProcess;
  readonly exited: Promise<Pick<JobEnd, 'exitCode' | 'signal'>>;
}

/** Rejects where the system refuses; some of its refusals are thrown at once, others come as an event. */
async function start(job: Job): Promise<Started> {
  const [program, ...args] = job.argv;
  if (program === undefined) throw new TypeError('a job needs a program');
  const child = spawn(program, args, {
    cwd: job.cwd,
    env: job.env,
    // A job with a terminal stays in the terminal's session and group; all others lead a group that can be ended whole.
    detached: !job.tty,
    stdio: job.tty ? 'inherit' : ['ignore', 'pipe', 'pipe'],
  });
  const exited = new Promise<Pick<JobEnd, 'exitCode' | 'signal'>>((resolve) => {
    child.once('exit', (exitCode, signal) => {
      resolve({ exitCode, signal });
    });
  });
  await once(child, 'spawn');
  return { child, exited };
}

/** What ends the run first: the leader itself, the clock, or the caller. */
async function waitForStop(
  timeoutMs: number | null,
  signal: AbortSignal,
  exited: Promise<unknown>,
): Promise<'exited' | 'timed-out' | 'canceled'> {
  // Between the spawn and here the caller may have changed its mind.
  if (signal.aborted) return 'canceled';
  const settled = new AbortController();
  const never = new Promise<never>(() => {});
  try {
    return await Promise.race([
      exited.then(() => 'exited' as const),
      timeoutMs === null
        ? never
        : delay(timeoutMs, 'timed-out' as const, { signal: settled.signal }).catch(() => never),
      once(signal, 'abort', { signal: settled.signal }).then(
        () => 'canceled' as const,
        () => never,
      ),
    ]);
  } finally {
    settled.abort();
  }
}

/** TERM, grace, KILL, until nobody is left. A leader that ended by itself leaves its helpers a moment to end, too. */
async function emptyGroup(
  child: ChildProcess,
  job: Job,
  forced: boolean,
  graceMs: number,
  exited: Promise<unknown>,
): Promise<Pick<JobEnd, 'survivors' | 'leftBehind'>> {
  const group = child.pid ?? 0;
  if (job.tty) {
    if (forced) {
      child.kill('SIGTERM');
      await Promise.race([exited, delay(graceMs, undefined, { ref: false })]);
      child.kill('SIGKILL');
    }
    return { survivors: [], leftBehind: [] };
  }
  if (!forced && (await emptyWithin(group, PIPE_DRAIN_MS))) return { survivors: [], leftBehind: [] };
  const leftBehind = forced ? [] : await groupMembers(group);
  signalGroup(group, 'SIGTERM');
  if (await emptyWithin(group, graceMs)) return { survivors: [], leftBehind };
  for (let attempt = 0; attempt < 20; attempt += 1) {
    signalGroup(group, 'SIGKILL');
    if (await emptyWithin(group, 100)) return { survivors: [], leftBehind };
  }
  return { survivors: await groupMembers(group), leftBehind };
}

async function emptyWithin(group: number, ms: number): Promise<boolean> {
  const deadline = performance.now() + ms;
  for (let pause = 1; ; pause = Math.min(pause * 2, 25)) {
    if (!signalGroup(group, 0) || (await groupMembers(group)).length === 0) return true;
    if (performance.now() >= deadline) return false;
    await delay(pause);
  }
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

/**
 * The pipes' last words. Who reads slowly gets all of what a script wrote before it ended by itself; only a pipe that
 * stays silent, because a process that got away holds it open, is given up. A run that was stopped does not wait for a
 * reader that has stopped reading.
 */
async function drain(pumps: readonly Pump[], child: ChildProcess, stopped: boolean): Promise<void> {
  const all = Promise.all(pumps.map((one) => one.ended)).then(() => true);
  const progress = (): number => pumps.reduce((sum, one) => sum + one.progress(), 0);
  const isHeld = (): boolean => pumps.some((one) => one.progress() % 2 === 1);
  for (let before = -1; before !== progress() || isHeld();) {
    before = progress();
    const idle = new AbortController();
    const done = await Promise.race([all, delay(PIPE_DRAIN_MS, false, { signal: idle.signal }).catch(() => false)]);
    idle.abort();
    if (done || stopped) break;
  }
  child.stdout?.destroy();
  child.stderr?.destroy();
  if (!stopped) await all;
}

/** Node's own text may quote a variable's value, so only the system's code is told. */
function spawnReason(error: unknown, job: Job): string {
  const code = codeOf(error);
  if (code === 'E2BIG') return 'The variables and arguments together are larger than the system takes (E2BIG).';
  if (code === 'ENOENT' && !existsSync(job.cwd)) return 'The work folder is gone; an earlier step may have removed it.';
  return `${job.argv[0] ?? ''} could not be started (${code === '' ? 'unknown error' : code}).`;
}
