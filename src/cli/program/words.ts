/** What the definitions of commands share. */
import type { Command } from 'commander';
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

const EXAMPLES = new WeakMap<Command, readonly string[]>();

/** Each a command line, with a remark behind `   # ` where it needs one. */
export function withExamples(command: Command, examples: readonly string[]): Command {
  EXAMPLES.set(command, examples);
  return command;
}

export function examplesOf(command: Command): readonly string[] {
  return EXAMPLES.get(command) ?? [];
}
