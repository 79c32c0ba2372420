/** Whether a stream of ours is the log of the job itself, or something that a shell of the job has put in between. */
import { fstatSync, readFileSync, readlinkSync } from 'node:fs';

const RUNNER = 'Runner.Worker';

/**
 * The process of GitHub's runner reads from pipes that every process between it and us has as well. In a container the
 * topmost process is where looking ends.
 * @returns false also where that cannot be told (no /proc): a pipe into a program, or `$(…)`, looks the same from here
 */
export function isRunnersLog(fd: 1 | 2): boolean {
  try {
    const link = readlinkSync(`/proc/self/fd/${fd}`);
    if (!/^(?:pipe|socket):/.test(link)) return false;
    for (let pid = parentOf('self'); pid > 1 && !isRunner(pid); pid = parentOf(pid))
      if (readlinkSync(`/proc/${pid}/fd/${fd}`) !== link) return false;
    return true;
  } catch {
    return false;
  }
}

/** `2>&1` */
export function isSameFile(one: number, other: number): boolean {
  try {
    const [a, b] = [fstatSync(one), fstatSync(other)];
    return a.dev === b.dev && a.ino === b.ino;
  } catch {
    return false;
  }
}

function isRunner(pid: number): boolean {
  return readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === RUNNER;
}

function parentOf(pid: number | 'self'): number {
  return Number(/^PPid:\s*(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? 0);
}
