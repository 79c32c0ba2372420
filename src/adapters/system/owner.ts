/** Who is responsible for a run on this machine: enough to tell later, without doubt, that it is dead. */
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { codeOf } from '../../core/failures.ts';
import type { Owners } from '../../core/ports.ts';
import type { RunOwner } from '../../core/run.ts';

function currentOwner(): RunOwner {
  return {
    bootId: orEmpty(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()),
    pidNamespace: orEmpty(() => readlinkSync('/proc/self/ns/pid')),
    pid: process.pid,
    startTime: startTimeOf('self') ?? '',
    host: hostname(),
  };
}

/** Of the machine that this process runs on. */
export function createOwners(): Owners {
  const current = currentOwner();
  return { current, whyGone: (owner, leaseUntil, now) => whyGone(current, owner, leaseUntil, now) };
}

/**
 * The same boot id is the same kernel, whatever the host is called (containers have names of their own). Only what is
 * certain counts as dead; a process that cannot be looked at from here is alive while its lease lasts.
 */
function whyGone(here: RunOwner, owner: RunOwner, leaseUntil: string | null, now: Date): string | null {
  const isSameKernel = owner.bootId === here.bootId && here.bootId !== '';
  if (isSameKernel && owner.pidNamespace === here.pidNamespace) {
    const startTime = startTimeOf(String(owner.pid));
    return startTime === null || startTime === owner.startTime
      ? null
      : `Its process (${owner.pid} on ${owner.host}) is gone.`;
  }
  if (!isSameKernel && owner.host === here.host && here.bootId !== '')
    return `${owner.host} was started again since it began.`;
  if (leaseUntil === null || Date.parse(leaseUntil) > now.getTime()) return null;
  return `Nothing was heard since ${leaseUntil} from its process (${owner.pid} on ${owner.host}).`;
}

/**
 * proc(5): field 22 counted from 1, in clock ticks after boot; the fields behind `(comm)` begin with field 3, the state.
 * Empty: gone, also where only its parent has not noticed yet (in a container that may be never). Null: not known.
 */
export function startTimeOf(pid: string): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [state = '', ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return /[ZX]/.test(state) ? '' : (fields[18] ?? '');
  } catch (error) {
    // Only these say that there is no such process; without a descriptor left, say, nothing is known.
    return ['ENOENT', 'ESRCH'].includes(codeOf(error)) ? '' : null;
  }
}

function orEmpty(read: () => string): string {
  try {
    return read();
  } catch {
    return '';
  }
}
