/** Values that a person may see: filled into questions, and told with what takes a step back. */
import { looksSecret } from '../core/runbook.ts';
import type { Script } from '../core/runbook.ts';
import type { Plan } from './requirements.ts';

/** `$NAME` and `${NAME}` */
const VARIABLE = /\$(?:\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*))/g;

/** Of declared variables and of outputs; nothing that may be a secret. */
export function visibleValues(plan: Plan, passedOn: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  return new Map([
    ...[...passedOn].filter(([name]) => !looksSecret(name)),
    ...[...plan.variables].flatMap(([name, { value, requirement }]) =>
      requirement?.secret === false ? [[name, value] as const] : [],
    ),
  ]);
}

export function fillIn(text: string, values: ReadonlyMap<string, string>): string {
  return text.replaceAll(
    VARIABLE,
    (whole, braced: string | undefined, bare: string | undefined) => values.get(braced ?? bare ?? '') ?? whole,
  );
}

/** What a script needs of the run to be carried out by hand: names with their values, null for one that is a secret. */
export function valuesFor(
  { body }: Script,
  plan: Plan,
  passedOn: ReadonlyMap<string, string>,
): ReadonlyMap<string, string | null> {
  const values = visibleValues(plan, passedOn);
  const known = new Set([...plan.variables.keys(), ...passedOn.keys()]);
  const names = [...body.matchAll(VARIABLE)].map(([, braced, bare]) => braced ?? bare ?? '');
  return new Map(names.filter((name) => known.has(name)).map((name) => [name, values.get(name) ?? null]));
}
