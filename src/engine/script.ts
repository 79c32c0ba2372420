/** One script of a run: its file, its environment, its process, and how it ended. */
import { contractEnvironment } from '../core/contract.ts';
import { deniedFromAnybody } from '../core/environment-names.ts';
import { selectEnvironment } from '../core/environment.ts';
import type { JobEnd, LoadedDocument, WorkFolder } from '../core/ports.ts';
import { stopReasonOf } from '../core/run.ts';
import type { Outcome, RunEventSink, Survivor } from '../core/run.ts';
import type { Runbook, Script, Step } from '../core/runbook.ts';
import { formatDuration } from '../core/units.ts';
import type { Draft } from './draft.ts';
import type { RunOutputSink } from './output.ts';
import type { EnginePorts } from './ports.ts';
import type { Plan } from './requirements.ts';

/** An accepted run with everything that its scripts need. */
export interface RunContext {
  readonly ports: EnginePorts;
  readonly draft: Draft;
  readonly document: LoadedDocument;
  readonly runbook: Runbook;
  readonly plan: Plan;
  readonly workFolder: WorkFolder;
  readonly output: RunOutputSink;
  readonly emit: RunEventSink;
}

/** How a step, or one of its scripts, ended. */
export interface Ended {
  readonly outcome: Outcome;
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly reason: string | null;
}

/** `atMs` on the monotonic clock; `of` begins the sentence that is said when it passes. */
export interface Deadline {
  readonly atMs: number;
  readonly limitMs: number;
  readonly of: string;
}

export interface ScriptRun {
  readonly step: Step;
  readonly index: number;
  readonly script: Script;
  /** `script` or `done-when` */
  readonly part: string;
  readonly deadline: Deadline | null;
  readonly outputs: ReadonlyMap<string, string>;
  /** Takes the processes that could not be ended. */
  readonly survivors: Survivor[];
}

/** Never throws: the run has begun, so whatever goes wrong is its outcome and is recorded as such. */
export async function runScript(context: RunContext, run: ScriptRun): Promise<Ended> {
  const { ports, plan, workFolder, output, draft } = context;
  const { step, index, script, deadline } = run;
  try {
    const program = plan.interpreters.get(script.interpreter);
    if (program === undefined) throw new TypeError(`no path is known for ${script.interpreter}`);
    const file = await workFolder.controlFile(
      `${String(index + 1)}-${run.part}.${script.interpreter}`,
      `${script.body}\n`,
    );
    const outputFile = await workFolder.controlFile(outputsFile(index), '');
    const end = await ports.executor.execute(
      {
        runId: draft.runId,
        argv: [program, ...script.options, file],
        cwd: workFolder.path,
        env: environmentOf(context, step, outputFile, run.outputs),
        timeoutMs: deadline === null ? null : Math.max(1, Math.round(deadline.atMs - ports.clock.monotonicMs())),
        tty: step.tty,
      },
      output.signal,
      async (stream, chunk) => {
        await output.write(index, stream, chunk);
      },
    );
    run.survivors.push(...end.survivors);
    return ended(context, step, end, deadline);
  } catch (error) {
    return {
      outcome: 'spawn-failed',
      exitCode: null,
      signal: null,
      reason: error instanceof Error ? error.message : String(error),
    };
  }
}

function ended(context: RunContext, step: Step, end: JobEnd, deadline: Deadline | null): Ended {
  switch (end.cause) {
    case 'timed-out': {
      const reason = `${deadline?.of ?? 'The run'} took longer than its limit of ${formatDuration(deadline?.limitMs ?? 0)} and was ended.`;
      return { outcome: 'timed-out', exitCode: null, signal: end.signal, reason };
    }
    case 'canceled':
      return canceled(context);
    case 'spawn-failed':
      return { outcome: 'spawn-failed', exitCode: null, signal: null, reason: end.reason };
    case 'exited': {
      if (end.exitCode === 0) return { outcome: 'succeeded', exitCode: 0, signal: null, reason: null };
      const how = end.signal === null ? `ended with exit code ${String(end.exitCode)}` : `was ended by ${end.signal}`;
      return { outcome: 'failed', exitCode: end.exitCode, signal: end.signal, reason: `“${step.name}” ${how}.` };
    }
  }
}

export function canceled({ output }: RunContext): Ended {
  const { signal } = stopReasonOf(output.signal);
  const reason =
    signal === 'SIGPIPE'
      ? 'Whoever read the output closed it, so the run was ended.'
      : `The run was ended by ${signal}.`;
  return { outcome: 'canceled', exitCode: null, signal, reason };
}

/** File in the control folder that a step writes its outputs to. */
export function outputsFile(index: number): string {
  return `${String(index + 1)}-outputs`;
}

/** Later lines win: the caller's base, what earlier steps passed on, the runbook's variables, and last the contract. */
function environmentOf(
  context: RunContext,
  step: Step,
  outputFile: string,
  outputs: ReadonlyMap<string, string>,
): Record<string, string> {
  const { ports, draft, plan, document, workFolder } = context;
  const { request } = draft;
  const caller = [...selectEnvironment(ports.callerEnvironment, [...ports.baseEnvironment, ...request.passEnv])];
  return {
    ...Object.fromEntries(caller.filter(([name]) => !deniedFromAnybody(name))),
    ...Object.fromEntries(outputs),
    ...Object.fromEntries([...plan.variables].map(([name, { value }]) => [name, value])),
    ...ports.childSettings,
    ...contractEnvironment({
      runId: draft.runId,
      step: step.name,
      outputFile,
      correlationId: draft.correlationId,
      callChain: [...request.callChain, document.fileName],
      token: request.token,
      apiUrl: ports.apiUrl,
      execDirHost: ports.mountDir === null ? workFolder.path : `${ports.mountDir.replace(/\/+$/, '')}/${draft.runId}`,
    }),
  };
}
