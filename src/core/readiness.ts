/** Whether the world around a valid document is ready for it: inputs and interpreters. All problems at once. Pure. */
import type { FileFact } from './ports.ts';
import type { InterpreterName, Problem, Runbook, Script } from './runbook.ts';
import { interpreterOf } from './interpreters.ts';

export interface Facts {
  readonly inputs: ReadonlyMap<string, FileFact>;
  readonly interpreters: ReadonlyMap<InterpreterName, string | null>;
}

/** Every script of a runbook that an execution may start. */
export function scriptsOf(runbook: Runbook): readonly Script[] {
  return runbook.steps.flatMap((step) => [step.script, step.doneWhen ?? null].filter((script) => script !== null));
}

const INPUT_PROBLEMS: Readonly<Record<Exclude<FileFact, 'file' | 'directory'>, readonly [string, string, string]>> = {
  missing: [
    'input-missing',
    'Required input file does not exist',
    'Put it there, or correct the path; paths are relative to the folder of the runbook.',
  ],
  outside: [
    'input-outside',
    'Input file leads out of the runbook’s folder',
    'Keep inputs beside the runbook; links may not lead out of its folder.',
  ],
  special: ['input-special', 'Input is neither a file nor a folder', 'Name a regular file or a folder.'],
  unreadable: ['input-unreadable', 'Input file cannot be read', 'Give yourself permission to read it.'],
};

/** Problems of rules `input-…` and `interpreter-missing`. */
export function checkReadiness(runbook: Runbook, facts: Facts): readonly Problem[] {
  const files = runbook.files.flatMap((file): Problem[] => {
    const fact = file.direction === 'input' ? (facts.inputs.get(file.path) ?? 'missing') : 'file';
    if (fact === 'file' || fact === 'directory') return [];
    const [rule, message, fix] = INPUT_PROBLEMS[fact];
    const { path, line } = file;
    return [{ severity: 'error', rule, message: `${message}: ${path}.`, fix, line, column: 1, about: path }];
  });
  const seen = new Set<InterpreterName>();
  const interpreters = scriptsOf(runbook).flatMap((script): Problem[] => {
    if (seen.has(script.interpreter) || facts.interpreters.get(script.interpreter) !== null) return [];
    seen.add(script.interpreter);
    return [
      {
        severity: 'error',
        rule: 'interpreter-missing',
        message: `${script.interpreter} is not installed, and this script needs it.`,
        fix: interpreterOf(script.interpreter).install,
        line: script.line,
        column: 1,
      },
    ];
  });
  return [...files, ...interpreters];
}
