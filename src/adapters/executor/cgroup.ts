/**
 * A control group of its own for one run, where the system lets us make one: what is in it cannot leave it, its limits
 * hold for all of them together, and it can be emptied whatever its members have become.
 */
import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { codeOf } from '../../core/failures.ts';
import type { Leftovers, ProcessLimits } from '../../core/ports.ts';
import { counterOf, folderNames, readText, removeFolder, tryWrite, withBelow, words } from './cgroup-files.ts';
import { findHierarchies, isControlGroup } from './cgroup-mounts.ts';
import type { Hierarchy } from './cgroup-mounts.ts';
import { hastenMoves } from './cgroup-moves.ts';
import { isOrphaned } from './prepared-name.ts';
import { alive, send } from './processes.ts';
import type { CgroupFiles } from './reaper-job.ts';

export interface Cgroup {
  readonly folders: readonly string[];
  readonly files: CgroupFiles;
  readonly enforces: ReadonlySet<'memory' | 'processes'>;
  /** How often a limit was hit so far: processes killed for memory, processes that were not born. */
  hits(): Readonly<Record<'memory' | 'processes', number>>;
  members(): readonly number[];
  /** Kills until it is empty. @returns whether it is */
  empty(): Promise<boolean>;
  /** Gives it back; an occupied one stays, and all do where nothing may be changed. @returns folders that stay */
  remove(): Promise<readonly string[]>;
}

const EMPTYING_MS = 5000;

/** Folders of the runs that this process carries out. */
const current = new Set<string>();

/** @returns one sentence where none can be made that can also be emptied */
export function makeCgroup(runId: string, limits: ProcessLimits, version?: 1 | 2): Cgroup | string {
  const hierarchies = findHierarchies();
  const name = nameOf(runId);
  let refusal = 'this system has no control groups that can be emptied';
  for (const hierarchy of findHolders(hierarchies, version)) {
    const holder = makeGroup(hierarchy.version, hierarchy.controllers, hierarchy.own, name);
    if (typeof holder === 'string') {
      refusal = holder;
      continue;
    }
    // Beside others, whose processes enter theirs at any time, it would only be in the way.
    if (current.size === 0) void hastenMoves(hierarchy.own);
    current.add(holder.folder);
    return new RunCgroup([holder, ...makeLimiters(hierarchies, hierarchy, name, limits)], limits);
  }
  return refusal;
}

/** A group that a ready reaper has made, and its script has entered; others beside it where limits need them. */
export function adoptCgroup({ hierarchy, name }: PreparedGroup, limits: ProcessLimits): Cgroup {
  const folder = path.join(hierarchy.own, name);
  const { version } = hierarchy;
  const controllers = version === 1 ? hierarchy.controllers : words(folder, 'cgroup.controllers');
  current.add(folder);
  const isLimited = wantedControllers(limits).length > 0;
  const limiters = isLimited ? makeLimiters(findHierarchies(), hierarchy, name, limits) : [];
  return new RunCgroup([{ folder, version, controllers }, ...limiters], limits, limiters);
}

/** Where a group is, or will be. */
export interface PreparedGroup {
  readonly hierarchy: Hierarchy;
  readonly name: string;
}

/** Those whose groups can be emptied, in the order in which they are tried. */
export function findHolders(hierarchies: readonly Hierarchy[], version?: 1 | 2): readonly Hierarchy[] {
  return (
    hierarchies
      // Version 1 before 2 where there are both: of version 2 only the controllers that are handed down can limit a run.
      .filter(
        (one) =>
          (version === undefined || one.version === version) && (one.version === 2 || one.controllers.includes('pids')),
      )
      .toSorted((a, b) => a.version - b.version)
  );
}

/**
 * The groups of a run whose runner is gone: those of its record and, since who died before it began has recorded none,
 * those that would be made from here; and what a process that is gone has prepared for runs, by its name. What a record says is
 * not believed: only what the kernel says to be a control group, and bears one of these names, is touched.
 * @returns who is still in them, and which of them are still there
 */
export async function emptyLeftCgroups(runId: string, folders: readonly string[]): Promise<Leftovers> {
  const hierarchies = findHierarchies();
  const own = hierarchies.map((hierarchy) => path.join(hierarchy.own, nameOf(runId)));
  const orphans = hierarchies.flatMap((hierarchy) =>
    folderNames(hierarchy.own, isOrphaned).map((name) => path.join(hierarchy.own, name)),
  );
  const groups = [...new Set([...folders, ...own, ...orphans])]
    .filter((folder) => isOfRun(path.basename(folder), runId) && isControlGroup(folder))
    .map((folder): Group => {
      const version = existsSync(path.join(folder, 'cgroup.kill')) ? 2 : 1;
      return { folder, version, controllers: existsSync(path.join(folder, 'pids.max')) ? ['pids'] : [] };
    });
  if (groups.length === 0) return { survivors: [], cgroups: [] };
  const left = new RunCgroup(groups, { memoryBytes: null, processes: null, fileBytes: null, openFiles: null });
  const isEmpty = await left.empty();
  const survivors = isEmpty ? [] : alive(left.members());
  return { survivors, cgroups: await left.remove() };
}

