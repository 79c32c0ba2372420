/** What is left to do when nothing holds the processes of a run any more: to look for them. It finds most, and proves nothing. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Survivor } from '../../core/run.ts';
import { membersOf, send } from './processes.ts';

const CLEAN_PASSES = 3;
const MAX_PASSES = 100;

/** Kills until several looks in a row find nobody. @returns who is still there */
export async function sweep(runId: string, group: number): Promise<readonly Survivor[]> {
  let members = membersOf(runId, group);
  for (let pass = 0, clean = 0; pass < MAX_PASSES && clean < CLEAN_PASSES; pass += 1) {
    for (const { pid } of members) send(pid, 'SIGKILL');
    await delay(members.length === 0 ? 2 : 10);
    members = membersOf(runId, group);
    clean = members.length === 0 ? clean + 1 : 0;
  }
  return members;
}
