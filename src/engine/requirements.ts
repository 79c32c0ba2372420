/** Whether everything that the runbook declares is there, all problems at once; and what follows from it for the run. */
import { checkVariables, recordVariables, resolveVariables } from '../core/environment.ts';
import type { ResolvedVariable } from '../core/environment.ts';
import { RunbookError } from '../core/errors.ts';
import { refuseGiven } from '../core/given.ts';
import { warnOfSlips, withSlips } from '../core/misspelt.ts';
import { refusalOf } from '../core/masking/refusal.ts';
import type { LoadedDocument, ProcessLimits } from '../core/ports.ts';
import type { RunRequest } from '../core/run.ts';
import { inputsOf, looksSecret } from '../core/runbook.ts';
import type { EnvRequirement, FileRequirement, InterpreterName, Problem, Runbook } from '../core/runbook.ts';
import { checkReadiness, scriptsOf } from '../core/readiness.ts';
import type { Facts } from '../core/readiness.ts';
import type { ChosenSteps } from '../core/step-choice.ts';
import { passwordsOf } from '../core/url-passwords.ts';
import { askFor } from './ask-variables.ts';
import type { Draft } from './draft.ts';
import { decideLimits } from './limits.ts';
import type { EnginePorts } from './ports.ts';
import { hideSecrets } from './secrets.ts';

/** What an accepted run will use. */
export interface Plan {
  readonly steps: ChosenSteps;
  readonly variables: ReadonlyMap<string, ResolvedVariable>;
  /** Outputs of steps that the caller gives, as if those steps had passed them on. */
  readonly passedOn: ReadonlyMap<string, string>;
  readonly interpreters: ReadonlyMap<InterpreterName, string>;
  readonly inputs: readonly FileRequirement[];
  readonly timeoutMs: number | null;
  readonly maxOutputBytes: number;
  readonly limits: ProcessLimits;
  /** Runs of this runbook at once; null: any number. */
  readonly concurrency: number | null;
  /** Sentences for what is declared and not carried out here, and for secrets that cannot be masked. */
  readonly warnings: readonly string[];
}

/** @throws RunbookError `usage`, `variable-denied`, `requirements-unmet`, `unavailable` (only interpreters are missing) */
export async function checkRequirements(
  ports: EnginePorts,
  document: LoadedDocument,
  runbook: Runbook,
  steps: ChosenSteps,
  draft: Draft,
): Promise<Plan> {
  const { request } = draft;
  refuseGiven(request, ports.openNames);
  refuseVisibleSecrets(request, runbook);
  const found = await findRequirements(ports, document, runbook, steps, request);
  const missing = await askFor(request, found);
  const unmaskable = takeVariables(ports, draft, found);
  const problems = problemsOf(found, missing, request);
  if (problems.length > 0) throw unmet(problems, document);
  const slips = warnOfSlips(request, runbook, found.values, document.displayPath);
  return planOf(ports, runbook, steps, request, found, [...unmaskable, ...slips]);
}

/** What there is of that which a runbook declares. */
export interface FoundRequirements {
  /** The runbook with the steps that are asked for: what a step needs that nobody asks for is not missed. */
  readonly asked: Runbook;
  readonly facts: Facts;
  readonly values: Map<string, ResolvedVariable>;
  /** May still be asked for. */
  readonly missing: readonly EnvRequirement[];
  /** Secrets that were made for the run that this one goes on from. */
  readonly lost: readonly EnvRequirement[];
}

export async function findRequirements(
  ports: EnginePorts,
  document: LoadedDocument,
  runbook: Runbook,
  steps: ChosenSteps,
  request: RunRequest,
): Promise<FoundRequirements> {
  const asked = { ...runbook, steps: runbook.steps.slice(steps.first, steps.last + 1) };
  const facts = await gatherFacts(ports, document, asked, request.stubs);
  const { env, made } = steps.first === 0 ? { env: runbook.env, made: [] } : withoutMaking(runbook.env);
  const { values, missing } = resolveVariables(env, {
    given: request.given,
    wanted: request.wanted,
    envFile: request.envFile,
    caller: ports.callerEnvironment,
    generate: (length) => ports.secrets.generate(length),
  });
  const lost = missing.filter(({ name }) => made.includes(name) && !request.wanted.includes(name));
  return { asked, facts, values, missing: missing.filter((requirement) => !lost.includes(requirement)), lost };
}

/** From here on the run knows them: to mask, and to record. @returns a sentence for each secret that cannot be masked */
export function takeVariables(ports: EnginePorts, draft: Draft, { values }: FoundRequirements): readonly string[] {
  const unmaskable = hideSecrets(ports, draft, values);
  draft.variables = recordVariables(values, (value) => ports.secrets.fingerprint(value));
  return unmaskable;
}

/** @param missing what nobody gives, or could be asked for */
export function problemsOf(
  { asked, facts, values, lost }: FoundRequirements,
  missing: readonly EnvRequirement[],
  request: RunRequest,
): readonly Problem[] {
  return [
    ...lost.map(notKept),
    ...withSlips(checkVariables(values, missing), request, asked),
    ...checkReadiness(asked, facts),
    ...checkPeople(request, asked),
  ];
}

