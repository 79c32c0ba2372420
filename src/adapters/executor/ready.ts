/** Reapers that are ready before a run needs one: what they take to start passes while the run is still being checked. */
import { adoptCgroup, emptyLeftCgroups, findHolders } from './cgroup.ts';
import type { PreparedGroup } from './cgroup.ts';
import { foreseeCgroup, whyNot } from './cgroup-foreseen.ts';
import { findHierarchies } from './cgroup-mounts.ts';
import type { Hierarchy } from './cgroup-mounts.ts';
import { startNursery } from './nursery.ts';
import type { Nursery, ReadyReaper } from './nursery.ts';
import { CHOSEN } from './options.ts';
import type { ExecutorOptions } from './options.ts';
import { ownMark, preparedName } from './prepared-name.ts';
import { alive } from './processes.ts';

export interface ReadyReapers {
  prepare(): void;
  /** @returns null where none was prepared, or can be; `refused`: why its rung is not a higher one */
  take(): Promise<(ReadyReaper & { readonly refused: readonly string[] }) | null>;
  /** Those that nobody has taken end, and leave nothing. */
  close(): void;
}

/** A process may be moved into another group; where groups are made is looked up again after this time. */
const LOOK_MS = 1000;
const NO_LIMITS = { memoryBytes: null, processes: null, fileBytes: null, openFiles: null };

/** Groups of this process so far, whoever in it has made them. */
let count = 0;

/** Where the groups of a process are made. */
interface Place {
  readonly holder: Hierarchy | null;
  readonly refused: readonly string[];
}

export function createReadyReapers({ ready = 0, containment, cgroupVersion, reapers }: ExecutorOptions): ReadyReapers {
  const isPossible = containment !== 'process-group' && (reapers?.[0] ?? 'perl') === 'perl';
  const pool: Promise<ReadyReaper | null>[] = [];
  let nursery: Nursery | null = null;
  let mark: string | null = null;
  let isClosed = false;
  let place: (Place & { readonly at: number }) | null = null;

  const lookAround = (): Place => {
    if (containment === 'reaper') return { holder: null, refused: [CHOSEN] };
    const holder = findHolders(findHierarchies(), cgroupVersion).find((one) => whyNot(one) === null) ?? null;
    const why = holder === null ? foreseeCgroup(NO_LIMITS, cgroupVersion) : null;
    return { holder, refused: typeof why === 'string' ? [why] : [] };
  };
  const grow = (): void => {
    const now = performance.now();
    if (place === null || now - place.at > LOOK_MS) place = { ...lookAround(), at: now };
    const { holder } = place;
    count += 1;
    const group: PreparedGroup | null =
      holder === null ? null : { hierarchy: holder, name: preparedName(mark ?? '', count) };
    pool.push((nursery?.grow(group) ?? Promise.resolve(null)).catch(() => null));
  };

  const empty = (): void => {
    for (const one of pool.splice(0)) void one.then(discard);
  };

  return {
    prepare: () => {
      if (!isPossible || isClosed || (nursery !== null && !nursery.isGone)) return;
      mark ??= ownMark();
      if (mark === null) return;
      // Of a nursery that somebody has killed.
      empty();
      nursery = startNursery(mark);
      if (nursery === null) return;
      for (let n = 0; n < Math.max(1, ready); n += 1) grow();
      // What others left that were killed together with what they had prepared.
      void emptyLeftCgroups('', []).catch(() => {});
    },
    take: async () => {
      for (let attempts = 0; attempts < 3; attempts += 1) {
        if (nursery === null) return null;
        if (pool.length === 0) grow();
        const next = pool.shift();
        if (ready > 0) grow();
        const one = await next;
        if (one === undefined || one === null) return null;
        // Its end may not have been heard of yet.
        if (!one.reaper.isGone && alive([one.reaper.pid]).length > 0) return { ...one, refused: place?.refused ?? [] };
        await discard(one);
      }
      return null;
    },
    close: () => {
      isClosed = true;
      empty();
      nursery?.close();
    },
  };
}

/** A reaper that ends by itself takes its group away; one that was killed could not. */
async function discard(one: ReadyReaper | null): Promise<void> {
  if (one === null) return;
  const { reaper, group } = one;
  const wasKilled = reaper.isGone || alive([reaper.pid]).length === 0;
  reaper.end();
  if (wasKilled && group !== null) await adoptCgroup(group, NO_LIMITS).remove();
}
