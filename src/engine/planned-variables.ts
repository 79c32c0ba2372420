/** Of a plan: every variable that a script would see by the runbook's or the caller's word, and where it comes from. */
import type { ResolvedVariable } from '../core/environment.ts';
import { looksSecret } from '../core/runbook.ts';
import { mayAsk } from './ask-variables.ts';
import type { PlannedVariable, VariableSource } from './planned.ts';
import type { PlanContext } from './planned-steps.ts';

/**
 * Declared ones first, in their order; then those that the caller gives besides, then what steps pass on.
 * @param continues whether what an earlier run passed on is taken over
 */
export function describeVariables(
  { runbook, found, draft, steps }: PlanContext,
  continues: boolean,
): readonly PlannedVariable[] {
  const { source: caller } = draft.request;
  const declared = new Map(runbook.env.map((requirement) => [requirement.name, requirement]));
  const missing = new Set(found.missing.map(({ name }) => name));
  const makers = new Map(
    runbook.steps
      .slice(0, steps.last + 1)
      .flatMap((step, index) => step.outputs.map((name) => [name, { name: step.name, index }] as const)),
  );
  const sourceOf = (name: string): VariableSource => {
    if (mayAsk(draft.request) && missing.has(name)) return 'would be asked';
    const maker = declared.has(name) ? undefined : makers.get(name);
    if (maker === undefined) return 'missing';
    if (maker.index >= steps.first) return 'step';
    return continues ? 'earlier run' : 'missing';
  };
  return [...new Set([...declared.keys(), ...found.values.keys(), ...missing, ...makers.keys()])].map((name) => {
    const resolved = found.values.get(name);
    const secret = declared.get(name)?.secret ?? looksSecret(name);
    return {
      name,
      source: resolved?.origin ?? sourceOf(name),
      secret,
      declared: declared.has(name),
      value: resolved === undefined || secret || !mayBeShown(resolved, caller) ? null : resolved.value,
      step: resolved === undefined && !declared.has(name) ? (makers.get(name)?.name ?? null) : null,
    };
  });
}

/** What the environment of a server holds is nothing for its callers. */
function mayBeShown({ origin }: ResolvedVariable, caller: string): boolean {
  return origin !== 'generated' && (caller !== 'api' || origin !== 'environment');
}
