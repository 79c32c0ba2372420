/** The ladder of containment: the highest rung that this machine has, or the one that the operator chose. */
import type { Enclosure, EnclosureRequest, Executor } from '../../core/ports.ts';
import { RunbookError } from '../../core/errors.ts';
import { RUNGS } from '../../core/containment.ts';
import type { Rung } from '../../core/containment.ts';
import { emptyLeftCgroups, makeCgroup } from './cgroup.ts';
import { ReaperEnclosure } from './enclosure.ts';
import { createGroupEnclosure } from './process-group.ts';
import { startReaper } from './reaper.ts';
import { awaitReapers } from './reaper-left.ts';
import { INTERPRETERS } from './reaper-program.ts';
import type { ReaperInterpreter } from './reaper-program.ts';
import { sweep } from './sweep.ts';

const CHOSEN = 'chosen by the setting `containment`';

export interface ExecutorOptions {
  /** Between TERM and KILL. */
  readonly stopGraceMs: number;
  /** `auto`, or no higher rung than this one. */
  readonly containment: 'auto' | Rung;
  /** A run on a lower rung is refused; null: any will do. */
  readonly required: Rung | null;
  /** Preferred first. */
  readonly reapers?: readonly ReaperInterpreter[];
  /** Only this version of control groups. */
  readonly cgroupVersion?: 1 | 2;
}

export function createExecutor(options: ExecutorOptions): Executor {
  return {
    open: async (request) => {
      const enclosure = await climb(request, options);
      const { rung, refused } = enclosure.containment;
      if (options.required === null || RUNGS.indexOf(rung) <= RUNGS.indexOf(options.required)) {
        return request.terminal ? await withTerminals(enclosure) : enclosure;
      }
      await enclosure.close();
      throw new RunbookError(
        'unavailable',
        `The containment \`${options.required}\` is required, and this machine gives \`${rung}\`: ${refused.join('; ')}.`,
        {
          fix: 'Make it possible (docs/containment.md says how; `runbook doctor` shows what there is), or require less.',
        },
      );
    },

    endLeftovers: async (runId, containment) => {
      const reapers = await awaitReapers(runId);
      const left = await emptyLeftCgroups(runId, containment?.cgroups ?? []);
      // Who has left the groups, or there are none: found by what each script has in its environment.
      const survivors = await sweep(runId, 0);
      const seen = new Map([...reapers, ...left.survivors, ...survivors].map((one) => [one.pid, one]));
      return { survivors: [...seen.values()], cgroups: left.cgroups };
    },
  };
}

async function withTerminals(enclosure: Enclosure): Promise<Enclosure> {
  try {
    // Loaded only where it is needed: it brings a library for the state of the terminal.
    return (await import('./pseudo-terminal.ts')).withPseudoTerminals(enclosure);
  } catch (error) {
    await enclosure.close();
    throw error;
  }
}

async function climb(request: EnclosureRequest, options: ExecutorOptions): Promise<Enclosure> {
  const { containment, stopGraceMs, reapers = INTERPRETERS } = options;
  if (containment === 'process-group') return createGroupEnclosure(request, [CHOSEN], stopGraceMs);
  const refused: string[] = [];
  const cgroup = containment === 'reaper' ? CHOSEN : makeCgroup(request.runId, request.limits, options.cgroupVersion);
  if (typeof cgroup === 'string') refused.push(cgroup);
  for (const interpreter of reapers) {
    const folders = typeof cgroup === 'string' ? [] : cgroup.folders;
    const reaper = await startReaper(interpreter, request, folders);
    if (typeof reaper !== 'string')
      return new ReaperEnclosure(request, reaper, typeof cgroup === 'string' ? null : cgroup, refused, stopGraceMs);
    refused.push(reaper);
  }
  if (typeof cgroup !== 'string') await cgroup.remove();
  return createGroupEnclosure(request, refused, stopGraceMs);
}
