/** The enclosure of the two upper rungs: a reaper, and a control group where one is ours. */
import { openSync } from 'node:fs';
import { Socket } from 'node:net';
import { messageOf } from '../../core/failures.ts';
import type { Containment, ContainmentProof } from '../../core/containment.ts';
import type { Survivor } from '../../core/run.ts';
import type {
  Enclosure,
  EnclosureRequest,
  Job,
  JobEnd,
  LimitName,
  ProcessLimits,
  StopSignals,
} from '../../core/ports.ts';
import type { Cgroup } from './cgroup.ts';
import { alive } from './processes.ts';
import { startPumps } from './pump.ts';
import type { OnOutput } from './pump.ts';
import { encodeJob } from './reaper-job.ts';
import { JobRefused, ReaperGone, startReaper } from './reaper.ts';
import type { Reaper, ReaperJob } from './reaper.ts';
import { refusal, signalName } from './refusal.ts';
import { sweep } from './sweep.ts';
import { firstEnd, happensWithin, startDeadline } from './waiting.ts';

/** Helpers of a script that ended by itself have this long to end, too. */
const HELPERS_MS = 250;
/** After KILL; it took 29 ms in 99 of 100 rounds on a busy machine. */
const KILL_MS = 10_000;

const WANTS_TERMINAL = 'it wants to read from the terminal, which only a step with `tty: true` can.';

const NOTHING_ENFORCED: Cgroup['enforces'] = new Set();

/** A reaper sets the limits of each process itself; those of all together need a control group. */
export function unenforcedByReaper(
  { memoryBytes, processes }: ProcessLimits,
  enforces: Cgroup['enforces'],
): readonly LimitName[] {
  return [
    ...(memoryBytes === null ? [] : ['memory' as const]),
    ...(processes === null ? [] : ['processes' as const]),
  ].filter((limit) => !enforces.has(limit));
}

type End = Partial<JobEnd> & Pick<JobEnd, 'cause'>;
const NOTHING = { exitCode: null, signal: null, survivors: [], leftBehind: [], reason: null };
const NO_FILES = { procs: [], kill: [] };

export class ReaperEnclosure implements Enclosure {
  readonly containment: Containment;
  readonly unenforced: readonly LimitName[];
  readonly #request: EnclosureRequest;
  readonly #graceMs: number;
  readonly #cgroup: Cgroup | null;
  #reaper: Reaper | null;
  /** Why nothing is proven; null while everything is. */
  #doubt: string | null = null;

  constructor(
    request: EnclosureRequest,
    reaper: Reaper,
    cgroup: Cgroup | null,
    refused: readonly string[],
    graceMs: number,
  ) {
    this.#request = request;
    this.#graceMs = graceMs;
    this.#cgroup = cgroup;
    this.#reaper = reaper;
    this.containment = {
      rung: cgroup === null ? 'reaper' : 'cgroup',
      reaper: reaper.interpreter,
      cgroups: cgroup?.folders ?? [],
      refused,
    };
    this.unenforced = unenforcedByReaper(request.limits, cgroup?.enforces ?? NOTHING_ENFORCED);
  }

  async execute(job: Job, signals: StopSignals, onOutput: OnOutput): Promise<JobEnd> {
    const began = performance.now();
    const end = await this.#carryOut(job, signals, onOutput);
    return { ...NOTHING, ...end, durationMs: Math.round(performance.now() - began) };
  }

