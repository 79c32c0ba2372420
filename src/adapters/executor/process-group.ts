/**
 * The lowest rung, where there is neither perl nor python3, nor Linux: each script leads a process group. What leaves the
 * group (`setsid`) is looked for afterwards; nothing is proven, and nothing ends when the runner is killed.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { codeOf } from '../../core/failures.ts';
import type { Enclosure, EnclosureRequest, Job, JobEnd, LimitName, ProcessLimits } from '../../core/ports.ts';
import { groupMembers, membersOf, signalGroup } from './processes.ts';
import { startPumps } from './pump.ts';
import { refusalByCode } from './refusal.ts';
import { sweep } from './sweep.ts';
import { firstEnd, startDeadline } from './waiting.ts';

const HELPERS_MS = 250;

/** A process group has no limits. */
export function unenforcedByGroup(limits: ProcessLimits): readonly LimitName[] {
  return [
    ...(limits.memoryBytes === null ? [] : ['memory' as const]),
    ...(limits.processes === null ? [] : ['processes' as const]),
    ...(limits.fileBytes === null ? [] : ['file size' as const]),
    ...(limits.openFiles === null ? [] : ['open files' as const]),
  ];
}

type Exit = Pick<JobEnd, 'exitCode' | 'signal'>;

export function createGroupEnclosure(
  request: EnclosureRequest,
  refused: readonly string[],
  graceMs: number,
): Enclosure {
  const { runId, limits } = request;
  return {
    containment: { rung: 'process-group', reaper: null, cgroups: [], refused },
    unenforced: unenforcedByGroup(limits),
    execute: async (job, { stop, force }, onOutput) => {
      const began = performance.now();
      const end = (fields: Partial<JobEnd> & Pick<JobEnd, 'cause'>): JobEnd => ({
        exitCode: null,
        signal: null,
        survivors: [],
        leftBehind: [],
        reason: null,
        ...fields,
        durationMs: Math.round(performance.now() - began),
      });
      if (stop.aborted) return end({ cause: 'canceled' });
      const started = await start(job).catch((error: unknown) => refusalByCode('exec', codeOf(error), job));
      if (typeof started === 'string') return end({ cause: 'spawn-failed', reason: started });
      const { child, exited } = started;
      const pumps = startPumps(child.stdout, child.stderr, onOutput);
      const deadline = startDeadline(job.timeoutMs);
      const ownEnd = exited.then(() => 'exited' as const);
      const first = await firstEnd(ownEnd, stop, deadline.signal);
      const left = await empty(child.pid ?? 0, runId, first !== 'exited', graceMs, force);
      const isGivenUp = await pumps.drain(AbortSignal.any([stop, deadline.signal]));
      deadline.clear();
      const cause = isGivenUp && first === 'exited' ? (stop.aborted ? 'canceled' : 'timed-out') : first;
      return end({ cause, ...(await exited), ...left });
    },
    close: async () => ({ claim: 'best effort', reason: 'a process group holds only what does not leave it.' }),
  };
}

/** Rejects where the system refuses; some of its refusals are thrown at once, others come as an event. */
async function start(job: Job): Promise<{ readonly child: ChildProcess; readonly exited: Promise<Exit> }> {
  const [program, ...args] = job.argv;
  if (program === undefined) throw new TypeError('a job needs a program');
  // A job with a terminal stays in the terminal's session and group, or it could not read from it.
  const stdin = job.tty ? 'inherit' : 'ignore';
  const child = spawn(program, args, {
    cwd: job.cwd,
    env: job.env,
    detached: !job.tty,
    stdio: [stdin, 'pipe', 'pipe'],
  });
  const exited = new Promise<Exit>((resolve) => {
    child.once('exit', (exitCode, signal) => {
      resolve({ exitCode, signal });
    });
  });
  await once(child, 'spawn');
  // What goes wrong from now on (a signal that cannot be delivered) shows in how the group ends.
  child.on('error', () => {});
  return { child, exited };
}

/** TERM, grace, KILL, until nobody is left. A leader that ended by itself leaves its helpers a moment to end, too. */
async function empty(
  group: number,
  runId: string,
  stopped: boolean,
  graceMs: number,
  force: AbortSignal,
): Promise<Pick<JobEnd, 'survivors' | 'leftBehind'>> {
  if (!stopped && (await emptyWithin(group, HELPERS_MS)) && membersOf(runId, group).length === 0) return NOBODY;
  const leftBehind = stopped ? [] : membersOf(runId, group);
  signalGroup(group, 'SIGTERM');
  signalGroup(group, 'SIGCONT');
  await emptyWithin(group, graceMs, force);
  for (let attempt = 0; attempt < 20 && !(await emptyWithin(group, attempt === 0 ? 0 : 100)); attempt += 1)
    signalGroup(group, 'SIGKILL');
  const survivors = await sweep(runId, group);
  return {
    survivors: [...survivors, ...groupMembers(group).filter(({ pid }) => !survivors.some((one) => one.pid === pid))],
    leftBehind,
  };
}
const NOBODY = { survivors: [], leftBehind: [] };

async function emptyWithin(group: number, ms: number, hurry?: AbortSignal): Promise<boolean> {
  const deadline = performance.now() + ms;
  for (let pause = 1; ; pause = Math.min(pause * 2, 25)) {
    if (!signalGroup(group, 0) || groupMembers(group).length === 0) return true;
    if (performance.now() >= deadline || hurry?.aborted === true) return false;
    await delay(pause);
  }
}
