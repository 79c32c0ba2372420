/** A new runbook: valid and ready to run as it is, with what its author has said so far. */
import { interpreterByTag } from '../interpreters.ts';
import type { InterpreterName, Runbook } from '../runbook.ts';
import { looksSecret } from '../runbook.ts';
import { fence } from './render.ts';
import { yamlText } from './text.ts';

export interface TemplateVariable {
  readonly name: string;
  /** Null: it has to be given. */
  readonly value: string | null;
}

export interface TemplateFacts {
  readonly name: string;
  readonly kind: Runbook['kind'];
  readonly interpreter: InterpreterName;
  /** What it does; null: a sentence that asks for one. */
  readonly description: string | null;
  readonly variables: readonly TemplateVariable[];
  /** Rows of `# Required Claims`, as YAML. */
  readonly claims: readonly string[];
}

export function newRunbook({ name, kind, interpreter, description, variables, claims }: TemplateFacts): string {
  const section = (heading: string, rows: readonly string[]): readonly string[] => [
    `# ${heading}`,
    '```yaml',
    ...rows,
    '```',
    '',
  ];
  const about = description ?? 'Says in a sentence what it does and when it is needed; then what must be known before.';
  const env = variables.flatMap(variableRows);
  const body = scriptOf(kind, interpreter, variables);
  const lines = [
    `# ${name}`,
    '',
    about,
    '',
    ...(kind === 'classic' || env.length > 0 ? section('Environment Requirements', env) : []),
    ...(kind === 'classic' ? section('File System Requirements', ['Input:']) : []),
    ...(claims.length > 0 ? section('Required Claims', claims) : []),
    ...(kind === 'classic' ? ['# Script', ...body, ''] : stepsOf(body, interpreter)),
    '# History',
  ];
  return `${lines.join('\n')}\n`;
}

function variableRows({ name, value }: TemplateVariable): readonly string[] {
  const description = looksSecret(name) ? 'What it is for' : 'What it is, with an example';
  if (value === null) return [`${name}: ${description}`];
  return [`${name}:`, `  description: ${description}`, `  default: ${yamlText(value)}`];
}

function stepsOf(body: readonly string[], interpreter: InterpreterName): readonly string[] {
  const check = interpreter === 'python' ? 'raise SystemExit(0)' : 'true';
  return [
    '# Steps',
    '',
    '## Look at it first',
    'Shows what is there before anything is changed.',
    ...body,
    '',
    '## Change it',
    '```yaml',
    'confirm: Go on?',
    '```',
    ...scriptFence(interpreter, [interpreter === 'python' ? 'print("changed")' : 'echo "changed"']),
    '',
    '### Done when',
    'Ends with 0 when the change is there.',
    ...scriptFence(interpreter, [check]),
    '',
    '### Rollback',
    ...scriptFence(interpreter, [interpreter === 'python' ? 'print("taken back")' : 'echo "taken back"']),
    '',
  ];
}

function scriptOf(
  kind: Runbook['kind'],
  interpreter: InterpreterName,
  variables: readonly TemplateVariable[],
): readonly string[] {
  const shown = variables.filter(({ name }) => !looksSecret(name)).map(({ name }) => name);
  if (interpreter === 'python') {
    const prints = shown.map((name) => `print("${name} is", os.environ["${name}"])`);
    return scriptFence(interpreter, [...(prints.length > 0 ? ['import os', ''] : []), ...prints, 'print("looked at")']);
  }
  const options = kind === 'steps' ? [] : [interpreter === 'sh' ? 'set -eu' : 'set -euo pipefail'];
  return scriptFence(interpreter, [
    // Under this tag a classic document runs zsh; the shebang decides.
    ...(interpreter === 'sh' && interpreterByTag('sh', kind) !== 'sh' ? ['#!/bin/sh'] : []),
    ...options,
    ...shown.map((name) => `echo "${name} is $${name}"`),
    'echo "looked at"',
  ]);
}

function scriptFence(interpreter: InterpreterName, lines: readonly string[]): readonly string[] {
  return fence(lines, interpreter);
}
