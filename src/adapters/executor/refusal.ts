/** A job that could not be started, in one sentence. Never a variable's value: only the system's code is told. */
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import type { Job } from '../../core/ports.ts';
import type { JobRefused } from './reaper.ts';

export function refusal({ what, errno }: Pick<JobRefused, 'what' | 'errno'>, job: Job): string {
  return refusalByCode(what, errorName(errno), job);
}

/** `what` as in `libexec/reaper.pl`; `code` like `ENOENT`. */
export function refusalByCode(what: string, code: string, job: Job): string {
  if (code === 'E2BIG') return 'The variables and arguments together are larger than the system takes (E2BIG).';
  if (what === 'chdir' || !existsSync(job.cwd))
    return `The work folder is gone; an earlier step may have removed it (${code}).`;
  if (what === 'cgroup') return `The script could not enter the control group that holds its limits (${code}).`;
  if (what === 'limit') return `The limits of the script could not be set (${code}).`;
  return `${job.argv[0] ?? ''} could not be started (${code === '' ? 'unknown error' : code}).`;
}

function errorName(errno: number): string {
  return Object.entries(constants.errno).find(([, number]) => number === errno)?.[0] ?? `errno ${errno}`;
}

/** `SIGTERM` of 15; null of 0. */
export function signalName(number: number): string | null {
  return (
    Object.entries(constants.signals).find(([, one]) => one === number)?.[0] ?? (number === 0 ? null : `SIG${number}`)
  );
}
