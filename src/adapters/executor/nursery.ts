/** The runner's end of the nursery (`libexec/reaper.pl`), which makes reapers by forking itself. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { openSync } from 'node:fs';
import { Socket } from 'node:net';
import path from 'node:path';
import type { Duplex } from 'node:stream';
import type { PreparedGroup } from './cgroup.ts';
import { send } from './processes.ts';
import { reaperCommand } from './reaper-program.ts';
import { RunningReaper } from './reaper.ts';
import type { Reaper } from './reaper.ts';
import { happensWithin } from './waiting.ts';

/** Until a reaper that was asked for is in its group; on a machine that swaps. */
const READY_MS = 5000;

/** A reaper whose first script's process is in its group, and waits for its job. */
export interface ReadyReaper {
  readonly reaper: Reaper;
  readonly group: PreparedGroup | null;
}

export interface Nursery {
  /** @returns null where it could not be made, or nobody knows why it takes so long */
  grow(group: PreparedGroup | null): Promise<ReadyReaper | null>;
  readonly isGone: boolean;
  /** Its reapers go on: each has a life line of its own. */
  close(): void;
}

/** @param mark of this process  @returns null where perl is not there */
export function startNursery(mark: string): Nursery | null {
  const command = reaperCommand('perl', mark, ['+']);
  if (typeof command === 'string') return null;
  const [program = '', ...args] = command;
  const child = spawn(program, args, { cwd: '/', env: {}, stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] });
  return new RunningNursery(child);
}

interface Made {
  readonly pid: number;
  readonly lifeLine: Socket;
  readonly reports: Socket;
}

class RunningNursery implements Nursery {
  readonly #child: ChildProcess;
  readonly #orders: Duplex;
  /** Answers come in the order in which they were asked for. */
  readonly #asked: ((made: Made | null) => void)[] = [];
  #isGone = false;

  constructor(child: ChildProcess) {
    this.#child = child;
    // Created with `pipe` at these places, both are streams in both directions.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const [orders, reports] = child.stdio.slice(3) as [Socket, Socket];
    this.#orders = orders;
    for (const stream of [orders, reports]) stream.on('error', () => {});
    child.on('error', () => {
      this.#leave();
    });
    let rest = '';
    reports.on('data', (chunk: Buffer) => {
      const lines = (rest + chunk.toString()).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.#hear(line);
    });
    reports.once('close', () => {
      this.#leave();
    });
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  async grow(group: PreparedGroup | null): Promise<ReadyReaper | null> {
    const folder = group === null ? '' : path.join(group.hierarchy.own, group.name);
    if (this.#isGone || folder.includes('\n')) return null;
    const made = await new Promise<Made | null>((resolve) => {
      this.#asked.push(resolve);
      this.#orders.write(`N${folder}\n`);
    });
    if (made === null) return null;
    const reaper = new RunningReaper('perl', {
      ...made,
      signal: (name) => {
        // Its parent has not waited for it yet, so nobody else has this pid.
        send(made.pid, name);
      },
    });
    made.reports.once('close', () => {
      if (!this.#isGone) this.#orders.write(`W${made.pid}\n`);
    });
    const isReady = reaper.hello.then(
      () => true,
      () => false,
    );
    if ((await happensWithin(isReady, READY_MS)) && (await isReady)) return { reaper, group };
    reaper.end();
    return null;
  }

  close(): void {
    this.#isGone = true;
    this.#orders.end();
    this.#orders.destroy();
  }

  #hear(line: string): void {
    const [letter, pid = '', lifeLine = '', reports = ''] = line.split(' ');
    if (letter === 'H') return;
    const answer = this.#asked.shift();
    answer?.(letter === 'N' ? this.#open(Number(pid), lifeLine, reports) : null);
  }

  #open(pid: number, lifeLine: string, reports: string): Made | null {
    const folder = `/proc/${this.#child.pid ?? 0}/fd`;
    let written: Socket | null = null;
    try {
      written = new Socket({ fd: openSync(`${folder}/${lifeLine}`, 'w'), readable: false, writable: true });
      const read = new Socket({ fd: openSync(`${folder}/${reports}`, 'r'), readable: true, writable: false });
      return { pid, lifeLine: written, reports: read };
    } catch {
      written?.destroy();
      return null;
    } finally {
      this.#orders.write(`C${pid}\n`);
    }
  }

  #leave(): void {
    this.#isGone = true;
    for (const answer of this.#asked.splice(0)) answer(null);
  }
}