  async #carryOut(job: Job, signals: StopSignals, onOutput: OnOutput): Promise<End> {
    if (signals.stop.aborted) return { cause: 'canceled' };
    const reaper = await this.#currentReaper();
    if (typeof reaper === 'string')
      return { cause: 'spawn-failed', reason: `The script cannot be contained: ${reaper}.` };
    const hitsBefore = this.#cgroup?.hits();
    const running = reaper.run(encodeJob(job, this.#request.limits, this.#cgroup?.files ?? NO_FILES));
    const script = await start(reaper, running).catch((error: unknown) => whyNot(error, job));
    if (typeof script === 'string') return { cause: 'spawn-failed', reason: script };

    const pumps = startPumps(script.stdout, script.stderr, onOutput);
    const own = Promise.race([
      running.exited.then(() => 'exited' as const),
      running.wantsTerminal.then(() => 'wants-terminal' as const),
    ]).catch(() => 'exited' as const);
    const deadline = startDeadline(job.timeoutMs);
    const first = await firstEnd(own, signals.stop, deadline.signal);
    const left = await this.#empty(reaper, running, first !== 'exited', signals.force, script.pid);
    // Also a script that has ended by itself has its limit: for as long as its reader takes to read.
    const isGivenUp = await pumps.drain(AbortSignal.any([signals.stop, deadline.signal]));
    deadline.clear();
    const late = isGivenUp && first === 'exited' ? (signals.stop.aborted ? 'canceled' : 'timed-out') : null;

    const cause = late ?? (first === 'wants-terminal' ? 'exited' : first);
    const exit = await running.exited.catch((error: unknown) => (error instanceof Error ? error : new ReaperGone()));
    // A script that could not be loaded is known only after its process was made.
    if (exit instanceof JobRefused) return { ...left, cause: 'spawn-failed', reason: refusal(exit, job) };
    if (exit instanceof Error) return { ...left, cause, reason: whyNot(exit, job) };
    const how = { ...left, cause, exitCode: exit.exitCode, signal: signalName(exit.signal) };
    if (first === 'wants-terminal') return { ...how, exitCode: null, reason: WANTS_TERMINAL };
    const limit = first === 'exited' && exit.exitCode !== 0 ? this.#limitHit(hitsBefore) : null;
    return limit === null ? how : { ...how, cause: 'limit-exceeded', reason: limit };
  }

  async close(): Promise<ContainmentProof> {
    // It removes its groups where they are empty: what is gone needs no further look.
    await this.#reaper?.leave();
    if (this.#cgroup !== null) {
      if (!(await this.#cgroup.empty())) this.#doubt ??= 'its control group could not be emptied.';
      await this.#cgroup.remove();
    }
    return this.#doubt === null ? { claim: 'proven', reason: null } : { claim: 'best effort', reason: this.#doubt };
  }

  /** One for the whole run; another where it had to leave processes that it may not signal. */
  async #currentReaper(): Promise<Reaper | string> {
    if (this.#reaper !== null) return this.#reaper;
    const interpreter = this.containment.reaper === 'python3' ? 'python3' : 'perl';
    const started = await startReaper(interpreter, this.#request, this.containment.cgroups);
    if (typeof started !== 'string') this.#reaper = started;
    return started;
  }

  /** Until nothing of the job is left: helpers have a moment, then TERM, the time of grace, KILL. */
  async #empty(
    reaper: Reaper,
    running: ReaperJob,
    stopped: boolean,
    force: AbortSignal,
    group: number,
  ): Promise<Pick<JobEnd, 'survivors' | 'leftBehind'>> {
    const settled = running.ended.catch(() => {});
    let leftBehind: readonly Survivor[] = [];
    if (!stopped && !(await happensWithin(settled, HELPERS_MS))) leftBehind = alive(await reaper.who());
    if (stopped || leftBehind.length > 0 || !(await happensWithin(settled, 0))) {
      reaper.order('T');
      if (!(await happensWithin(settled, force.aborted ? 0 : this.#graceMs, force))) {
        reaper.order('K');
        // A reaper that does not answer is none.
        if (!(await happensWithin(settled, KILL_MS))) reaper.kill();
        await settled;
      }
    }
    return { survivors: await this.#survivors(running, group), leftBehind };
  }

  async #survivors(running: ReaperJob, group: number): Promise<readonly Survivor[]> {
    const left = await running.ended.catch(() => null);
    if (left?.length === 0) return [];
    this.#reaper = null;
    // What became root is out of the reaper's reach, and not out of the kernel's.
    if (this.#cgroup !== null && (await this.#cgroup.empty())) return [];
    if (left === null) {
      this.#doubt = 'the process that watched over the script was killed, and what it started was looked for instead.';
      return await sweep(this.#request.runId, group);
    }
    this.#doubt = 'processes of other users were left, which may not be signalled.';
    return alive(left);
  }

  #limitHit(before: ReturnType<Cgroup['hits']> | undefined): string | null {
    const now = this.#cgroup?.hits();
    if (now === undefined || before === undefined) return null;
    if (now.memory > before.memory) return 'It used more memory than its limit, and was ended.';
    if (now.processes > before.processes) return 'It wanted more processes than its limit.';
    return null;
  }
}

interface Script {
  readonly pid: number;
  readonly stdout: Socket;
  readonly stderr: Socket;
}

/** Real pipes, where Node itself would make sockets: `echo … > /dev/stderr` cannot open a socket (ENXIO). */
async function start(reaper: Reaper, running: ReaperJob): Promise<Script> {
  const [out, err] = await running.pipes;
  const streams: Socket[] = [];
  const open = (descriptor: number): Socket => {
    const stream = openPipe(reaper.pid, descriptor);
    streams.push(stream);
    return stream;
  };
  try {
    const [stdout, stderr] = [open(out), open(err)];
    reaper.order('G');
    return { pid: await running.started, stdout, stderr };
  } catch (error) {
    for (const stream of streams) stream.destroy();
    throw error;
  }
}

function openPipe(pid: number, descriptor: number): Socket {
  return new Socket({ fd: openSync(`/proc/${pid}/fd/${descriptor}`, 'r'), readable: true, writable: false });
}

function whyNot(error: unknown, job: Job): string {
  if (error instanceof JobRefused) return refusal(error, job);
  if (error instanceof ReaperGone)
    return 'The process that watches over the script was killed, so nobody knows how it ended.';
  return `The script could not be started: ${messageOf(error)}.`;
}
