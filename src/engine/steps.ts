/** The steps of one run, in order, each a process of its own in the same work folder; the first that fails ends the run. */
import { parseOutputs } from '../core/contract.ts';
import { RunbookError } from '../core/errors.ts';
import { messageOf } from '../core/failures.ts';
import type { RunResult, StepResult } from '../core/run.ts';
import type { Runbook, Script, Step } from '../core/runbook.ts';
import { checkValue } from '../core/values.ts';
import { askPerson } from './people.ts';
import { canceled, outputsFile, runScript, SUCCEEDED } from './script.ts';
import type { Deadline, Ended, RunContext } from './script.ts';

export type StepsResult = Pick<
  RunResult,
  'outcome' | 'exitCode' | 'signal' | 'steps' | 'durationMs' | 'survivors' | 'reason'
>;

export async function runSteps(context: RunContext): Promise<StepsResult> {
  const { ports, runbook, plan, draft, emit } = context;
  const { runId } = draft;
  const of = runbook.steps.length;
  const began = ports.clock.monotonicMs();
  const runDeadline = deadlineIn(context, plan.timeoutMs, 'The run');
  const passedOn = new Map<string, string>();
  const steps: StepResult[] = [];
  let last = SUCCEEDED;

  for (const [index, step] of runbook.steps.entries()) {
    if (last.outcome !== 'succeeded') {
      steps.push(skipped(step));
      continue;
    }
    const { name, line } = step;
    const startedAt = ports.clock.now().toISOString();
    const stepBegan = ports.clock.monotonicMs();
    await emit({ type: 'step', runId, step: index, of, name, phase: 'started' });
    last = await runStep(context, step, index, runDeadline, passedOn);
    const { outcome, exitCode, signal, reason } = last;
    const durationMs = Math.round(ports.clock.monotonicMs() - stepBegan);
    const result: StepResult = {
      name,
      line,
      outcome,
      exitCode,
      signal,
      startedAt,
      durationMs,
      ...(reason === null ? {} : { reason }),
    };
    steps.push(result);
    await emit({
      type: 'step',
      runId,
      step: index,
      of,
      name,
      phase: 'finished',
      result,
      ...(step.rollback === undefined ? {} : { rollback: step.rollback }),
    });
  }
  return { ...last, steps, durationMs: Math.round(ports.clock.monotonicMs() - began) };
}

/** How a run ended that we ourselves could not carry on with. */
export function brokenOff(runbook: Runbook, error: unknown): StepsResult {
  const expected = error instanceof RunbookError;
  return {
    outcome: expected ? 'spawn-failed' : 'failed',
    exitCode: expected ? error.exitCode : 70,
    signal: null,
    steps: runbook.steps.map(skipped),
    durationMs: 0,
    survivors: [],
    reason: expected ? error.message : `This is a bug in runbook: ${messageOf(error)}`,
  };
}

function skipped({ name, line }: Step): StepResult {
  return { name, line, outcome: 'skipped', exitCode: null, signal: null, startedAt: null, durationMs: 0 };
}

async function runStep(
  context: RunContext,
  step: Step,
  index: number,
  runDeadline: Deadline | null,
  passedOn: Map<string, string>,
): Promise<Ended> {
  if (context.output.signal.aborted) return canceled(context);
  const refused = await askPerson(context, step, runDeadline, passedOn);
  if (refused !== null) return refused;
  if (step.script === null) return SUCCEEDED;

  const deadline = nearer(runDeadline, deadlineIn(context, step.timeoutMs ?? null, `“${step.name}”`));
  const run = async (script: Script, part: 'script' | 'done-when'): Promise<Ended> =>
    await runScript(context, { step, index, script, part, deadline, passedOn });

  const ran = await run(step.script, 'script');
  if (ran.outcome !== 'succeeded') return ran;
  const failure = await takeOutputs(context, step, index, passedOn);
  if (failure !== null) return { ...ran, outcome: 'failed', exitCode: 1, reason: failure };
  if (step.doneWhen === undefined) return ran;
  const done = await run(step.doneWhen, 'done-when');
  const survivors = [...ran.survivors, ...done.survivors];
  return done.outcome === 'failed'
    ? { ...done, survivors, reason: `“${step.name}” ran, but its “Done when” does not hold.` }
    : { ...done, survivors };
}

/** @returns one sentence when the file is not what the step declares; a value is never in it */
async function takeOutputs(
  { workFolder }: RunContext,
  step: Step,
  index: number,
  passedOn: Map<string, string>,
): Promise<string | null> {
  let text: string;
  try {
    text = await workFolder.readControlFile(outputsFile(index));
  } catch (error) {
    return `“${step.name}”: $RUNBOOK_OUTPUT cannot be read: ${messageOf(error)}.`;
  }
  const { values, errors } = parseOutputs(text, step.outputs);
  const absent = step.outputs.filter((name) => !values.has(name));
  const wrong = [...values]
    .map(([name, value]) => checkValue({ name, type: 'text' }, value))
    .find((reason) => reason !== null);
  if (errors[0] !== undefined) return `“${step.name}”: ${errors[0]}.`;
  if (wrong !== undefined) return `“${step.name}” wrote an output that cannot be passed on: ${wrong}`;
  if (absent.length > 0) return `“${step.name}” did not write its output ${absent.join(', ')} to $RUNBOOK_OUTPUT.`;
  for (const [name, value] of values) passedOn.set(name, value);
  return null;
}

function deadlineIn({ ports }: RunContext, limitMs: number | null, of: string): Deadline | null {
  return limitMs === null ? null : { atMs: ports.clock.monotonicMs() + limitMs, limitMs, of };
}
function nearer(a: Deadline | null, b: Deadline | null): Deadline | null {
  if (a === null || b === null) return a ?? b;
  return a.atMs <= b.atMs ? a : b;
}
