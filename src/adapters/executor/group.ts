/** Process groups by number. Zombies do not count: they hold nothing and only wait for their parent. */
import { readFile, readdir } from 'node:fs/promises';
import { codeOf } from '../../core/failures.ts';
import type { Survivor } from '../../core/run.ts';

/** @returns whether there is (or was, for a signal) anybody in the group */
export function signalGroup(group: number, signal: NodeJS.Signals | 0): boolean {
  if (group <= 1) return false;
  try {
    process.kill(-group, signal);
    return true;
  } catch (error) {
    // EPERM: somebody is there whom we may not signal.
    return codeOf(error) === 'EPERM';
  }
}

/** Living members of a group, from /proc; none where there is no /proc. */
export async function groupMembers(group: number): Promise<readonly Survivor[]> {
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name));
  const found: Survivor[] = [];
  for (const pid of pids) {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
    if (stat === null) continue;
    // proc(5): pid (comm) state ppid pgrp …; comm may hold spaces and parentheses.
    const open = stat.indexOf('(');
    const close = stat.lastIndexOf(')');
    const [state, , pgrp] = stat.slice(close + 2).split(' ');
    if (pgrp === String(group) && state !== 'Z' && state !== 'X')
      found.push({ pid: Number(pid), command: stat.slice(open + 1, close) });
  }
  return found;
}
