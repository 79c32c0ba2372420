/** What a step wants from a person before it goes on. A question ends with the run: by its limit, or by a signal. */
import type { ConfirmedBy } from '../core/run.ts';
import type { Step } from '../core/runbook.ts';
import { fillIn } from '../core/text-variables.ts';
import { canceled, SUCCEEDED, timedOut } from './script.ts';
import { visibleValues } from './visible.ts';
import type { Deadline, Ended, RunContext } from './script.ts';

export interface Asked {
  /** Null when the step may go on, else how it ended. */
  readonly refused: Ended | null;
  /** Null where nothing was asked, or not agreed to. */
  readonly confirmedBy: ConfirmedBy | null;
}

export async function askPerson(
  context: RunContext,
  step: Step,
  deadline: Deadline | null,
  passedOn: ReadonlyMap<string, string>,
): Promise<Asked> {
  const { ports, output } = context;
  const limit = new AbortController();
  const timer =
    deadline === null
      ? undefined
      : setTimeout(() => limit.abort(), Math.max(0, deadline.atMs - ports.clock.monotonicMs()));
  try {
    const agreed = await ask(context, step, passedOn, AbortSignal.any([output.signal, limit.signal]));
    if (output.signal.aborted) return refused(canceled(context));
    if (limit.signal.aborted) return refused(timedOut(deadline));
    if (agreed !== false) return { refused: null, confirmedBy: agreed };
    const reason = `“${step.name}” was not confirmed.`;
    return refused({ ...SUCCEEDED, outcome: 'canceled', exitCode: null, signal: 'SIGINT', reason });
  } finally {
    clearTimeout(timer);
  }
}

function refused(end: Ended): Asked {
  return { refused: end, confirmedBy: null };
}

/** A question that is left unanswered counts as a no. @returns how the person agreed; null: nothing was to be asked */
async function ask(
  { draft, plan }: RunContext,
  step: Step,
  passedOn: ReadonlyMap<string, string>,
  signal: AbortSignal,
): Promise<ConfirmedBy | null | false> {
  const { interaction, assumeYes } = draft.request;
  const answer = async (question: Promise<boolean> | undefined): Promise<boolean> =>
    (await question?.catch(() => false)) ?? false;
  const filled = (text: string): string => draft.masker.text(fillIn(text, visibleValues(plan, passedOn)));
  const { manual, confirm, confirmTyping } = step;
  if (manual !== undefined) return (await answer(interaction?.manual(step, filled(manual), signal))) && 'answer';
  if (confirm === undefined && confirmTyping === undefined) return null;
  if (assumeYes) return 'yes';
  if (confirm !== undefined && !(await answer(interaction?.confirm(step, filled(confirm), signal)))) return false;
  if (confirmTyping === undefined) return 'answer';
  const expected = plan.variables.get(confirmTyping)?.value ?? '';
  return (await answer(interaction?.confirmTyping(step, confirmTyping, expected, signal))) && 'typing';
}
