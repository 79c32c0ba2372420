/** The steps of one run, in order, each a process of its own in the same work folder; the first that fails ends the run. */
import { RunbookError } from '../core/errors.ts';
import { messageOf } from '../core/failures.ts';
import { ALREADY_DONE } from '../core/run.ts';
import type { ConfirmedBy, Rollback, RunResult, StepResult } from '../core/run.ts';
import { looksSecret } from '../core/runbook.ts';
import type { Runbook, Script, Step } from '../core/runbook.ts';
import { notify } from './notices.ts';
import { askPerson } from './people.ts';
import { canceled, runScript, SUCCEEDED } from './script.ts';
import type { Deadline, Ended, RunContext } from './script.ts';
import { maskStep } from './secrets.ts';
import { valuesFor } from './visible.ts';
import { missingOutputs, takeOutputs } from './step-outputs.ts';

export type StepsResult = Pick<
  RunResult,
  'outcome' | 'exitCode' | 'signal' | 'steps' | 'durationMs' | 'survivors' | 'reason'
>;

/** What is known of the steps at any time, for who has to tell of a run that broke off. */
export interface KnownSteps {
  /** Of those that are over, in order. */
  readonly ended: StepResult[];
  /** When the one behind them began (ISO 8601); null before that. */
  begunAt: string | null;
}

/** @param passedOn what is known of the outputs of steps before; what the steps pass on is added to it */
export async function runSteps(
  context: RunContext,
  passedOn: Map<string, string>,
  known: KnownSteps,
): Promise<StepsResult> {
  const { ports, runbook, plan, draft, emit } = context;
  const { runId } = draft;
  const of = runbook.steps.length;
  const began = ports.clock.monotonicMs();
  const runDeadline = deadlineIn(context, plan.timeoutMs, 'The run');
  const steps = known.ended;
  await notify(draft, emit, 'warning', [missingOutputs(runbook.steps.slice(0, plan.steps.first), passedOn)]);
  const survivors: StepsResult['survivors'][number][] = [];
  let last = SUCCEEDED;

  for (const [index, step] of runbook.steps.entries()) {
    const { name, line } = step;
    const unkept = step.outputs.filter(looksSecret);
    const finish = async (result: StepResult, hasBegun: boolean): Promise<void> => {
      const rollback: { readonly rollback?: Rollback } =
        hasBegun && step.rollback !== undefined
          ? { rollback: { script: step.rollback, values: valuesFor(step.rollback, plan, passedOn) } }
          : {};
      await emit({ type: 'step', runId, step: index, of, name, phase: 'finished', result, unkept, ...rollback });
    };
    const unasked = whyNotAsked(context, index);
    if (unasked !== null || last.outcome !== 'succeeded') {
      const result = skipped(step, unasked);
      steps.push(result);
      // What an earlier run has begun is still to be taken back when this one fails, too.
      const wasBegun = plan.steps.chosen?.kind === 'from' && index < plan.steps.first;
      if (wasBegun) await finish(result, true);
      continue;
    }
    const startedAt = (known.begunAt = ports.clock.now().toISOString());
    const stepBegan = ports.clock.monotonicMs();
    const start = { tty: step.tty, timeoutMs: step.timeoutMs ?? null, runTimeoutMs: plan.timeoutMs };
    await emit({ type: 'step', runId, step: index, of, name, phase: 'started', start });
    const note = async (): Promise<void> => {
      const ended = steps.map((one) => maskStep(draft.masker, one));
      await context.lease.reached({ step: index, of, name, at: startedAt, ended });
    };
    await note();
    const end = await runStep(context, step, index, runDeadline, passedOn);
    last = end.ended;
    survivors.push(...last.survivors);
    const { outcome, exitCode, signal, reason } = last;
    const durationMs = Math.round(ports.clock.monotonicMs() - stepBegan);
    const result: StepResult = end.isDone
      ? { ...skipped(step, ALREADY_DONE), durationMs }
      : {
          name,
          line,
          outcome,
          exitCode,
          signal,
          startedAt,
          durationMs,
          ...(reason === null ? {} : { reason }),
          ...(end.confirmedBy === null ? {} : { confirmedBy: end.confirmedBy }),
        };
    steps.push(result);
    known.begunAt = null;
    await note();
    await finish(result, end.hasBegun);
  }
  return { ...last, survivors, steps, durationMs: Math.round(ports.clock.monotonicMs() - began) };
}

