/** Who is responsible for a run on this machine: enough to tell later, without doubt, that it is dead. */
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import type { RunOwner } from '../../core/run.ts';

export function currentOwner(): RunOwner {
  const orEmpty = (read: () => string): string => {
    try {
      return read();
    } catch {
      return '';
    }
  };
  return {
    bootId: orEmpty(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()),
    pidNamespace: orEmpty(() => readlinkSync('/proc/self/ns/pid')),
    pid: process.pid,
    startTime: orEmpty(() => {
      const stat = readFileSync('/proc/self/stat', 'utf8');
      // proc(5): field 22 counted from 1; the fields after `(comm)` begin with field 3.
      return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
    }),
    host: hostname(),
  };
}
