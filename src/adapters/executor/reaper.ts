/** The runner's end of the reaper (`libexec/reaper.pl`, where the orders and the reports are described). */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readlinkSync } from 'node:fs';
import type { Duplex } from 'node:stream';
import { codeOf } from '../../core/failures.ts';
import type { EnclosureRequest } from '../../core/ports.ts';
import { reaperCommand } from './reaper-program.ts';
import type { ReaperInterpreter } from './reaper-program.ts';
import { happensWithin } from './waiting.ts';

/** It takes 7 ms to start; a machine that swaps may take a second. */
const START_MS = 10_000;
const LEAVE_MS = 1000;
const WAKE_MS = 500;

/** A script could not be started: at `what` the system said `errno`. */
export class JobRefused extends Error {
  readonly what: string;
  readonly errno: number;
  constructor(what: string, errno: number) {
    super(`${what}: errno ${errno}`);
    this.what = what;
    this.errno = errno;
  }
}

/** Somebody has killed the reaper. */
export class ReaperGone extends Error {}

export interface ExitReport {
  readonly exitCode: number | null;
  /** Number of the signal; 0 without one. */
  readonly signal: number;
}

/** What becomes of one job. Each settles once; all that are open reject with `ReaperGone` when the reaper is gone. */
export interface ReaperJob {
  /** Descriptors of the reaper from which stdout and stderr can be opened. */
  readonly pipes: Promise<readonly [number, number]>;
  /** The script's pid. Rejects with `JobRefused`. */
  readonly started: Promise<number>;
  readonly exited: Promise<ExitReport>;
  /** The script was stopped, because it wanted the terminal. */
  readonly wantsTerminal: Promise<void>;
  /** Nothing of it is left; or the pids that may not be signalled. */
  readonly ended: Promise<readonly number[]>;
}

export interface Reaper {
  readonly interpreter: ReaperInterpreter;
  readonly pid: number;
  readonly isGone: boolean;
  run(job: Buffer): ReaperJob;
  /** `G` go, `T` TERM, `K` KILL until nothing is left. */
  order(letter: 'G' | 'T' | 'K'): void;
  /** Who is there now; nobody where the reaper is gone. */
  who(): Promise<readonly number[]>;
  /** Cuts the life line. */
  end(): void;
  /** Cuts it, and resolves when the reaper has ended by that, with its groups where they were empty; soon at the latest. */
  leave(): Promise<void>;
  /** Where it does not answer. */
  kill(): void;
}

