/** Values that a person may see: filled into questions, and told with what takes a step back. */
import { looksSecret } from '../core/runbook.ts';
import type { Script } from '../core/runbook.ts';
import { namesInText } from '../core/text-variables.ts';
import type { Plan } from './requirements.ts';

/** Of declared variables and of outputs; nothing that may be a secret. */
export function visibleValues(plan: Plan, passedOn: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  return new Map([
    ...[...passedOn].filter(([name]) => !looksSecret(name)),
    ...[...plan.variables].flatMap(([name, { value, requirement }]) =>
      requirement?.secret === false ? [[name, value] as const] : [],
    ),
  ]);
}

/** What a script needs of the run to be carried out by hand: names with their values, null for one that is a secret. */
export function valuesFor(
  { body }: Script,
  plan: Plan,
  passedOn: ReadonlyMap<string, string>,
): ReadonlyMap<string, string | null> {
  const values = visibleValues(plan, passedOn);
  const known = new Set([...plan.variables.keys(), ...passedOn.keys()]);
  return new Map(
    namesInText(body)
      .filter((name) => known.has(name))
      .map((name) => [name, values.get(name) ?? null]),
  );
}
