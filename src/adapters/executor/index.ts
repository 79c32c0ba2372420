/** The ladder of containment: the highest rung that this machine has, or the one that the operator chose. */
import type { Enclosure, EnclosureRequest, Executor } from '../../core/ports.ts';
import { RunbookError } from '../../core/errors.ts';
import { RUNGS } from '../../core/containment.ts';
import type { Rung } from '../../core/containment.ts';
import { makeCgroup } from './cgroup.ts';
import { ReaperEnclosure } from './enclosure.ts';
import { createGroupEnclosure } from './process-group.ts';
import { startReaper } from './reaper.ts';
import type { Reaper } from './reaper.ts';
import { INTERPRETERS } from './reaper-program.ts';
import type { ReaperInterpreter } from './reaper-program.ts';

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
  const highest = containment === 'auto' ? 'cgroup' : containment;
  const refused: string[] = [];
  if (highest === 'process-group')
    return createGroupEnclosure(request, ['chosen by the setting `containment`'], stopGraceMs);
  const reaper = await firstReaper(request, reapers, refused);
  if (reaper === null) return createGroupEnclosure(request, refused, stopGraceMs);
  if (highest === 'reaper') {
    return new ReaperEnclosure(request, reaper, null, [...refused, 'chosen by the setting `containment`'], stopGraceMs);
  }
  const cgroup = makeCgroup(request.runId, request.limits, options.cgroupVersion);
  if (typeof cgroup === 'string') return new ReaperEnclosure(request, reaper, null, [...refused, cgroup], stopGraceMs);
  return new ReaperEnclosure(request, reaper, cgroup, refused, stopGraceMs);
}

async function firstReaper(
  { runId, terminal }: EnclosureRequest,
  interpreters: readonly ReaperInterpreter[],
  refused: string[],
): Promise<Reaper | null> {
  for (const interpreter of interpreters) {
    const reaper = await startReaper(interpreter, runId, terminal);
    if (typeof reaper !== 'string') return reaper;
    refused.push(reaper);
  }
  return null;
}
