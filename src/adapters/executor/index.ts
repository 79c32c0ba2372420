/** The ladder of containment: the highest rung that this machine has, or the one that the operator chose. */
import type { Enclosure, EnclosureRequest, Executor } from '../../core/ports.ts';
import { RunbookError } from '../../core/errors.ts';
import { RUNGS } from '../../core/containment.ts';
import type { Containment } from '../../core/containment.ts';
import { adoptCgroup, emptyLeftCgroups, makeCgroup } from './cgroup.ts';
import { ReaperEnclosure } from './enclosure.ts';
import { CHOSEN } from './options.ts';
import type { ExecutorOptions } from './options.ts';
import { createGroupEnclosure } from './process-group.ts';
import { findTerminalProgram } from './programs.ts';
import { startReaper } from './reaper.ts';
import { awaitReapers } from './reaper-left.ts';
import { INTERPRETERS } from './reaper-program.ts';
import { createReadyReapers } from './ready.ts';
import type { ReadyReapers } from './ready.ts';
import { sweep } from './sweep.ts';

export function createExecutor(options: ExecutorOptions): Executor {
  const ready = createReadyReapers(options);
  return {
    prepare: () => {
      ready.prepare();
    },
    close: () => {
      ready.close();
    },
    open: async (request) => {
      const enclosure = (await takeReady(request, ready, options)) ?? (await climb(request, options));
      const tooWeak = whyTooWeak(enclosure.containment, options);
      if (tooWeak === null) return request.terminal ? await withTerminals(enclosure) : enclosure;
      await enclosure.close();
      throw tooWeak;
    },

    foresee: async (request) => {
      const foreseen = (await import('./foresee.ts')).foresee(request, options);
      const tooWeak = whyTooWeak(foreseen.containment, options);
      if (tooWeak !== null) throw tooWeak;
      if (request.terminal) findTerminalProgram();
      return foreseen;
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

function whyTooWeak({ rung, refused }: Containment, { required }: ExecutorOptions): RunbookError | null {
  if (required === null || RUNGS.indexOf(rung) <= RUNGS.indexOf(required)) return null;
  return new RunbookError(
    'unavailable',
    `The containment \`${required}\` is required, and this machine gives \`${rung}\`: ${refused.join('; ')}.`,
    {
      fix: 'Make it possible (docs/containment.md says how; `runbook doctor` shows what there is), or require less.',
    },
  );
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

/** @returns null where nothing is ready that the run could use */
async function takeReady(
  request: EnclosureRequest,
  ready: ReadyReapers,
  { stopGraceMs }: ExecutorOptions,
): Promise<Enclosure | null> {
  // One that wants the terminal has to be given it when it is started.
  const taken = request.terminal ? null : await ready.take();
  if (taken === null) return null;
  const { reaper, group, refused } = taken;
  const cgroup = group === null ? null : adoptCgroup(group, request.limits);
  return new ReaperEnclosure(request, reaper, cgroup, refused, stopGraceMs);
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
