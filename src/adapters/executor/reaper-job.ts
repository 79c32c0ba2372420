/** The form of a job on its way to the reaper: fields that end in NUL, each with a letter before it (`libexec/reaper.pl`). */
import type { Job, ProcessLimits } from '../../core/ports.ts';

/** Numbers of resources, Linux (`asm-generic/resource.h`). */
const RLIMIT = { fileSize: 1, core: 4, openFiles: 7 } as const;

/** Files of the cgroups that the script is to enter. */
export interface CgroupFiles {
  readonly procs: readonly string[];
  /** `cgroup.kill` of version 2. */
  readonly kill: readonly string[];
  /** Folders that the reaper does not know yet, to be removed by it when the runner is dead. */
  readonly added?: readonly string[];
}

/** @throws TypeError for a NUL: nothing that could be an argument or a variable has one */
export function encodeJob(job: Job, limits: ProcessLimits, cgroup: CgroupFiles): Buffer {
  const fields = [
    `d${job.cwd}`,
    ...job.argv.map((argument) => `a${argument}`),
    ...Object.entries(job.env).map(([name, value]) => `e${name}=${value}`),
    ...cgroup.procs.map((file) => `c${file}`),
    ...cgroup.kill.map((file) => `k${file}`),
    ...(cgroup.added ?? []).map((folder) => `g${folder}`),
    ...resourceLimits(limits).map((limit) => `l${limit}`),
    ...(job.tty ? ['t'] : []),
  ];
  if (fields.some((field) => field.includes('\0'))) throw new TypeError('a job holds a NUL');
  const payload = Buffer.from(fields.map((field) => `${field}\0`).join(''));
  return Buffer.concat([Buffer.from(`J${payload.length}\n`), payload]);
}

/** `resource:soft:hard`. A core file would hold the secrets of the script; its soft limit alone is enough against an accident. */
function resourceLimits({ fileBytes, openFiles }: ProcessLimits): readonly string[] {
  return [
    `${RLIMIT.core}:0:-`,
    ...(fileBytes === null ? [] : [`${RLIMIT.fileSize}:${fileBytes}:${fileBytes}`]),
    ...(openFiles === null ? [] : [`${RLIMIT.openFiles}:${openFiles}:${openFiles}`]),
  ];
}
