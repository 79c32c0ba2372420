/** What the definitions of commands share. */
import type { Command } from 'commander';
import { RunbookError } from '../../core/errors.ts';
import type { CommonOptions } from '../context.ts';
import type { Terminal } from '../terminal.ts';

/** @param define adds what it takes and what it does; not called in a process that is asked for another command */
export type AddCommand = (
  name: string,
  summary: string,
  examples: readonly string[],
  define: (command: Command) => void,
) => Command;

/** Carries one command out and sets the exit code. */
export type RunCommand = (
  terminal: Terminal,
  command: string,
  options: CommonOptions,
  body: () => Promise<number>,
) => Promise<void>;

/** An option that may be given several times. */
export const collect = (value: string, previous: readonly string[] = []): readonly string[] => [...previous, value];

/** Called alone it shows what it has; a program that asks for JSON gets no help. @throws RunbookError `usage` */
export function showsItsCommands(group: Command): void {
  group.helpCommand(false).action(({ json }: CommonOptions) => {
    if (json === true)
      throw new RunbookError('usage', `No command of \`runbook ${group.name()}\` is named.`, {
        fix: `\`runbook ${group.name()} --help\` shows them.`,
      });
    group.outputHelp();
  });
}

const EXAMPLES = new WeakMap<Command, readonly string[]>();

/** Each a command line, with a remark behind `   # ` where it needs one. */
export function withExamples(command: Command, examples: readonly string[]): Command {
  EXAMPLES.set(command, examples);
  return command;
}

export function examplesOf(command: Command): readonly string[] {
  return EXAMPLES.get(command) ?? [];
}
