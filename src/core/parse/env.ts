/** `# Environment Requirements`: the variables that a runbook declares. */
import { deniedFromAnybody, isEnvironmentName } from '../environment-names.ts';
import { compilePattern } from '../pattern.ts';
import { type EnvRequirement, looksSecret, type VariableType } from '../runbook.ts';
import { checkValue } from '../values.ts';
import { booleanOf, knownEntries, textOf, textsOf, wholeNumber } from './fields.ts';
import { type Problems, quote } from './problems.ts';
import type { YamlEntry, YamlMapping } from './yaml.ts';

const KEYS = ['description', 'type', 'choices', 'pattern', 'default', 'secret', 'generate'] as const;
const TYPES: readonly VariableType[] = ['text', 'integer', 'boolean', 'duration'];
const GENERATE_MIN = 8;
const GENERATE_MAX = 1024;

export function readEnv(mapping: YamlMapping, problems: Problems): readonly EnvRequirement[] {
  return mapping.entries.map((entry) => {
    checkName(entry, problems);
    return readVariable(entry, problems);
  });
}

/** Reports a name that is malformed or that nobody may set. */
export function checkName({ key, at }: Pick<YamlEntry, 'key' | 'at'>, problems: Problems): boolean {
  if (!isEnvironmentName(key)) {
    problems.add(
      'env-name',
      at,
      `${quote(key)} cannot be the name of a variable.`,
      'Use ASCII letters, digits and `_`, and do not begin with a digit.',
    );
    return false;
  }
  if (!deniedFromAnybody(key)) return true;
  problems.add(
    'env-denied',
    at,
    `${quote(key)} is a name that nobody may set: a loader, a shell or runbook itself reads it.`,
    'Choose another name.',
  );
  return false;
}

function readVariable(entry: YamlEntry, problems: Problems): EnvRequirement {
  const { key: name, value, at } = entry;
  const short = { name, typed: false, type: 'text', secret: looksSecret(name), line: at.line } as const;
  if (value.kind === 'text') return { ...short, description: value.text };
  if (value.kind === 'none') return { ...short, description: '' };
  if (value.kind === 'mapping') return readTyped(name, value, at.line, problems);
  problems.add(
    'value-shape',
    value.at,
    `${quote(name)} is a list.`,
    'Write `NAME: description`, or a mapping with `description` and other keys.',
  );
  return { ...short, description: '' };
}

function readTyped(name: string, mapping: YamlMapping, line: number, problems: Problems): EnvRequirement {
  const entries = knownEntries(mapping, KEYS, ['from'], problems);
  const type = readType(entries.get('type'), problems);
  const pattern = readPattern(entries.get('pattern'), problems);
  const rule = { name, type, ...(pattern !== undefined && { pattern }) };
  const choices = readChoices(entries.get('choices'), rule, problems);
  const value = readDefault(entries.get('default'), { ...rule, ...(choices !== undefined && { choices }) }, problems);
  const secretEntry = entries.get('secret');
  const declaredSecret = secretEntry?.value.kind === 'none' ? undefined : secretEntry;
  const secret = declaredSecret === undefined ? looksSecret(name) : booleanOf(declaredSecret, problems);
  const generate = readGenerate(entries, secret && declaredSecret !== undefined, problems);
  if (secret && declaredSecret !== undefined && entries.has('default')) {
    problems.add(
      'env-secret',
      entries.get('default')?.at ?? declaredSecret.at,
      `The secret ${quote(name)} has its value in the document.`,
      'Remove `default`; give the value at the run, or let it be made with `generate`.',
    );
  }
  return {
    ...rule,
    description: textOf(entries.get('description'), problems) ?? '',
    typed: true,
    ...(choices !== undefined && { choices }),
    ...(value !== undefined && { default: value }),
    secret,
    ...(generate !== undefined && { generate }),
    line,
  };
}

function readType(entry: YamlEntry | undefined, problems: Problems): VariableType {
  const text = textOf(entry, problems);
  const type = TYPES.find((known) => known === text);
  if (type !== undefined || text === null || entry === undefined) return type ?? 'text';
  const lower = TYPES.find((known) => known === text.toLowerCase());
  problems.add(
    'env-type',
    entry.value.at,
    `${quote(text)} is not a type.`,
    `Write one of: ${TYPES.join(', ')}.`,
    undefined,
    lower === undefined ? null : { old: text, text: lower },
  );
  return 'text';
}

function readPattern(entry: YamlEntry | undefined, problems: Problems): string | undefined {
  const text = textOf(entry, problems);
  if (text === null || entry === undefined) return undefined;
  const compiled = compilePattern(text);
  if (compiled.ok) return text;
  problems.add(
    'env-pattern',
    entry.value.at,
    `The pattern ${quote(text)} cannot be used. ${compiled.reason}`,
    'Write it with characters, classes, groups, `|` and repetitions only.',
  );
  return undefined;
}

type ValueRule = Pick<EnvRequirement, 'name' | 'type' | 'choices' | 'pattern'>;

function readChoices(entry: YamlEntry | undefined, rule: ValueRule, problems: Problems): readonly string[] | undefined {
  if (entry === undefined) return undefined;
  if (entry.value.kind === 'none') {
    problems.add('env-choices', entry.at, '`choices` is empty, so no value would do.', 'List values, or remove it.');
    return undefined;
  }
  const texts = textsOf(entry, problems);
  for (const { text, at } of texts) {
    const wrong = checkValue(rule, text);
    if (wrong !== null)
      problems.add('env-choices', at, `The choice ${quote(text)} can never be used. ${wrong}`, 'Remove or repair it.');
  }
  return texts.map(({ text }) => text);
}

function readDefault(entry: YamlEntry | undefined, rule: ValueRule, problems: Problems): string | undefined {
  const text = textOf(entry, problems);
  if (text === null || entry === undefined) return undefined;
  const wrong = checkValue(rule, text);
  if (wrong === null) return text;
  problems.add(
    'env-default',
    entry.value.at,
    `The default is not allowed. ${wrong}`,
    'Repair it, or remove `default`.',
  );
  return undefined;
}

function readGenerate(
  entries: ReadonlyMap<(typeof KEYS)[number], YamlEntry>,
  declaredSecret: boolean,
  problems: Problems,
): number | undefined {
  const entry = entries.get('generate');
  const text = textOf(entry, problems);
  if (text === null || entry === undefined) return undefined;
  const length = wholeNumber(text, GENERATE_MIN, GENERATE_MAX);
  if (length === null) {
    problems.add(
      'env-generate',
      entry.value.at,
      `${quote(text)} is not a length from ${GENERATE_MIN} to ${GENERATE_MAX}.`,
      'Write the number of characters, for example `generate: 32`.',
    );
    return undefined;
  }
  if (!declaredSecret) {
    problems.add(
      'env-generate',
      entry.at,
      '`generate` makes a secret, but the variable is not declared one.',
      'Add `secret: true`.',
    );
  }
  const conflict = (['type', 'choices', 'pattern', 'default'] as const).find((key) => entries.has(key));
  if (conflict !== undefined) {
    problems.add(
      'env-generate',
      entry.at,
      `\`generate\` and \`${conflict}\` exclude each other.`,
      `Remove one of them.`,
    );
  }
  return length;
}
