/** The steps of one run, in order, each a process of its own in the same work folder; the first that fails ends the run. */
import { contractEnvironment, parseOutputs } from '../core/contract.ts';
import { selectEnvironment } from '../core/environment.ts';
import { deniedFromAnybody } from '../core/environment-names.ts';
import type { JobEnd, LoadedDocument, WorkFolder } from '../core/ports.ts';
import type { Outcome, RunEventSink, RunRequest, RunResult, StepResult, StopReason, Survivor } from '../core/run.ts';
import type { Runbook, Script, Step } from '../core/runbook.ts';
import { formatDuration } from '../core/units.ts';
import type { Draft } from './draft.ts';
import type { RunOutputSink } from './output.ts';
import type { EnginePorts } from './ports.ts';
import type { Plan } from './requirements.ts';

export interface RunContext {
  readonly ports: EnginePorts;
  readonly request: RunRequest;
  readonly draft: Draft;
  readonly document: LoadedDocument;
  readonly runbook: Runbook;
  readonly plan: Plan;
  readonly workFolder: WorkFolder;
  readonly output: RunOutputSink;
  readonly emit: RunEventSink;
}

type StepsResult = Pick<RunResult, 'outcome' | 'exitCode' | 'signal' | 'steps' | 'durationMs' | 'survivors' | 'reason'>;

/** How one step, or one of its scripts, ended. */
interface Ended {
  readonly outcome: Outcome;
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly reason: string | null;
}

export async function runSteps(context: RunContext): Promise<StepsResult> {
  const { ports, runbook, draft, emit } = context;
  const beganMs = ports.clock.monotonicMs();
  const deadlineMs = context.plan.timeoutMs === null ? null : beganMs + context.plan.timeoutMs;
  const steps: StepResult[] = [];
  const survivors: Survivor[] = [];
  const passed = new Map<string, string>();
  let last: Ended = { outcome: 'succeeded', exitCode: 0, signal: null, reason: null };

  for (const [index, step] of runbook.steps.entries()) {
    if (last.outcome !== 'succeeded') {
      steps.push({
        name: step.name,
        line: step.line,
        outcome: 'skipped',
        exitCode: null,
        signal: null,
        startedAt: null,
        durationMs: 0,
      });
      continue;
    }
    const stepBeganMs = ports.clock.monotonicMs();
    const startedAt = ports.clock.now().toISOString();
    await emit({
      type: 'step',
      runId: draft.runId,
      step: index,
      of: runbook.steps.length,
      name: step.name,
      phase: 'started',
    });
    last = await runStep(context, step, index, deadlineMs, passed, survivors);
    const result: StepResult = {
      name: step.name,
      line: step.line,
      outcome: last.outcome,
      exitCode: last.exitCode,
      signal: last.signal,
      startedAt,
      durationMs: Math.round(ports.clock.monotonicMs() - stepBeganMs),
      ...(last.reason === null ? {} : { reason: last.reason }),
    };
    steps.push(result);
    await emit({
      type: 'step',
      runId: draft.runId,
      step: index,
      of: runbook.steps.length,
      name: step.name,
      phase: 'finished',
      result,
    });
  }
  return { ...last, steps, survivors, durationMs: Math.round(ports.clock.monotonicMs() - beganMs) };
}

async function runStep(
  context: RunContext,
  step: Step,
  index: number,
  deadlineMs: number | null,
  passed: Map<string, string>,
  survivors: Survivor[],
): Promise<Ended> {
  if (context.output.signal.aborted) return canceled(context);
  const agreed = await askPerson(context, step);
  if (!agreed)
    return { outcome: 'canceled', exitCode: null, signal: 'SIGINT', reason: `“${step.name}” was not confirmed.` };
  if (step.script === null) return { outcome: 'succeeded', exitCode: 0, signal: null, reason: null };

  const stepDeadlineMs = earliest(
    deadlineMs,
    step.timeoutMs === undefined ? null : context.ports.clock.monotonicMs() + step.timeoutMs,
  );
  const run = async (script: Script, part: string): Promise<Ended> =>
    await runScript(context, { step, index, script, part, deadlineMs: stepDeadlineMs, passed, survivors });

  const ran = await run(step.script, 'script');
  if (ran.outcome !== 'succeeded') return ran;
  const failure = await takeOutputs(context, step, index, passed);
  if (failure !== null) return { outcome: 'failed', exitCode: 1, signal: null, reason: failure };
  if (step.doneWhen === undefined) return ran;
  const done = await run(step.doneWhen, 'done-when');
  return done.outcome === 'failed'
    ? { ...done, reason: `“${step.name}” ran, but its “Done when” does not hold.` }
    : done;
}

