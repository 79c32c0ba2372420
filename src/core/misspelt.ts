/** Names that somebody gives for a script and that it does not declare, where a declared one was probably meant. Pure. */
import type { ResolvedVariable } from './environment.ts';
import type { RunRequest } from './run.ts';
import type { Problem, Runbook } from './runbook.ts';
import { isNear } from './spelling.ts';

type Asked = Pick<RunRequest, 'source' | 'given' | 'wanted' | 'envFile'>;
type Declares = Pick<Runbook, 'env' | 'steps'>;

/**
 * Undeclared names reach the script all the same, so only those that look like a slip are named: near a declared one that nobody
 * gives. Over HTTP nobody is told, as in Stage0.
 * @returns the declared name by the one that was given
 */
function slips(request: Asked, { env, steps }: Declares): ReadonlyMap<string, string> {
  if (request.source === 'api') return new Map();
  const declared = new Set([...env.map(({ name }) => name), ...steps.flatMap((step) => step.outputs)]);
  const given = new Set([...request.given.keys(), ...request.wanted, ...request.envFile.keys()]);
  const open = [...declared].filter((name) => !given.has(name));
  return new Map(
    [...given].flatMap((name) => {
      if (declared.has(name)) return [];
      const meant = open.find((one) => isSlip(name, one));
      return meant === undefined ? [] : [[name, meant] as const];
    }),
  );
}

/** Stricter than for names of commands: a script may want both `HOST` and `PORT`. */
function isSlip(given: string, declared: string): boolean {
  const edits = Math.floor(Math.min(given.length, declared.length) / 4);
  return isNear(given.toUpperCase(), declared.toUpperCase(), Math.min(edits, 3));
}

/** A sentence for each, for whoever starts a run with them. `document`: its name, as it is shown. */
export function warnOfSlips(
  request: Asked,
  runbook: Declares,
  values: ReadonlyMap<string, ResolvedVariable>,
  document: string,
): readonly string[] {
  return [...slips(request, runbook)]
    .filter(([name]) => values.has(name))
    .map(([name, meant]) => {
      const option = request.given.has(name) || request.wanted.includes(name) ? '--env' : '--env-file';
      return `${name} is given with ${option} and not declared by ${document}; did you mean ${meant}?`;
    });
}

/** @param problems of which those about a missing variable get the name that was given in its place, or meant by it */
export function withSlips(problems: readonly Problem[], request: Asked, runbook: Declares): readonly Problem[] {
  const meantBy = slips(request, runbook);
  const givenFor = new Map([...meantBy].map(([name, meant]) => [meant, name]));
  return problems.map((problem) => {
    if (problem.rule !== 'variable-missing' || problem.about === undefined) return problem;
    const { about: name } = problem;
    const given = givenFor.get(name);
    if (given !== undefined) return { ...problem, fix: `${given} is given and not declared; did you mean ${name}?` };
    const meant = meantBy.get(name);
    return meant === undefined
      ? problem
      : { ...problem, fix: `The runbook does not declare it; did you mean ${meant}?` };
  });
}
