/** Whether a control group could be made for a run, by permissions and by what the groups around us offer. */
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { release } from 'node:os';
import path from 'node:path';
import { codeOf } from '../../core/failures.ts';
import type { ProcessLimits } from '../../core/ports.ts';
import type { Cgroup } from './cgroup.ts';
import { findHolders } from './cgroup.ts';
import { findHierarchies } from './cgroup-mounts.ts';
import type { Hierarchy } from './cgroup-mounts.ts';

/** @returns the limits that it would hold; one sentence where none could be made that can also be emptied */
export function foreseeCgroup({ memoryBytes, processes }: ProcessLimits, version?: 1 | 2): Cgroup['enforces'] | string {
  const hierarchies = findHierarchies();
  let refusal = 'this system has no control groups that can be emptied';
  for (const holder of findHolders(hierarchies, version)) {
    const reason = whyNot(holder);
    if (reason !== null) {
      refusal = reason;
      continue;
    }
    const others = hierarchies.filter((one) => one !== holder && one.version === 1 && whyNot(one) === null);
    const controllers = new Set([holder, ...others].flatMap(controllersBelow));
    return new Set([
      ...(memoryBytes !== null && controllers.has('memory') ? ['memory' as const] : []),
      ...(processes !== null && controllers.has('pids') ? ['processes' as const] : []),
    ]);
  }
  return refusal;
}

/** @returns one sentence where no group can be made there that can also be emptied */
export function whyNot({ version, own }: Hierarchy): string | null {
  try {
    accessSync(own, constants.W_OK | constants.X_OK);
  } catch (error) {
    return `no control group may be made below ${own} (${codeOf(error)})`;
  }
  return version === 1 || canBeKilled(own) ? null : `control groups below ${own} cannot be killed as a whole`;
}

/** Linux 5.14. The root of the tree has no such file itself, though the groups below it have. */
function canBeKilled(own: string): boolean {
  if (existsSync(path.join(own, 'cgroup.kill'))) return true;
  const [major = 0, minor = 0] = release().split('.').map(Number);
  return !existsSync(path.join(own, 'cgroup.events')) && (major > 5 || (major === 5 && minor >= 14));
}

/** What a group that is made there has. */
function controllersBelow({ version, controllers, own }: Hierarchy): readonly string[] {
  if (version === 1) return controllers;
  try {
    return readFileSync(path.join(own, 'cgroup.subtree_control'), 'utf8').split(/\s+/);
  } catch {
    return [];
  }
}
