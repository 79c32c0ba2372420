/** The steps of one run, in order, each a process of its own in the same work folder; the first that fails ends the run. */
import { parseOutputs } from '../core/contract.ts';
import type { RunResult, StepResult, Survivor } from '../core/run.ts';
import { looksSecret } from '../core/runbook.ts';
import type { Script, Step } from '../core/runbook.ts';
import { canceled, outputsFile, runScript } from './script.ts';
import type { Deadline, Ended, RunContext } from './script.ts';

type StepsResult = Pick<RunResult, 'outcome' | 'exitCode' | 'signal' | 'steps' | 'durationMs' | 'survivors' | 'reason'>;

/** What earlier steps leave for later ones. */
interface Carried {
  /** Values of declared outputs. */
  readonly outputs: Map<string, string>;
  readonly survivors: Survivor[];
}

export async function runSteps(context: RunContext): Promise<StepsResult> {
  const { ports, runbook, plan, draft, emit } = context;
  const { runId } = draft;
  const began = ports.clock.monotonicMs();
  const runDeadline =
    plan.timeoutMs === null ? null : { atMs: began + plan.timeoutMs, limitMs: plan.timeoutMs, of: 'The run' };
  const carried: Carried = { outputs: new Map(), survivors: [] };
  const steps: StepResult[] = [];
  let last: Ended = { outcome: 'succeeded', exitCode: 0, signal: null, reason: null };

  for (const [index, step] of runbook.steps.entries()) {
    const { name, line } = step;
    if (last.outcome !== 'succeeded') {
      steps.push({ name, line, outcome: 'skipped', exitCode: null, signal: null, startedAt: null, durationMs: 0 });
      continue;
    }
    const startedAt = ports.clock.now().toISOString();
    const stepBegan = ports.clock.monotonicMs();
    await emit({ type: 'step', runId, step: index, of: runbook.steps.length, name, phase: 'started' });
    last = await runStep(context, step, index, runDeadline, carried);
    const { reason, ...how } = last;
    const durationMs = Math.round(ports.clock.monotonicMs() - stepBegan);
    const result = { name, line, ...how, startedAt, durationMs, ...(reason === null ? {} : { reason }) };
    steps.push(result);
    await emit({ type: 'step', runId, step: index, of: runbook.steps.length, name, phase: 'finished', result });
  }
  return { ...last, steps, survivors: carried.survivors, durationMs: Math.round(ports.clock.monotonicMs() - began) };
}

async function runStep(
  context: RunContext,
  step: Step,
  index: number,
  runDeadline: Deadline | null,
  carried: Carried,
): Promise<Ended> {
  if (context.output.signal.aborted) return canceled(context);
  if (!(await askPerson(context, step, carried.outputs))) {
    return { outcome: 'canceled', exitCode: null, signal: 'SIGINT', reason: `“${step.name}” was not confirmed.` };
  }
  if (step.script === null) return { outcome: 'succeeded', exitCode: 0, signal: null, reason: null };

  const deadline = nearer(runDeadline, stepDeadline(context, step));
  const run = async (script: Script, part: string): Promise<Ended> =>
    await runScript(context, {
      step,
      index,
      script,
      part,
      deadline,
      outputs: carried.outputs,
      survivors: carried.survivors,
    });

  const ran = await run(step.script, 'script');
  if (ran.outcome !== 'succeeded') return ran;
  const failure = await takeOutputs(context, step, index, carried.outputs);
  if (failure !== null) return { outcome: 'failed', exitCode: 1, signal: null, reason: failure };
  if (step.doneWhen === undefined) return ran;
  const done = await run(step.doneWhen, 'done-when');
  return done.outcome === 'failed'
    ? { ...done, reason: `“${step.name}” ran, but its “Done when” does not hold.` }
    : done;
}

async function askPerson(
  { draft, plan }: RunContext,
  step: Step,
  outputs: ReadonlyMap<string, string>,
): Promise<boolean> {
  const { interaction, assumeYes } = draft.request;
  if (step.manual !== undefined) return (await interaction?.manual(step, step.manual)) ?? false;
  if (assumeYes) return true;
  // Nothing that may be a secret is put into a question.
  const visible = new Map([
    ...[...outputs].filter(([name]) => !looksSecret(name)),
    ...[...plan.variables].flatMap(([name, { value, requirement }]) =>
      requirement?.secret === false ? [[name, value] as const] : [],
    ),
  ]);
  if (step.confirm !== undefined) {
    const text = step.confirm.replaceAll(
      VARIABLE,
      (whole, braced: string | undefined, bare: string | undefined) => visible.get(braced ?? bare ?? '') ?? whole,
    );
    if (!((await interaction?.confirm(step, text)) ?? false)) return false;
  }
  if (step.confirmTyping === undefined) return true;
  const expected = plan.variables.get(step.confirmTyping)?.value ?? '';
  return (await interaction?.confirmTyping(step, step.confirmTyping, expected)) ?? false;
}
/** `$NAME` and `${NAME}` */
const VARIABLE = /\$(?:\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*))/g;

/** @returns one sentence when the file is not what the step declares */
async function takeOutputs(
  { workFolder }: RunContext,
  step: Step,
  index: number,
  outputs: Map<string, string>,
): Promise<string | null> {
  const { values, errors } = parseOutputs(await workFolder.readControlFile(outputsFile(index)), step.outputs);
  const absent = step.outputs.filter((name) => !values.has(name));
  if (errors[0] !== undefined) return `“${step.name}”: ${errors[0]}.`;
  if (absent.length > 0) return `“${step.name}” did not write its output ${absent.join(', ')} to $RUNBOOK_OUTPUT.`;
  for (const [name, value] of values) outputs.set(name, value);
  return null;
}

function stepDeadline({ ports }: RunContext, step: Step): Deadline | null {
  const limitMs = step.timeoutMs;
  return limitMs === undefined ? null : { atMs: ports.clock.monotonicMs() + limitMs, limitMs, of: `“${step.name}”` };
}
function nearer(a: Deadline | null, b: Deadline | null): Deadline | null {
  if (a === null || b === null) return a ?? b;
  return a.atMs <= b.atMs ? a : b;
}
