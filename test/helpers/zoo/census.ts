/**
 * Who of the zoo is alive. A process is known by its executable, a hard link below the round's folder: environment,
 * arguments, descriptors, session and parent can all be shed, this cannot. Zombies have none and do not count.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

export interface Animal {
  readonly pid: number;
  /** Name of the executable. */
  readonly kind: string;
}

function executableOf(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/exe`);
  } catch {
    // It is gone, it is a zombie or a thread of the kernel, or it is nobody that we may ask about.
    return '';
  }
}

/** Highest number first, and so mostly the youngest: what forks without end is gone again in a moment. */
function everybody(): readonly number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 1)
    .sort((a, b) => b - a);
}

/** One look. Whoever forks and exits between its two halves is not seen: take several. */
export function alive(folder: string): readonly Animal[] {
  return everybody().flatMap((pid) => {
    const executable = executableOf(pid);
    return executable.startsWith(`${folder}/`) ? [{ pid, kind: path.basename(executable) }] : [];
  });
}

/** How many of each kind were seen at once, at most, in so many looks. */
export async function census(folder: string, looks: number): Promise<ReadonlyMap<string, number>> {
  const most = new Map<string, number>();
  for (let look = 0; look < looks; look += 1) {
    const now = new Map<string, number>();
    for (const { kind } of alive(folder)) now.set(kind, (now.get(kind) ?? 0) + 1);
    for (const [kind, count] of now) most.set(kind, Math.max(most.get(kind) ?? 0, count));
    await delay(3);
  }
  return most;
}

/** Looks on until it is stopped. */
export function watch(folder: string): {
  /** Waits until nobody was seen in four looks in a row, or until `patienceMs` are over. */
  quiet(patienceMs: number): Promise<void>;
  /** @returns when somebody was seen last, on the monotonic clock */
  stop(): number;
} {
  let lastSeenAt = performance.now();
  let empty = 0;
  const look = setInterval(() => {
    empty = alive(folder).length === 0 ? empty + 1 : 0;
    if (empty === 0) lastSeenAt = performance.now();
  }, 12);
  return {
    quiet: async (patienceMs) => {
      const deadline = performance.now() + patienceMs;
      while (empty < 4 && performance.now() < deadline) await delay(12);
    },
    stop: () => {
      clearInterval(look);
      return lastSeenAt;
    },
  };
}

/** Others that were started for this folder and are still there, such as a watcher of the runner's own. */
export function attendants(folder: string): readonly string[] {
  return everybody().flatMap((pid) => {
    try {
      const commandLine = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
      return commandLine.includes(`${folder}/`) && !executableOf(pid).startsWith(`${folder}/`) ? [commandLine] : [];
    } catch {
      return [];
    }
  });
}

/** Ends who is left, one by one, and signals nobody else. Throws when somebody is still there after 20 s. */
export async function endAll(folder: string): Promise<void> {
  const deadline = performance.now() + 20_000;
  for (let empty = 0; empty < 8;) {
    const animals = alive(folder);
    empty = animals.length === 0 ? empty + 1 : 0;
    for (const { pid } of animals) {
      // The number may be somebody else's by now.
      if (!executableOf(pid).startsWith(`${folder}/`)) continue;
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It was faster.
      }
    }
    if (performance.now() > deadline) throw new Error(`still there: ${JSON.stringify(alive(folder))}`);
    await delay(2);
  }
}
