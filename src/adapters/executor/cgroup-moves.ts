/** How soon a process enters a control group. */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import path from 'node:path';

/**
 * Makes the next move of a process into any control group a fast one ([ADR 61](../../../docs/adr/0061-moves-into-groups.md)):
 * the first for a while takes 10 to 20 ms, which pass while the reaper still starts. This process enters the group that it
 * is in, which changes nothing.
 * @param own folder of that group
 * @returns when it is done; never rejects, since nothing depends on it
 */
export async function hastenMoves(own: string): Promise<void> {
  try {
    // Only what is there: nothing is made.
    const procs = await open(path.join(own, 'cgroup.procs'), constants.O_WRONLY);
    try {
      // 0 stands for who writes it (cgroups(7)).
      await procs.write('0');
    } finally {
      await procs.close();
    }
  } catch {
    // Then the script enters its group a little later.
  }
}
