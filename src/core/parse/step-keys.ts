/** The keys of a step's yaml block. */
import { deniedFromSteps } from '../environment-names.ts';
import { looksSecret } from '../runbook.ts';
import type { EnvRequirement, Step } from '../runbook.ts';
import { nearestFew } from '../spelling.ts';
import { namesInText, WELL_KNOWN } from '../text-variables.ts';
import { checkName } from './env.ts';
import { booleanOf, durationOf, knownEntries, textOf, textsOf } from './fields.ts';
import { type Problems, quote } from './problems.ts';
import type { YamlEntry, YamlMapping } from './yaml.ts';

const KEYS = ['confirm', 'confirm_typing', 'timeout', 'tty', 'outputs', 'manual'] as const;
const RESERVED = ['retry', 'runbook', 'with'];

export type StepKeys = Pick<Step, 'confirm' | 'confirmTyping' | 'timeoutMs' | 'tty' | 'outputs' | 'manual'>;

/**
 * @param mapping null: the step has no (readable) block
 * @param passedOn outputs of the steps before
 */
export function readStepKeys(
  mapping: YamlMapping | null,
  env: readonly EnvRequirement[],
  passedOn: ReadonlySet<string>,
  problems: Problems,
): StepKeys {
  if (mapping === null) return { tty: false, outputs: [] };
  const entries = knownEntries(mapping, KEYS, RESERVED, problems);
  const confirm = requiredText(entries.get('confirm'), problems);
  const manual = requiredText(entries.get('manual'), problems);
  for (const key of ['confirm', 'manual'] as const) checkNames(entries.get(key), env, passedOn, problems);
  const confirmTyping = readConfirmTyping(entries.get('confirm_typing'), env, problems);
  const timeoutMs = durationOf(entries.get('timeout'), problems);
  if (manual !== null) {
    for (const key of ['tty', 'outputs', 'timeout'] as const) {
      const entry = entries.get(key);
      if (entry === undefined) continue;
      problems.add('step-manual', entry.at, `A manual step has the key \`${key}\` of a script.`, `Remove \`${key}\`.`);
    }
  }
  return {
    ...(confirm !== null && { confirm }),
    ...(confirmTyping !== null && { confirmTyping }),
    ...(timeoutMs !== undefined && { timeoutMs }),
    tty: booleanOf(entries.get('tty'), problems),
    outputs: readOutputs(entries.get('outputs'), env, problems),
    ...(manual !== null && { manual }),
  };
}

/** A question or an instruction that is there must say something: an empty one would be asked of nobody. */
function requiredText(entry: YamlEntry | undefined, problems: Problems): string | null {
  const text = textOf(entry, problems);
  if (entry === undefined || (text !== null && text.trim() !== '')) return text;
  if (text !== null || entry.value.kind === 'none') {
    problems.add('value-shape', entry.at, `${quote(entry.key)} has no text.`, 'Write what the person is to be told.');
  }
  return null;
}

/** A name without a value that may be shown stays in the text as it is written. */
function checkNames(
  entry: YamlEntry | undefined,
  env: readonly EnvRequirement[],
  passedOn: ReadonlySet<string>,
  problems: Problems,
): void {
  if (entry?.value.kind !== 'text') return;
  for (const name of new Set(namesInText(entry.value.text))) {
    if (WELL_KNOWN.has(name)) continue;
    const declared = env.find((requirement) => requirement.name === name);
    const isSecret = declared?.secret ?? looksSecret(name);
    if (!isSecret && (declared !== undefined || passedOn.has(name))) continue;
    const known = [...env.filter(({ secret }) => !secret).map((one) => one.name), ...passedOn];
    const [near] = nearestFew(name, known);
    problems.add(
      'step-text',
      entry.at,
      isSecret && (declared !== undefined || passedOn.has(name))
        ? `\`$${name}\` in ${quote(entry.key)} is a secret, so its value is not shown there.`
        : `\`$${name}\` in ${quote(entry.key)} is no variable of the runbook, and stays as it is written.`,
      near === undefined
        ? 'Name a declared variable or an output of a step before, none of them a secret.'
        : `Write \`$${near}\` if that is meant.`,
    );
  }
}

function readConfirmTyping(
  entry: YamlEntry | undefined,
  env: readonly EnvRequirement[],
  problems: Problems,
): string | null {
  const name = requiredText(entry, problems);
  if (name === null || entry === undefined) return null;
  const variable = env.find((requirement) => requirement.name === name);
  if (variable !== undefined && !variable.secret) return name;
  problems.add(
    'step-confirm',
    entry.value.at,
    variable === undefined
      ? `${quote(name)} is not a declared variable.`
      : `${quote(name)} is a secret, and would be shown.`,
    'Name a variable of `# Environment Requirements` that is not secret.',
  );
  return null;
}

function readOutputs(
  entry: YamlEntry | undefined,
  env: readonly EnvRequirement[],
  problems: Problems,
): readonly string[] {
  const names = new Set<string>();
  for (const { text, at } of textsOf(entry, problems)) {
    if (!checkName({ key: text, at }, problems)) continue;
    if (deniedFromSteps(text)) {
      problems.add(
        'step-outputs',
        at,
        `${quote(text)} is a name that no script may pass on: it would decide over what later steps start or reach.`,
        'Choose another name, and let the later script set what it needs.',
      );
      continue;
    }
    const declared = env.some(({ name }) => name === text);
    if (declared || names.has(text)) {
      problems.add(
        'step-outputs',
        at,
        declared ? `${quote(text)} is already a variable of the runbook.` : `${quote(text)} is listed twice.`,
        declared ? 'Choose another name: a step must not change what was checked.' : 'Keep one of them.',
      );
    }
    names.add(text);
  }
  return [...names];
}