async function askPerson({ request, plan }: RunContext, step: Step): Promise<boolean> {
  const { interaction } = request;
  if (step.manual !== undefined) return (await interaction?.manual(step, step.manual)) ?? false;
  if (request.assumeYes) return true;
  if (step.confirm !== undefined && !((await interaction?.confirm(step, expand(step.confirm, plan))) ?? false))
    return false;
  if (step.confirmTyping === undefined) return true;
  const expected = plan.variables.get(step.confirmTyping)?.value ?? '';
  return (await interaction?.confirmTyping(step, step.confirmTyping, expected)) ?? false;
}

/** `$NAME` and `${NAME}` of declared variables that are no secrets. */
function expand(text: string, plan: Plan): string {
  return text.replaceAll(
    /\$(?:\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*))/g,
    (whole, braced: string | undefined, bare: string | undefined) => {
      const variable = plan.variables.get(braced ?? bare ?? '');
      return variable === undefined || variable.requirement?.secret === true ? whole : variable.value;
    },
  );
}

interface ScriptRun {
  readonly step: Step;
  readonly index: number;
  readonly script: Script;
  readonly part: string;
  readonly deadlineMs: number | null;
  readonly passed: ReadonlyMap<string, string>;
  readonly survivors: Survivor[];
}

async function runScript(
  context: RunContext,
  { step, index, script, part, deadlineMs, passed, survivors }: ScriptRun,
): Promise<Ended> {
  const { ports, plan, workFolder, output, draft } = context;
  const program = plan.interpreters.get(script.interpreter) ?? '';
  try {
    const file = await workFolder.controlFile(`${String(index + 1)}-${part}.${script.interpreter}`, `${script.body}\n`);
    const outputFile = await workFolder.controlFile(outputName(index), '');
    const remaining = deadlineMs === null ? null : Math.max(1, Math.round(deadlineMs - ports.clock.monotonicMs()));
    const end = await ports.executor.execute(
      {
        runId: draft.runId,
        argv: [program, ...script.options, file],
        cwd: workFolder.path,
        env: environmentOf(context, step, outputFile, passed),
        timeoutMs: remaining,
        tty: step.tty,
      },
      output.signal,
      async (stream, chunk) => {
        await output.write(index, stream, chunk);
      },
    );
    survivors.push(...end.survivors);
    return ended(context, step, end, remaining);
  } catch (error) {
    // Also here the run has begun: whatever goes wrong is its outcome, and is recorded as such.
    return {
      outcome: 'spawn-failed',
      exitCode: null,
      signal: null,
      reason: error instanceof Error ? error.message : String(error),
    };
  }
}

function ended(context: RunContext, step: Step, end: JobEnd, timeoutMs: number | null): Ended {
  switch (end.cause) {
    case 'timed-out':
      return {
        outcome: 'timed-out',
        exitCode: null,
        signal: end.signal,
        reason: `“${step.name}” ran longer than ${formatDuration(timeoutMs ?? 0)} and was ended.`,
      };
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

function canceled(context: RunContext): Ended {
  const reason = context.output.signal.reason as StopReason | undefined;
  const signal = reason?.signal ?? 'SIGINT';
  return {
    outcome: 'canceled',
    exitCode: null,
    signal,
    reason:
      signal === 'SIGPIPE'
        ? 'Whoever read the output closed it, so the run was ended.'
        : `The run was ended by ${signal}.`,
  };
}

function environmentOf(
  context: RunContext,
  step: Step,
  outputFile: string,
  passed: ReadonlyMap<string, string>,
): Record<string, string> {
  const { ports, request, draft, plan, document, workFolder } = context;
  const values = [...plan.variables].map(([name, { value }]) => [name, value] as const);
  return {
    ...Object.fromEntries(selectEnvironment(ports.callerEnvironment, ports.baseEnvironment)),
    ...Object.fromEntries(
      [...selectEnvironment(ports.callerEnvironment, request.passEnv)].filter(([name]) => !deniedFromAnybody(name)),
    ),
    ...Object.fromEntries(passed),
    ...Object.fromEntries(values),
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

function outputName(index: number): string {
  return `${String(index + 1)}-outputs`;
}

/** @returns one sentence when the file is not what the step declares */
async function takeOutputs(
  { workFolder }: RunContext,
  step: Step,
  index: number,
  passed: Map<string, string>,
): Promise<string | null> {
  const { values, errors } = parseOutputs(await workFolder.readControlFile(outputName(index)), step.outputs);
  const absent = step.outputs.filter((name) => !values.has(name));
  if (errors[0] !== undefined) return `“${step.name}”: ${errors[0]}.`;
  if (absent.length > 0) return `“${step.name}” did not write its output ${absent.join(', ')} to $RUNBOOK_OUTPUT.`;
  for (const [name, value] of values) passed.set(name, value);
  return null;
}

function earliest(a: number | null, b: number | null): number | null {
  return a === null ? b : b === null ? a : Math.min(a, b);
}
