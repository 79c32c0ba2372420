/** What a step passes on: the values that it wrote to `$RUNBOOK_OUTPUT`, and what is missing where steps are skipped. */
import { parseOutputs } from '../core/contract.ts';
import { messageOf } from '../core/failures.ts';
import { looksSecret } from '../core/runbook.ts';
import type { Step } from '../core/runbook.ts';
import { checkValue } from '../core/values.ts';
import { outputsFile } from './script.ts';
import type { RunContext } from './script.ts';
import { hideOutput } from './secrets.ts';
import { rememberOutputs } from './work-folder.ts';

/** @returns one sentence when the file is not what the step declares; a value is never in it */
export async function takeOutputs(
  { workFolder, draft }: RunContext,
  step: Step,
  index: number,
  passedOn: Map<string, string>,
): Promise<string | null> {
  let text: string;
  try {
    text = await workFolder.readControlFile(outputsFile(index));
  } catch (error) {
    return `“${step.name}”: $RUNBOOK_OUTPUT cannot be read: ${messageOf(error)}.`;
  }
  const { values, errors } = parseOutputs(text, step.outputs);
  const absent = step.outputs.filter((name) => !values.has(name));
  const wrong = [...values]
    .map(([name, value]) => checkValue({ name, type: 'text' }, value))
    .find((reason) => reason !== null);
  if (errors[0] !== undefined) return `“${step.name}”: ${errors[0]}.`;
  if (wrong !== undefined) return `“${step.name}” wrote an output that cannot be passed on: ${wrong}`;
  if (absent.length > 0) return `“${step.name}” did not write its output ${absent.join(', ')} to $RUNBOOK_OUTPUT.`;
  for (const [name, value] of values) {
    hideOutput(draft.masker, name, value);
    passedOn.set(name, value);
  }
  if (values.size > 0) await rememberOutputs(draft.masker, workFolder, passedOn);
  return null;
}

/** A sentence for a person where steps are skipped and what they pass on is not known; null where nothing is missing. */
export function missingOutputs(skipped: readonly Step[], passedOn: ReadonlyMap<string, string>): string | null {
  const missing = skipped.flatMap(({ name: step, outputs }) =>
    outputs.filter((name) => !passedOn.has(name)).map((name) => ({ name, step })),
  );
  if (missing.length === 0) return null;
  const names = missing.map(({ name, step }) => `${name} of “${step}”`).join(', ');
  const options = missing.map(({ name }) => `--env ${name}${looksSecret(name) ? '' : '=…'}`).join(' ');
  return `${names} ${missing.length === 1 ? 'is' : 'are'} not known; give ${missing.length === 1 ? 'it' : 'them'} with ${options}.`;
}
