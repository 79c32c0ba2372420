/** Which steps of a runbook a request is about: `--from STEP` and `--only STEP`. Pure. */
import { RunbookError } from './errors.ts';
import type { StepChoice } from './run.ts';
import type { Runbook, Step } from './runbook.ts';
import { didYouMean } from './spelling.ts';

/** Steps `first` to `last` (from 0, both included) are asked for; `chosen` has the whole name, and is null where all steps are. */
export interface ChosenSteps {
  readonly first: number;
  readonly last: number;
  readonly chosen: StepChoice | null;
}

/** @throws RunbookError `usage`: the document has no steps, or none or several of them are meant */
export function chooseSteps(runbook: Pick<Runbook, 'name' | 'kind' | 'steps'>, choice: StepChoice | null): ChosenSteps {
  const { steps } = runbook;
  const last = steps.length - 1;
  if (choice === null) return { first: 0, last, chosen: null };
  const first = stepNamed(runbook, choice.step, `--${choice.kind}`);
  const chosen = { kind: choice.kind, step: steps[first]?.name ?? '' };
  return { first, last: choice.kind === 'only' ? first : last, chosen };
}

/**
 * Place of a step, from 0: named by its name, its beginning, or its number.
 * @param option as it was given, for the message
 * @throws RunbookError `usage`
 */
export function stepNamed(
  { name, kind, steps }: Pick<Runbook, 'name' | 'kind' | 'steps'>,
  wanted: string,
  option: string,
): number {
  if (kind === 'steps') return findStep(steps, wanted, option);
  throw new RunbookError('usage', `${option}: ${name} has no steps, it is one script.`, {
    fix: 'Leave the option out.',
  });
}

/** A whole name comes before a number, and that before the beginning of a name: `2` may be what a step is called. */
function findStep(steps: readonly Step[], wanted: string, option: string): number {
  const key = keyOf(wanted);
  const exact = steps.findIndex(({ name }) => keyOf(name) === key);
  if (exact !== -1) return exact;
  const number = /^[1-9]\d{0,4}$/.test(key) ? Number(key) : 0;
  if (number >= 1 && number <= steps.length) return number - 1;
  const beginning =
    key === '' ? [] : [...steps.keys()].filter((index) => keyOf(steps[index]?.name ?? '').startsWith(key));
  const [only, another] = beginning;
  if (only !== undefined && another === undefined) return only;
  const list = (indexes: readonly number[]): string =>
    indexes.map((n) => `${n + 1} ${steps[n]?.name ?? ''}`).join(', ');
  if (another !== undefined) {
    throw new RunbookError('usage', `${option}: several steps begin with “${wanted}”: ${list(beginning)}.`, {
      fix: 'Write more of the name, or the number.',
    });
  }
  const near = didYouMean(
    wanted,
    steps.map(({ name }) => name),
  );
  throw new RunbookError(
    'usage',
    `${option}: there is no step “${wanted}”. The steps are: ${list([...steps.keys()])}.`,
    {
      fix: near ?? 'Write the name of one of them, its beginning, or its number.',
    },
  );
}

/** Steps that differ in case only are one to the parser, too. */
function keyOf(name: string): string {
  return name.trim().normalize('NFKC').toLowerCase();
}