function isOfRun(name: string, runId: string): boolean {
  return name === nameOf(runId) || isOrphaned(name);
}

function nameOf(runId: string): string {
  return `runbook-${runId.toLowerCase()}`;
}

function wantedControllers({ memoryBytes, processes }: ProcessLimits): readonly string[] {
  return [...(memoryBytes === null ? [] : ['memory']), ...(processes === null ? [] : ['pids'])];
}

interface Group {
  readonly folder: string;
  readonly version: 1 | 2;
  readonly controllers: readonly string[];
}

function makeGroup(version: 1 | 2, controllers: readonly string[], above: string, name: string): Group | string {
  const folder = path.join(above, name);
  try {
    mkdirSync(folder);
  } catch (error) {
    return `no control group may be made below ${above} (${codeOf(error)})`;
  }
  if (version === 1) return { folder, version, controllers };
  // Linux 5.14
  if (existsSync(path.join(folder, 'cgroup.kill')))
    return { folder, version, controllers: words(folder, 'cgroup.controllers') };
  removeFolder(folder);
  return `control groups below ${above} cannot be killed as a whole`;
}

/** Of version 1 each limit is in a tree of its own. */
function makeLimiters(
  hierarchies: readonly Hierarchy[],
  holder: Hierarchy,
  name: string,
  limits: ProcessLimits,
): readonly Group[] {
  const wanted = wantedControllers(limits);
  return hierarchies
    .filter(
      (one) =>
        one.own !== holder.own &&
        one.version === 1 &&
        one.controllers.some((controller) => wanted.includes(controller)),
    )
    .flatMap((one) => {
      const group = makeGroup(1, one.controllers, one.own, name);
      return typeof group === 'string' ? [] : [group];
    });
}

class RunCgroup implements Cgroup {
  readonly folders: readonly string[];
  readonly files: CgroupFiles;
  readonly enforces: ReadonlySet<'memory' | 'processes'>;
  readonly #groups: readonly Group[];

  /** @param added those that the reaper does not know of */
  constructor(groups: readonly Group[], { memoryBytes, processes }: ProcessLimits, added: readonly Group[] = []) {
    this.#groups = groups;
    this.folders = groups.map(({ folder }) => folder);
    this.files = {
      procs: this.folders.map((folder) => path.join(folder, 'cgroup.procs')),
      kill: groups.filter(({ version }) => version === 2).map(({ folder }) => path.join(folder, 'cgroup.kill')),
      added: added.map(({ folder }) => folder),
    };
    this.enforces = new Set([
      ...(memoryBytes !== null && groups.some((group) => limitMemory(group, memoryBytes)) ? ['memory' as const] : []),
      ...(processes !== null && groups.some((group) => limitProcesses(group, processes)) ? ['processes' as const] : []),
    ]);
  }

  hits(): Record<'memory' | 'processes', number> {
    const most = (file: string, key: string): number =>
      Math.max(...this.#groups.map(({ folder }) => counterOf(readText(folder, file), key)));
    return {
      memory: Math.max(most('memory.oom_control', 'oom_kill'), most('memory.events', 'oom_kill')),
      processes: most('pids.events', 'max'),
    };
  }

  members(): readonly number[] {
    const folders = this.folders.flatMap(withBelow);
    return [...new Set(folders.flatMap((folder) => words(folder, 'cgroup.procs').map(Number)))].filter(
      (pid) => pid > 0,
    );
  }

  async empty(): Promise<boolean> {
    const deadline = performance.now() + EMPTYING_MS;
    for (let pause = 1; this.members().length > 0; pause = Math.min(pause * 2, 50)) {
      for (const { folder, version, controllers } of this.#groups) {
        // Nobody is born any more, and then all are killed.
        if (version === 2) tryWrite(folder, 'cgroup.kill', '1');
        else if (controllers.includes('pids')) tryWrite(folder, 'pids.max', '0');
      }
      for (const pid of this.members()) send(pid, 'SIGKILL');
      if (performance.now() > deadline) return false;
      await delay(pause);
    }
    return true;
  }

  async remove(): Promise<readonly string[]> {
    for (const folder of this.folders) current.delete(folder);
    for (const folder of this.folders.flatMap(withBelow).toReversed()) {
      // A process that is just leaving still counts for a moment.
      for (let attempt = 0; attempt < 20 && removeFolder(folder) === 'busy'; attempt += 1) await delay(5);
    }
    return this.folders.filter((folder) => existsSync(folder));
  }
}

function limitMemory({ folder, version, controllers }: Group, bytes: number): boolean {
  if (!controllers.includes('memory')) return false;
  if (version === 1) {
    if (!tryWrite(folder, 'memory.limit_in_bytes', String(bytes))) return false;
    // Only there where swap is counted.
    tryWrite(folder, 'memory.memsw.limit_in_bytes', String(bytes));
    return true;
  }
  tryWrite(folder, 'memory.swap.max', '0');
  // All of them are ended, not the one that the kernel happens to choose.
  tryWrite(folder, 'memory.oom.group', '1');
  return tryWrite(folder, 'memory.max', String(bytes));
}

function limitProcesses({ folder, controllers }: Group, count: number): boolean {
  return controllers.includes('pids') && tryWrite(folder, 'pids.max', String(count));
}
