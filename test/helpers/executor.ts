/** A script carried out by the executor alone, on the rung that a test names; nothing of it may be left. */
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { makeCgroup } from '../../src/adapters/executor/cgroup.ts';
import { createExecutor } from '../../src/adapters/executor/index.ts';
import type { ExecutorOptions } from '../../src/adapters/executor/options.ts';
import type { Containment, ContainmentProof } from '../../src/core/containment.ts';
import type { Enclosure, Job, JobEnd, ProcessLimits, StopSignals } from '../../src/core/ports.ts';

export const NO_LIMITS: ProcessLimits = { memoryBytes: null, processes: null, fileBytes: null, openFiles: null };
const GRACE_MS = 500;
const COMMON = { stopGraceMs: GRACE_MS, required: null, reapers: ['perl'] } as const;

/** Whether this machine lets us make one. */
async function hasCgroup(version: 1 | 2): Promise<boolean> {
  const made = makeCgroup(`probe-${version}-${process.pid}`, NO_LIMITS, version);
  if (typeof made !== 'string') await made.remove();
  return typeof made !== 'string';
}

const ALL: readonly (readonly [string, boolean, ExecutorOptions])[] = [
  ['cgroup, version 1', await hasCgroup(1), { ...COMMON, containment: 'auto', cgroupVersion: 1 }],
  ['cgroup, version 2', await hasCgroup(2), { ...COMMON, containment: 'auto', cgroupVersion: 2 }],
  ['reaper, perl', existsSync('/usr/bin/perl'), { ...COMMON, containment: 'reaper' }],
  ['cgroup, version 1, ready', await hasCgroup(1), { ...COMMON, containment: 'auto', cgroupVersion: 1, ready: 1 }],
  ['cgroup, version 2, ready', await hasCgroup(2), { ...COMMON, containment: 'auto', cgroupVersion: 2, ready: 1 }],
  ['reaper, perl, ready', existsSync('/usr/bin/perl'), { ...COMMON, containment: 'reaper', ready: 1 }],
  ['reaper, python3', existsSync('/usr/bin/python3'), { ...COMMON, containment: 'reaper', reapers: ['python3'] }],
  ['process-group', true, { ...COMMON, containment: 'process-group' }],
];

/** Those that exist here. */
export const RUNG_OPTIONS: readonly (readonly [name: string, options: ExecutorOptions])[] = ALL.flatMap(
  ([name, isThere, options]) => (isThere ? [[name, options] as const] : []),
);

/** Gives what is done a folder of its own, so that many tests can go on at once. */
export function inFolder<T>(work: (folder: string) => Promise<T>): () => Promise<T> {
  return async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'runbook-executor-'));
    try {
      return await work(folder);
    } finally {
      await rm(folder, { recursive: true });
    }
  };
}

export interface Ran {
  readonly end: JobEnd;
  readonly stdout: string;
  readonly stderr: string;
  readonly containment: Containment;
  readonly unenforced: Enclosure['unenforced'];
  readonly proof: ContainmentProof;
}

export type Wish = Partial<Job> & { readonly limits?: Partial<ProcessLimits> };
export type Disturbance = Partial<StopSignals> & { readonly onChunk?: () => Promise<void> };

const never = new AbortController().signal;

export async function runIn(
  folder: string,
  options: ExecutorOptions,
  script: string,
  { limits, ...more }: Wish = {},
  { stop = never, force = never, onChunk }: Disturbance = {},
): Promise<Ran> {
  const runId = `TEST${process.pid}${Math.random().toString(36).slice(2, 10)}`;
  const executor = createExecutor(options);
  if (options.ready !== undefined) executor.prepare();
  const enclosure = await executor.open({ runId, limits: { ...NO_LIMITS, ...limits }, terminal: false });
  const parts: Record<'stdout' | 'stderr', Buffer[]> = { stdout: [], stderr: [] };
  const job: Job = {
    runId,
    argv: ['/bin/bash', '-c', script],
    cwd: folder,
    env: { PATH: process.env['PATH'] ?? '', RUNBOOK_RUN_ID: runId },
    timeoutMs: null,
    tty: false,
    ...more,
  };
  const end = await enclosure.execute(job, { stop, force }, async (stream, chunk) => {
    parts[stream].push(chunk);
    await onChunk?.();
  });
  const proof = await enclosure.close();
  executor.close();
  const { containment, unenforced } = enclosure;
  const left = containment.cgroups.find((cgroup) => existsSync(cgroup));
  if (left !== undefined) throw new Error(`${left} is still there`);
  const text = (stream: 'stdout' | 'stderr'): string => Buffer.concat(parts[stream]).toString();
  return { end, stdout: text('stdout'), stderr: text('stderr'), containment, unenforced, proof };
}

/** Whether the process whose pid is in the file is still there (and is no zombie). */
export function isAlive(file: string): boolean {
  const pid = readFileSync(file, 'utf8').trim();
  try {
    return !/^\d+ \(.*\) [ZX]/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