/** Starts it and waits until it is a subreaper. @returns one sentence where it cannot be one. @param cgroups removed by it when the runner is dead */
export async function startReaper(
  interpreter: ReaperInterpreter,
  { runId, terminal }: Pick<EnclosureRequest, 'runId' | 'terminal'>,
  cgroups: readonly string[],
): Promise<Reaper | string> {
  const command = reaperCommand(interpreter, runId, cgroups);
  if (typeof command === 'string') return command;
  const [program = '', ...args] = command;
  const child = spawn(program, args, {
    cwd: '/',
    // The script's own variables come with its job: what starts the reaper must not depend on them.
    env: {},
    // Not detached: a script keeps the session of its user's terminal, and with it the ticket of `sudo -v`.
    stdio: [terminal ? 'inherit' : 'ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
  });
  const reaper = new RunningReaper(interpreter, processOf(child));
  const timer = setTimeout(() => {
    reaper.kill();
  }, START_MS);
  try {
    await Promise.race([reaper.hello, once(child, 'error').then(([error]) => Promise.reject(asError(error)))]);
    if (canOpenPipes(reaper.pid)) return reaper;
    reaper.end();
    return 'its pipes cannot be opened by /proc';
  } catch (error) {
    if (error instanceof JobRefused) return `the system refused a subreaper (errno ${error.errno})`;
    if (error instanceof ReaperGone) return `${interpreter} ended before it was ready`;
    return `${program} could not be started (${codeOf(error)})`;
  } finally {
    clearTimeout(timer);
  }
}

/** A /proc that hides descriptors would only be noticed at the first script. */
function canOpenPipes(pid: number): boolean {
  try {
    readlinkSync(`/proc/${pid}/fd/4`);
    return true;
  } catch {
    return false;
  }
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

interface Waiting<T> {
  readonly promise: Promise<T>;
  resolve(value: T): void;
  reject(error: Error): void;
}

/** A rejection that nobody is waiting for yet is no crash. */
function waiting<T>(): Waiting<T> {
  const one = Promise.withResolvers<T>();
  one.promise.catch(() => {});
  return one;
}

interface OpenJob {
  readonly pipes: Waiting<readonly [number, number]>;
  readonly started: Waiting<number>;
  readonly exited: Waiting<ExitReport>;
  readonly wantsTerminal: Waiting<void>;
  readonly ended: Waiting<readonly number[]>;
}

/** A process that a reaper is, and how it is spoken to. */
export interface ReaperProcess {
  readonly pid: number;
  readonly lifeLine: Duplex;
  readonly reports: Duplex;
  /** Never anybody else: its pid is its own until its end was noticed here. */
  signal(name: 'SIGCONT' | 'SIGKILL'): void;
}

function processOf(child: ChildProcess): ReaperProcess {
  // Created with `pipe` at these places, both are streams in both directions.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const [lifeLine, reports] = child.stdio.slice(3) as [Duplex, Duplex];
  return { pid: child.pid ?? 0, lifeLine, reports, signal: (name) => void child.kill(name) };
}

export class RunningReaper implements Reaper {
  readonly interpreter: ReaperInterpreter;
  readonly #running: ReaperProcess;
  readonly #left = Promise.withResolvers<void>();
  readonly #hello = waiting<void>();
  #job: OpenJob | null = null;
  #question: Waiting<readonly number[]> | null = null;
  #isGone = false;
  #waker: NodeJS.Timeout | undefined;

  constructor(interpreter: ReaperInterpreter, running: ReaperProcess) {
    this.interpreter = interpreter;
    this.#running = running;
    const { lifeLine, reports } = running;
    lifeLine.on('error', () => {});
    reports.on('error', () => {});
    let rest = '';
    reports.on('data', (chunk: Buffer) => {
      const lines = (rest + chunk.toString()).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.#hear(line);
    });
    // Its last reports are read before it counts as gone.
    reports.once('close', () => {
      this.#leave();
    });
  }

  get pid(): number {
    return this.#running.pid;
  }
  get isGone(): boolean {
    return this.#isGone;
  }
  get hello(): Promise<void> {
    return this.#hello.promise;
  }

  run(job: Buffer): ReaperJob {
    const open: OpenJob = {
      pipes: waiting(),
      started: waiting(),
      exited: waiting(),
      wantsTerminal: waiting(),
      ended: waiting(),
    };
    this.#job = open;
    // A script can stop it, and then end: that would never be heard of.
    if (!this.#isGone) this.#waker ??= setInterval(() => this.#running.signal('SIGCONT'), WAKE_MS).unref();
    if (this.#isGone) this.#abandon();
    else this.#running.lifeLine.write(job);
    return {
      pipes: open.pipes.promise,
      started: open.started.promise,
      exited: open.exited.promise,
      wantsTerminal: open.wantsTerminal.promise,
      ended: open.ended.promise,
    };
  }

  order(letter: 'G' | 'T' | 'K' | 'W'): void {
    if (this.#isGone) return;
    this.#running.lifeLine.write(`${letter}\n`);
    this.#running.signal('SIGCONT');
  }

  async who(): Promise<readonly number[]> {
    if (this.#isGone) return [];
    this.#question ??= waiting();
    this.order('W');
    return await this.#question.promise;
  }

  end(): void {
    this.#running.lifeLine.end();
    this.#running.lifeLine.destroy();
  }

  async leave(): Promise<void> {
    this.end();
    if (!this.#isGone) await happensWithin(this.#left.promise, LEAVE_MS);
  }

  kill(): void {
    if (!this.#isGone) this.#running.signal('SIGKILL');
    // Should anybody else hold its descriptors, their end would never come.
    setTimeout(() => this.#leave(), LEAVE_MS).unref();
  }

  #hear(line: string): void {
    const [letter, ...words] = line.split(' ');
    const [first = 0, second = 0] = words.map(Number);
    const job = this.#job;
    switch (letter ?? '') {
      case 'H':
        this.#hello.resolve();
        break;
      case 'R':
        job?.pipes.resolve([first, second]);
        break;
      case 'P':
        job?.started.resolve(first);
        break;
      case 'E': {
        const refused = new JobRefused(words[0] ?? '', second);
        this.#hello.reject(refused);
        job?.pipes.reject(refused);
        job?.started.reject(refused);
        job?.exited.reject(refused);
        break;
      }
      case 'S':
        job?.wantsTerminal.resolve();
        break;
      case 'X':
        job?.exited.resolve({ exitCode: second === 0 ? first : null, signal: second });
        break;
      case 'W':
        this.#question?.resolve(words.map(Number));
        this.#question = null;
        break;
      case 'L':
        job?.ended.resolve(words.map(Number));
        break;
      case 'D':
        job?.ended.resolve([]);
    }
  }

  #leave(): void {
    this.#isGone = true;
    this.#left.resolve();
    clearInterval(this.#waker);
    this.#hello.reject(new ReaperGone());
    this.#question?.resolve([]);
    this.#abandon();
  }

  #abandon(): void {
    const error = new ReaperGone('the reaper is gone');
    for (const one of Object.values(this.#job ?? {})) one.reject(error);
  }
}
