/** The ladder of containment, looked at without climbing it: nothing is started, no group is made. */
import type { EnclosureRequest, Foreseen } from '../../core/ports.ts';
import { foreseeCgroup } from './cgroup-foreseen.ts';
import { unenforcedByReaper } from './enclosure.ts';
import { CHOSEN } from './options.ts';
import type { ExecutorOptions } from './options.ts';
import { unenforcedByGroup } from './process-group.ts';
import { INTERPRETERS, reaperCommand } from './reaper-program.ts';

/** As `climb` of index.ts; that a reaper which is installed also starts is only known when it does. */
export function foresee({ limits }: Omit<EnclosureRequest, 'runId'>, options: ExecutorOptions): Foreseen {
  const { containment, reapers = INTERPRETERS } = options;
  const byGroup = (refused: readonly string[]): Foreseen => ({
    containment: { rung: 'process-group', reaper: null, cgroups: [], refused },
    unenforced: unenforcedByGroup(limits),
  });
  if (containment === 'process-group') return byGroup([CHOSEN]);
  const refused: string[] = [];
  const cgroup = containment === 'reaper' ? CHOSEN : foreseeCgroup(limits, options.cgroupVersion);
  if (typeof cgroup === 'string') refused.push(cgroup);
  for (const interpreter of reapers) {
    const command = reaperCommand(interpreter, '', []);
    if (typeof command !== 'string') {
      const rung = typeof cgroup === 'string' ? 'reaper' : 'cgroup';
      return {
        containment: { rung, reaper: interpreter, cgroups: [], refused },
        unenforced: unenforcedByReaper(limits, typeof cgroup === 'string' ? new Set() : cgroup),
      };
    }
    refused.push(command);
  }
  return byGroup(refused);
}