export function planOf(
  ports: Pick<EnginePorts, 'limits'>,
  runbook: Runbook,
  steps: ChosenSteps,
  request: RunRequest,
  { values: found, facts }: Pick<FoundRequirements, 'values' | 'facts'>,
  warnings: readonly string[],
): Plan {
  const declared = new Set(runbook.env.map(({ name }) => name));
  const outputs = new Set(runbook.steps.flatMap((step) => step.outputs).filter((name) => !declared.has(name)));
  const values = [...found];
  const limits = decideLimits(ports.limits, request, runbook.limits);
  return {
    steps,
    variables: new Map(values.filter(([name]) => !outputs.has(name))),
    passedOn: new Map(values.flatMap(([name, { value }]) => (outputs.has(name) ? [[name, value]] : []))),
    interpreters: new Map(
      [...facts.interpreters].flatMap(([name, path]) => (path === null ? [] : [[name, path] as const])),
    ),
    inputs: inputsOf(runbook),
    timeoutMs: limits.timeout.value,
    maxOutputBytes: limits.output.value ?? ports.limits.maxOutputBytes,
    limits: {
      memoryBytes: limits.memory.value,
      processes: limits.processes.value,
      fileBytes: limits['file size'].value,
      openFiles: limits['open files'].value,
    },
    concurrency: limits.concurrency.value,
    warnings,
  };
}

/** @param stubs folder of stand-ins: no interpreter is taken from it, nor from that of a rehearsal around this run */
export async function gatherFacts(
  ports: Pick<EnginePorts, 'facts' | 'callerEnvironment'>,
  document: LoadedDocument,
  runbook: Runbook,
  stubs: string | null = null,
): Promise<Facts> {
  const names = [...new Set(scriptsOf(runbook).map((script) => script.interpreter))];
  const standIns = new Set([stubs, ports.callerEnvironment.get('RUNBOOK_STUBS')]);
  const searchPath = (ports.callerEnvironment.get('PATH') ?? '')
    .split(':')
    .filter((folder) => !standIns.has(folder))
    .join(':');
  const interpreters = new Map<InterpreterName, string | null>();
  for (const name of names) interpreters.set(name, await ports.facts.interpreter(name, searchPath));
  return { inputs: await ports.facts.inputs(document.folder, inputsOf(runbook)), interpreters };
}

/** A secret among the arguments shows in `ps` and in the shell's history. */
export function refuseVisibleSecrets(request: RunRequest, runbook: Runbook): void {
  const isSecret = (given: string): boolean =>
    (runbook.env.find((requirement) => requirement.name === given)?.secret ?? looksSecret(given)) ||
    // A password that everybody knows is no secret: `postgres:postgres@localhost`.
    passwordsOf(request.given.get(given) ?? '').some((password) => refusalOf(password) === null);
  const name = [...request.onCommandLine].find(isSecret);
  if (name === undefined) return;
  throw new RunbookError(
    'usage',
    `${name} is a secret or holds a password, and its value is on the command line, where everybody on this machine can see it.`,
    {
      fix: `Write \`--env ${name}\` to take it from your environment or to be asked, or \`--env ${name}=@FILE\`.`,
    },
  );
}

/** For a run that begins in the middle: a secret made now is not the one that earlier steps have used. */
function withoutMaking(env: readonly EnvRequirement[]): {
  readonly env: readonly EnvRequirement[];
  readonly made: readonly string[];
} {
  return {
    env: env.map(({ generate: _made, ...rest }) => rest),
    made: env.filter(({ generate }) => generate !== undefined).map(({ name }) => name),
  };
}

function notKept({ name, line }: EnvRequirement): Problem {
  return {
    severity: 'error',
    rule: 'variable-not-kept',
    message: `${name} was made for the earlier run and is not kept.`,
    fix: `Give it with \`--env ${name}\`, or run all steps again.`,
    line,
    column: 1,
  };
}

/** Steps that need a person are refused before anything has started, not in the middle. */
export function checkPeople(
  request: Pick<RunRequest, 'interaction' | 'assumeYes' | 'source'>,
  runbook: Runbook,
): readonly Problem[] {
  const { interaction } = request;
  if (interaction !== null && interaction.onlyAgrees !== true) return [];
  const where = request.source === 'ci' ? 'where CI is not set' : 'without --no-input';
  return runbook.steps.flatMap((step): Problem[] => {
    const at = { severity: 'error', line: step.line, column: 1 } as const;
    if (interaction !== null && !step.tty) return [];
    if (step.manual !== undefined || step.tty) {
      const what = step.tty ? 'needs a terminal' : 'is done by a person';
      return [
        {
          ...at,
          rule: 'step-needs-person',
          message: `The step “${step.name}” ${what}, and nobody can be asked here.`,
          fix: `Run it from a terminal, ${where}.`,
        },
      ];
    }
    if ((step.confirm !== undefined || step.confirmTyping !== undefined) && !request.assumeYes) {
      return [
        {
          ...at,
          rule: 'step-needs-confirmation',
          message: `The step “${step.name}” wants a confirmation, and nobody can be asked here.`,
          fix: `Confirm beforehand with --yes, or run it from a terminal${request.source === 'ci' ? `, ${where}` : ''}.`,
        },
      ];
    }
    return [];
  });
}

export function unmet(problems: readonly Problem[], document: LoadedDocument): RunbookError {
  const onlyInterpreters = problems.every((problem) => problem.rule === 'interpreter-missing');
  const first = problems[0]?.message ?? '';
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : '';
  return new RunbookError(
    onlyInterpreters ? 'unavailable' : 'requirements-unmet',
    `${document.displayPath} cannot run: ${first}${more}`,
    {
      fix: problems.length === 1 ? (problems[0]?.fix ?? '') : 'Give what is named; nothing was started.',
      problems,
      document: document.displayPath,
    },
  );
}