/** How a run ended that we ourselves could not carry on with. What is known of its steps stays. */
export function brokenOff(runbook: Runbook, error: unknown, { ended, begunAt }: KnownSteps): StepsResult {
  const expected = error instanceof RunbookError;
  const reason = expected ? error.message : `This is a bug in runbook: ${messageOf(error)}`;
  const end = {
    outcome: expected ? ('spawn-failed' as const) : ('failed' as const),
    exitCode: expected ? error.exitCode : 70,
    signal: null,
  };
  const [next, ...rest] = runbook.steps.slice(ended.length);
  const steps = [...ended];
  if (next !== undefined)
    steps.push(
      begunAt === null
        ? skipped(next, null)
        : { name: next.name, line: next.line, ...end, startedAt: begunAt, durationMs: 0, reason },
    );
  steps.push(...rest.map((step) => skipped(step, null)));
  return { ...end, steps, durationMs: 0, survivors: [], reason };
}

/** @param reason null: an earlier step did not succeed */
function skipped({ name, line }: Step, reason: string | null): StepResult {
  const facts = { outcome: 'skipped', exitCode: null, signal: null, startedAt: null, durationMs: 0 } as const;
  return { name, line, ...facts, ...(reason === null ? {} : { reason }) };
}

function whyNotAsked({ plan }: RunContext, index: number): string | null {
  const { first, last, chosen } = plan.steps;
  if (chosen === null || (index >= first && index <= last)) return null;
  return chosen.kind === 'from' ? `before “${chosen.step}”` : `only “${chosen.step}” was asked for`;
}

interface StepEnd {
  readonly ended: Ended;
  /** Its effect was there before, so nothing of it ran. */
  readonly isDone: boolean;
  /** Its script was started, or a person was told what to do: from then on it may have had effects. */
  readonly hasBegun: boolean;
  readonly confirmedBy: ConfirmedBy | null;
}
const NOTHING_YET = { isDone: false, hasBegun: false, confirmedBy: null } as const;

async function runStep(
  context: RunContext,
  step: Step,
  index: number,
  runDeadline: Deadline | null,
  passedOn: Map<string, string>,
): Promise<StepEnd> {
  if (context.output.signal.aborted) return { ...NOTHING_YET, ended: canceled(context) };
  const own = (): Deadline | null => nearer(runDeadline, deadlineIn(context, step.timeoutMs ?? null, `“${step.name}”`));
  const runner =
    (deadline: Deadline | null) =>
    async (script: Script, part: 'script' | 'done-when'): Promise<Ended> =>
      await runScript(context, { step, index, script, part, deadline, passedOn });

  if (context.plan.steps.chosen !== null && step.doneWhen !== undefined) {
    const before = await runner(own())(step.doneWhen, 'done-when');
    if (before.outcome === 'succeeded') {
      await notify(context.draft, context.emit, 'warning', [missingOutputs([step], passedOn)]);
      return { ...NOTHING_YET, ended: before, isDone: true };
    }
    const answer = asAnswer(step, before);
    if (answer !== null) return { ...NOTHING_YET, ended: answer };
  }

  const { refused, confirmedBy } = await askPerson(context, step, runDeadline, passedOn);
  const hasBegun = step.manual !== undefined;
  if (refused !== null) return { ...NOTHING_YET, ended: refused, hasBegun };
  const run = runner(own());
  const ran = step.script === null ? SUCCEEDED : await run(step.script, 'script');
  const end = { isDone: false, hasBegun: hasBegun || ran.outcome !== 'spawn-failed', confirmedBy };
  if (ran.outcome !== 'succeeded') return { ...end, ended: ran };
  const failure = step.script === null ? null : await takeOutputs(context, step, index, passedOn);
  if (failure !== null) return { ...end, ended: { ...ran, outcome: 'failed', exitCode: 1, reason: failure } };
  if (step.doneWhen === undefined) return { ...end, ended: ran };

  const done = await run(step.doneWhen, 'done-when');
  const reason = done.outcome === 'failed' ? `“${step.name}” ran, but its “Done when” does not hold.` : done.reason;
  return { ...end, ended: { ...done, survivors: [...ran.survivors, ...done.survivors], reason } };
}

/** Before a step, “Done when” says yes or no by its exit code. Whatever else comes of it is no answer, and ends the run. */
function asAnswer(step: Step, before: Ended): Ended | null {
  if (before.outcome === 'failed' && before.signal === null) return null;
  return { ...before, reason: `Whether “${step.name}” is done already could not be found out: ${before.reason ?? ''}` };
}

function deadlineIn({ ports }: RunContext, limitMs: number | null, of: string): Deadline | null {
  return limitMs === null ? null : { atMs: ports.clock.monotonicMs() + limitMs, limitMs, of };
}
function nearer(a: Deadline | null, b: Deadline | null): Deadline | null {
  if (a === null || b === null) return a ?? b;
  return a.atMs <= b.atMs ? a : b;
}
