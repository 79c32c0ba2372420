/** A proposal as the lines of a document, each with where it came from, so that what the parser refuses can be taken back. */
import { dangersIn } from './danger.ts';
import type { Prose } from './draft.ts';
import { longestRun, yamlText, yamlTexts } from './text.ts';
import type { ProposedVariable, ReadyStep } from './variables.ts';

/** What a line belongs to: `key` tells prose lines, steps and variables apart. */
export interface Origin {
  readonly kind: 'fixed' | 'description' | 'prose' | 'step' | 'variable';
  /** Index of the step or the variable; of description and prose the index of the line. */
  readonly index: number;
  /** Of prose: its step. */
  readonly step?: number;
}

export interface Rendered {
  readonly lines: readonly string[];
  /** As many as lines. */
  readonly origins: readonly Origin[];
}

export interface Proposed {
  readonly name: string;
  readonly description: readonly Prose[];
  readonly variables: readonly ProposedVariable[];
  readonly steps: readonly ReadyStep[];
  /** Rows of `# Required Claims`. */
  readonly claims: readonly string[];
}

const FIXED: Origin = { kind: 'fixed', index: 0 };

export function render({ name, description, variables, steps, claims }: Proposed): Rendered {
  const lines: string[] = [];
  const origins: Origin[] = [];
  const add = (origin: Origin, ...texts: readonly string[]): void => {
    for (const text of texts) {
      // One blank line is as good as two.
      if (text === '' && lines.at(-1) === '' && origin.kind !== 'step') continue;
      lines.push(text);
      origins.push(origin);
    }
  };
  add(FIXED, `# ${name}`, '');
  for (const [index, { text }] of description.entries()) add({ kind: 'description', index }, text);
  add(FIXED, '');
  if (variables.length > 0) {
    add(FIXED, '# Environment Requirements', '```yaml');
    for (const [index, variable] of variables.entries())
      add({ kind: 'variable', index }, `${variable.name}: ${yamlText(variable.description)}`);
    add(FIXED, '```', '');
  }
  if (claims.length > 0) add(FIXED, '# Required Claims', '```yaml', ...claims, '```', '');
  add(FIXED, '# Steps', '');
  for (const [index, step] of steps.entries()) addStep(step, index, add);
  while (lines.at(-1) === '') {
    lines.pop();
    origins.pop();
  }
  return { lines, origins };
}

function addStep(step: ReadyStep, index: number, add: (origin: Origin, ...texts: readonly string[]) => void): void {
  const own: Origin = { kind: 'step', index };
  add(own, `## ${step.name}`);
  const data = dataOf(step);
  if (data.length > 0) add(own, '```yaml', ...data, '```');
  for (const [at, { text }] of step.prose.entries()) add({ kind: 'prose', index: at, step: index }, text);
  if (step.script !== null) {
    const passedOn = step.outputs.map((name) => `echo "${name}=$${name}" >> "$RUNBOOK_OUTPUT"`);
    add({ kind: 'prose', index: -1, step: index }, '');
    add(own, ...fence([...step.script.lines, ...passedOn]));
  }
  if (step.rollback !== null) add(own, '', '### Rollback', ...fence(step.rollback.lines));
  add(own, '');
}

function dataOf({ name, script, manual, outputs }: ReadyStep): readonly string[] {
  if (script === null) return [`manual: ${JSON.stringify(manual ?? name)}`];
  const dangers = dangersIn(script.lines);
  return [
    ...(dangers.length > 0
      ? [`confirm: ${JSON.stringify(`Go on with “${name}”? It uses ${dangers.join(', ')}.`)}`]
      : []),
    ...(outputs.length > 0 ? [`outputs: ${yamlTexts(outputs)}`] : []),
  ];
}

/** Longer than any run of backticks inside. */
export function fence(script: readonly string[], tag = 'bash'): readonly string[] {
  const marker = '`'.repeat(Math.max(3, longestRun(script) + 1));
  return [`${marker}${tag}`, ...script, marker];
}
