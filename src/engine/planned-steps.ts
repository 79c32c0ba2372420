/** Of a plan: the steps as they would be started, their limits, what their scripts would find, and what nobody knows yet. */
import type { Foreseen, LoadedDocument, WorkFolder, Workspace } from '../core/ports.ts';
import type { Runbook, Script, Step } from '../core/runbook.ts';
import type { ChosenSteps } from '../core/step-choice.ts';
import { fillIn } from '../core/text-variables.ts';
import { mayAsk } from './ask-variables.ts';
import type { Draft } from './draft.ts';
import { LIMIT_NAMES } from './limits.ts';
import type { DecidedLimit, LimitName } from './limits.ts';
import type { PlannedLimit, PlannedStep } from './planned.ts';
import type { EnginePorts } from './ports.ts';
import type { FoundRequirements, Plan } from './requirements.ts';
import { argvOf, scriptFile } from './script.ts';
import { environmentOf } from './script-environment.ts';
import { visibleValues } from './visible.ts';

export interface PlanContext {
  readonly ports: EnginePorts;
  readonly draft: Draft;
  readonly document: LoadedDocument;
  readonly runbook: Runbook;
  readonly plan: Plan;
  readonly found: FoundRequirements;
  readonly steps: ChosenSteps;
  /** Null: none could be made. */
  readonly folder: Awaited<ReturnType<Workspace['foresee']>> | null;
}

const NO_FOLDER: Pick<WorkFolder, 'path' | 'hostPath'> & { readonly control: string } = {
  path: '',
  hostPath: '',
  control: '',
};

export function describeSteps(context: PlanContext): readonly PlannedStep[] {
  const { runbook, plan, draft, steps } = context;
  const values = visibleValues(plan, plan.passedOn);
  const filled = (text: string | undefined): string | null => (text === undefined ? null : fillIn(text, values));
  return runbook.steps.map((step, index) => {
    const isAsked = index >= steps.first && index <= steps.last;
    const mayBeDone = steps.chosen !== null && step.doneWhen !== undefined;
    const asks = step.confirm !== undefined || step.confirmTyping !== undefined;
    return {
      name: step.name,
      line: step.line,
      runs: !isAsked ? 'not asked for' : mayBeDone ? 'unless done' : 'yes',
      argv: argvOfPart(context, index, 'script', step.script),
      doneWhenArgv: argvOfPart(context, index, 'done-when', step.doneWhen ?? null),
      timeoutMs: step.timeoutMs ?? null,
      tty: step.tty,
      manual: filled(step.manual),
      confirm: filled(step.confirm),
      confirmTyping: step.confirmTyping ?? null,
      confirmed: asks && draft.request.assumeYes,
      outputs: step.outputs,
    };
  });
}

function argvOfPart(
  { found, folder }: PlanContext,
  index: number,
  part: 'script' | 'done-when',
  script: Script | null,
): readonly string[] | null {
  const program = script === null ? null : (found.facts.interpreters.get(script.interpreter) ?? null);
  if (script === null || program === null) return null;
  const { control } = folder ?? NO_FOLDER;
  return argvOf(program, script, `${control}/${scriptFile(index, part, script)}`);
}

export function describeLimits(
  limits: Readonly<Record<LimitName, DecidedLimit>>,
  foreseen: Foreseen | null,
): readonly PlannedLimit[] {
  const unenforced = new Set<string>(foreseen?.unenforced ?? []);
  // The others are held by this program itself.
  const byEnclosure = new Set<string>(['memory', 'processes', 'file size', 'open files']);
  return LIMIT_NAMES.map((name) => {
    const { declared, value, from } = limits[name];
    const isUnknown = value === null || (byEnclosure.has(name) && foreseen === null);
    return { name, declared, value, from, held: isUnknown ? null : !unenforced.has(name) };
  });
}

/** By the function that makes the environment of a script; only the names are kept. */
export function environmentNames({
  ports,
  draft,
  plan,
  document,
  runbook,
  found,
  folder,
  steps,
}: PlanContext): readonly string[] {
  const { request, identity } = draft;
  const isGiven = request.stubs === null && (ports.runTokens === null ? request.token !== null : identity !== null);
  const before = runbook.steps.slice(0, steps.last).flatMap((step) => step.outputs);
  const workFolder = folder ?? NO_FOLDER;
  const token = isGiven ? '' : null;
  const names = runbook.steps.slice(steps.first, steps.last + 1).flatMap((step: Step) => {
    const context = { ports, draft, plan, document, workFolder, token };
    return Object.keys(environmentOf(context, step, { outputs: '', masks: '' }, plan.passedOn));
  });
  const asked = mayAsk(request) ? found.missing.map(({ name }) => name) : [];
  return [...new Set([...names, ...before, ...asked])].sort();
}

/** One sentence each. */
export function unknownOf(
  { runbook, found, draft, steps, folder, plan }: PlanContext,
  { isChosen, continues }: { readonly isChosen: boolean; readonly continues: boolean },
): readonly string[] {
  const list = (names: readonly string[]): string => names.join(', ');
  const asked = mayAsk(draft.request) ? found.missing.map(({ name }) => name) : [];
  const done = runbook.steps
    .slice(steps.first, steps.last + 1)
    .filter((step) => steps.chosen !== null && step.doneWhen !== undefined)
    .map(({ name }) => `“${name}”`);
  const outputs = runbook.steps.slice(0, steps.last).flatMap((step) => step.outputs);
  const folders = plan.inputs.filter(({ path }) => found.facts.inputs.get(path) === 'directory');
  return [
    isChosen ? null : 'Which steps are asked for is not known, so it was not looked whether what they need is there.',
    folder === null
      ? null
      : 'The id of the run, and with it the name of its work folder, in which `run-id` stands for it.',
    asked.length === 0 ? null : `Whether what is answered for ${list(asked)} has the form that is declared.`,
    done.length === 0 ? null : `Whether ${list(done)} is done already: its “Done when” would say so.`,
    outputs.length === 0 ? null : `What the steps pass on: ${list(outputs)}.`,
    continues ? 'Whether the work folder of the earlier run is still there; else a new one is made.' : null,
    folders.length === 0
      ? null
      : `Whether every file in ${list(folders.map(({ path }) => path))} can be copied; links that lead out of it cannot.`,
    'What changes until then: other runs, the pause switch, disks, and whether what contains a run starts.',
  ].filter((text) => text !== null);
}
