/** What must not be seen: every secret of a run is known to its masker before anything can print it. */
import type { Masker } from '../core/masking/masker.ts';
import { selectEnvironment } from '../core/environment.ts';
import type { ResolvedVariable } from '../core/environment.ts';
import type { RunEvent, RunResult, StepResult } from '../core/run.ts';
import { looksSecret } from '../core/runbook.ts';
import { passwordsOf } from '../core/url-passwords.ts';
import type { Draft } from './draft.ts';
import type { EnginePorts } from './ports.ts';
import type { StepsResult } from './steps.ts';

export function hideToken(masker: Masker, token: string): void {
  masker.add(token);
  // Head and body of a JWT say nothing that is secret; without its signature they open nothing.
  masker.add(token.split('.').at(-1) ?? '');
}

/** All that the scripts of the run will find in their environment. @returns a sentence for each that cannot be masked */
export function hideSecrets(
  ports: EnginePorts,
  { masker, request }: Draft,
  variables: ReadonlyMap<string, ResolvedVariable>,
): readonly string[] {
  const passed = selectEnvironment(ports.callerEnvironment, [...ports.baseEnvironment, ...request.passEnv]);
  const given = [...variables].map(([name, { value, requirement }]) => {
    return { name, value, isSecret: requirement?.secret ?? looksSecret(name) };
  });
  const others = [...passed].map(([name, value]) => ({ name, value, isSecret: looksSecret(name) }));
  return [...given, ...others].flatMap(({ name, value, isSecret }) => {
    for (const password of passwordsOf(value)) masker.add(password);
    return isSecret ? hide(masker, name, value) : [];
  });
}

/** @returns a sentence where it cannot be masked */
function hide(masker: Masker, name: string, value: string): readonly string[] {
  const answer = masker.add(value);
  if (answer === 'masked' || value === '') return [];
  const why = answer === 'too-short' ? 'too short' : 'too common a word';
  return [`The value of ${name} is ${why} to be masked: where a script prints it, it is seen.`];
}

/** A value that a step passes on: under a name that says what it is, or an address with a password. */
export function hideOutput(masker: Masker, name: string, value: string): void {
  for (const password of passwordsOf(value)) masker.add(password);
  if (looksSecret(name)) masker.add(value);
}

/** Lines that a script wrote to `$RUNBOOK_MASK`; a last one without its end counts, too. */
export function hideLines(masker: Masker, text: string): void {
  for (const line of text.split('\n')) masker.add(line.replace(/\r$/, ''));
}

export function maskEvent(masker: Masker, event: RunEvent): RunEvent {
  switch (event.type) {
    case 'notice':
      return { ...event, message: masker.text(event.message) };
    case 'step':
      return event.result === undefined ? event : { ...event, result: maskStep(masker, event.result) };
    default:
      return event;
  }
}

/** As a result has it: nothing where nobody wanted the run to end. */
export async function maskCancels({ masker, requests }: Draft): Promise<Pick<RunResult, 'cancels'>> {
  const cancels = (await requests()).map(({ operationId, reason }) => ({
    operationId,
    reason: reason === null ? null : masker.text(reason),
  }));
  return cancels.length === 0 ? {} : { cancels };
}

/** All that an end says in words, and why anybody wanted it. */
export async function maskReasons(draft: Draft, run: StepsResult): Promise<StepsResult & Pick<RunResult, 'cancels'>> {
  const { masker } = draft;
  return {
    ...run,
    ...(await maskCancels(draft)),
    reason: run.reason === null ? null : masker.text(run.reason),
    steps: run.steps.map((step) => maskStep(masker, step)),
    // A process may have any name.
    survivors: run.survivors.map(({ pid, command }) => ({ pid, command: masker.text(command) })),
  };
}

export function maskStep(masker: Masker, step: StepResult): StepResult {
  return step.reason === undefined ? step : { ...step, reason: masker.text(step.reason) };
}
