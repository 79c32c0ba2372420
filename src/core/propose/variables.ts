/** Which variables the steps of a proposal need, and what one step passes on to another. */
import { looksSecret } from '../runbook.ts';
import { fillPlaceholders, fillText, variablesRead, variablesSet, variablesTold } from './placeholders.ts';
import type { DraftStep, Note } from './draft.ts';

export interface ProposedVariable {
  readonly name: string;
  readonly description: string;
}

/** With variables in the places of placeholders. */
export interface ReadyStep extends DraftStep {
  /** Names that it passes on. */
  readonly outputs: readonly string[];
}

export interface WithVariables {
  readonly steps: readonly ReadyStep[];
  readonly variables: readonly ProposedVariable[];
  readonly notes: readonly Note[];
}

const LITERAL_SECRET = /(?:password|passwd|secret|token|api[_-]?key)["']?[ \t]*[=:][ \t]*["']?[^ \t"'$<{]{4}/i;

export function withVariables(drafts: readonly DraftStep[]): WithVariables {
  const notes: Note[] = [];
  const variables = new Map<string, ProposedVariable>();
  const declare = (name: string, text: string, line: number): void => {
    if (variables.has(name)) return;
    variables.set(name, { name, description: `Stands for ${text}` });
    notes.push({
      line,
      text: `${name} is proposed as a variable for ${text}; describe it, and give it a type or a pattern`,
    });
  };
  const filled = drafts.map((step): ReadyStep => {
    const fill = (block: DraftStep['script']): DraftStep['script'] => {
      if (block === null) return null;
      const { lines, placeholders } = fillPlaceholders(block.lines);
      for (const { text, variable, at } of placeholders) declare(variable, text, block.line + at);
      for (const [at, line] of lines.entries()) {
        if (LITERAL_SECRET.test(line))
          notes.push({ line: block.line + at, text: 'this looks like a secret; make it a variable' });
      }
      return { ...block, lines };
    };
    const told = fillText(step.manual ?? '');
    for (const { text, variable } of told.placeholders) declare(variable, text, step.line);
    const manual = step.manual === null ? null : told.text;
    return { ...step, manual, script: fill(step.script), rollback: fill(step.rollback), outputs: [] };
  });
  const steps = [...filled];
  const setBy = new Map<string, number>();
  for (const [index, step] of filled.entries()) {
    const own = variablesSet(step.script?.lines ?? []);
    const need = (name: string, line: number): void => {
      if (variables.has(name) || own.has(name)) return;
      const before = setBy.get(name);
      if (before === undefined) declare(name, `$${name}`, line);
      else passOn(steps, before, name, line, notes);
    };
    for (const block of [step.script, step.rollback])
      for (const [name, at] of variablesRead(block?.lines ?? [])) need(name, (block?.line ?? step.line) + at);
    // It is put in before the person reads it.
    for (const name of variablesTold(step.manual ?? '')) need(name, step.line);
    for (const name of own) if (!setBy.has(name)) setBy.set(name, index);
  }
  // A variable of the runbook is there for every step.
  const isDeclared = (name: string): boolean => variables.has(name);
  return {
    steps: steps.map((step): ReadyStep => {
      const outputs = step.outputs.filter((name) => !isDeclared(name));
      return Object.assign({}, step, { outputs });
    }),
    variables: [...variables.values()],
    notes,
  };
}

function passOn(steps: ReadyStep[], index: number, name: string, line: number, notes: Note[]): void {
  const step = steps[index];
  if (step === undefined || step.outputs.includes(name)) return;
  steps[index] = { ...step, outputs: [...step.outputs, name] };
  const secret = looksSecret(name) ? ', masked like a secret' : '';
  notes.push({
    line,
    text: `${name} is set in “${step.name}”, which is a process of its own, so that step passes it on${secret}`,
  });
}
