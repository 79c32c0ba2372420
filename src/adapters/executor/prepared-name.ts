/**
 * What is prepared for runs before they are known bears the name of the process that prepares it: PID namespace, pid and start time,
 * so that others can tell without doubt that nobody will use it any more.
 */
import { readlinkSync } from 'node:fs';
import { startTimeOf } from '../system/owner.ts';

const PREFIX = 'runbook-of-';

/** `4026531836-4711-123456` of this process; null where it cannot be told. */
export function ownMark(): string | null {
  const namespace = ownNamespace();
  const startTime = startTimeOf('self');
  return namespace === null || startTime === null || startTime === ''
    ? null
    : `${namespace}-${process.pid}-${startTime}`;
}

/** Of a control group. @param number of this process's groups */
export function preparedName(mark: string, number: number): string {
  return `${PREFIX}${mark}-${number}`;
}

/** Whether a control group was prepared by a process that is gone. */
export function isOrphaned(name: string): boolean {
  return name.startsWith(PREFIX) && isOrphanedMark(name.slice(PREFIX.length, name.lastIndexOf('-')));
}

/** Of another PID namespace nothing can be told. */
export function isOrphanedMark(mark: string): boolean {
  const [namespace, pid, startTime, ...more] = mark.split('-');
  if (more.length > 0 || pid === undefined || startTime === undefined || startTime === '') return false;
  if (namespace !== ownNamespace() || !Number.isSafeInteger(Number(pid))) return false;
  const now = startTimeOf(pid);
  return now !== null && now !== startTime;
}

/** The number in `pid:[4026531836]`. */
function ownNamespace(): string | null {
  try {
    const link = readlinkSync('/proc/self/ns/pid');
    return link.slice(link.indexOf('[') + 1, -1);
  } catch {
    return null;
  }
}
