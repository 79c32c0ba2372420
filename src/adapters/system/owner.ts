/** Who is responsible for a run on this machine: enough to tell later, without doubt, that it is dead. */
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import type { RunOwner } from '../../core/run.ts';

export function currentOwner(): RunOwner {
  return {
    bootId: orEmpty(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()),
    pidNamespace: orEmpty(() => readlinkSync('/proc/self/ns/pid')),
    pid: process.pid,
    startTime: startTimeOf('self'),
    host: hostname(),
  };
}

/**
 * Whether the process behind a run may still be there. Only what is certain counts as dead: another boot of this host, or
 * no process with that number and start time in our own PID namespace. Other hosts and containers cannot be judged.
 */
export function mayBeAlive(owner: RunOwner): boolean {
  const here = currentOwner();
  if (owner.host !== here.host || here.bootId === '') return true;
  if (owner.bootId !== here.bootId) return false;
  return owner.pidNamespace !== here.pidNamespace || startTimeOf(String(owner.pid)) === owner.startTime;
}

/** proc(5): field 22 counted from 1, in clock ticks after boot; the fields behind `(comm)` begin with field 3. Empty: gone. */
function startTimeOf(pid: string): string {
  return orEmpty(() => {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  });
}

function orEmpty(read: () => string): string {
  try {
    return read();
  } catch {
    return '';
  }
}
