/** Variables that nobody has given, asked for one by one. */
import type { ResolvedVariable } from '../core/environment.ts';
import { RunbookError } from '../core/errors.ts';
import type { Interaction } from '../core/ports.ts';
import type { RunRequest } from '../core/run.ts';
import type { EnvRequirement } from '../core/runbook.ts';
import { checkValue } from '../core/values.ts';

/** Asks for what is missing, also for names that the caller wants and the runbook does not declare. @returns what still is */
export async function askFor(
  request: RunRequest,
  { values, missing }: { readonly values: Map<string, ResolvedVariable>; readonly missing: readonly EnvRequirement[] },
): Promise<readonly EnvRequirement[]> {
  const { interaction } = request;
  if (interaction === null || !mayAsk(request)) return missing;
  for (const requirement of missing) {
    const value = await askOnce(interaction, requirement, request.signal);
    values.set(requirement.name, { value, origin: 'asked', requirement });
  }
  return [];
}

/** Whether somebody is there who can be asked for values. */
export function mayAsk({ interaction }: Pick<RunRequest, 'interaction'>): boolean {
  return interaction !== null && interaction.onlyAgrees !== true;
}

/** A value of the wrong form is asked for again, twice; then it is a problem like any other. */
async function askOnce(interaction: Interaction, requirement: EnvRequirement, signal: AbortSignal): Promise<string> {
  const { name, secret, choices } = requirement;
  let hint = [requirement.description, choices === undefined ? '' : `one of ${choices.join(', ')}`]
    .filter((part) => part !== '')
    .join('; ');
  try {
    for (let tries = 1; ; tries += 1) {
      const value = await interaction.askVariable(name, hint, secret, signal);
      const reason = checkValue(requirement, value);
      if (reason === null || tries === 3) return value;
      hint = reason;
    }
  } catch (error) {
    throw new RunbookError('requirements-unmet', `${name} was asked for and not given.`, {
      fix: `Give it with \`--env ${name}\`.`,
      cause: error,
    });
  }
}
