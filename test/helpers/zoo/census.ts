/**
 * Who of the zoo is alive. A process is known by its executable, a hard link below the round's folder: environment,
 * arguments, descriptors, session and parent can all be shed, this cannot. Zombies have none and do not count.
 */
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

export interface Animal {
  readonly pid: number;
  /** Name of the executable. */
  readonly kind: string;
}

/** Empty where it is gone, a zombie, a thread of the kernel, or nobody that we may ask about. */
function executableOf(pid: number): string {
  const link = `/proc/${pid}/exe`;
  try {
    // Most that have none are zombies, and an exception for each of them takes longer than all the rest.
    return statSync(link, { throwIfNoEntry: false }) === undefined ? '' : readlinkSync(link);
  } catch {
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

interface Watched {
  lastSeenAt: number;
  emptyLooks: number;
  /** One that was alive: while it is, nobody else has to be looked for. */
  witness: number;
}
const watched = new Map<string, Watched>();
let looking: NodeJS.Timeout | null = null;

/** One look for all rounds that are under way, and only where it is needed: it takes 10 ms where there are 500 processes. */
function lookForAll(): void {
  const now = performance.now();
  const open = [...watched].filter(([folder, state]) => {
    if (!executableOf(state.witness).startsWith(`${folder}/`)) return true;
    state.lastSeenAt = now;
    return false;
  });
  if (open.length === 0) return;
  const all = everybody().map((pid) => ({ pid, executable: executableOf(pid) }));
  for (const [folder, state] of open) {
    const animals = all.filter(({ executable }) => executable.startsWith(`${folder}/`));
    state.emptyLooks = animals.length === 0 ? state.emptyLooks + 1 : 0;
    if (animals.length === 0) continue;
    state.lastSeenAt = now;
    const steady = animals.find(({ executable }) => STEADY.has(path.basename(executable)));
    state.witness = steady?.pid ?? animals[0]?.pid ?? 0;
  }
}
/** Kinds that stay one process, and do not end when they are asked to. */
const STEADY: ReadonlySet<string> = new Set(['ghost', 'term']);

export interface Watch {
  /** Waits until nobody was seen in four looks in a row, or until `patienceMs` are over. */
  quiet(patienceMs: number): Promise<void>;
  /** @returns when somebody was seen last, on the monotonic clock */
  stop(): number;
}

/** Looks every 20 ms until it is stopped. */
export function watch(folder: string): Watch {
  const state: Watched = { lastSeenAt: performance.now(), emptyLooks: 0, witness: 0 };
  watched.set(folder, state);
  looking ??= setInterval(lookForAll, 20);
  return {
    quiet: async (patienceMs) => {
      const deadline = performance.now() + patienceMs;
      while (state.emptyLooks < 4 && performance.now() < deadline) await delay(20);
    },
    stop: () => {
      watched.delete(folder);
      if (watched.size === 0 && looking !== null) {
        clearInterval(looking);
        looking = null;
      }
      return state.lastSeenAt;
    },
  };
}

/** Command lines that have one of these words in them, such as that of a watcher of the runner's own. */
export function attendants(...words: readonly string[]): readonly string[] {
  return everybody().flatMap((pid) => {
    try {
      const commandLine = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
      return words.some((word) => commandLine.includes(word)) ? [commandLine] : [];
    } catch {
      return [];
    }
  });
}

/** Ends who is left, one by one, and signals nobody else. Throws when somebody is still there after 20 s. */
export async function endAll(folder: string): Promise<void> {
  const deadline = performance.now() + 20_000;
  for (let empty = 0; empty < 4;) {
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
