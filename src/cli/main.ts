/** Face 1: the command line. What a command does is loaded when it is called. */
import { CommanderError } from 'commander';
import type { Command } from 'commander';
import type { CommonOptions } from './context.ts';
import { behindTheCommand, commandNames } from './leading-options.ts';
import { createProgram } from './program.ts';
import { reportError } from './report.ts';
import { createTerminal } from './terminal.ts';
import type { Terminal } from './terminal.ts';
import { asUsageError } from './usage-error.ts';

/** Runs one command and turns whatever it throws into one clear message and the right exit code. */
async function run(
  terminal: Terminal,
  command: string,
  options: CommonOptions,
  body: () => Promise<number>,
): Promise<void> {
  try {
    process.exitCode = await body();
  } catch (error) {
    process.exitCode = await reportError(terminal, command, options, error);
  }
}

/** The command that shells call while somebody types; it is in no help. */
const COMPLETE = '__complete';

export async function main(): Promise<void> {
  const terminal = createTerminal();
  const written: Promise<void>[] = [];
  const typed = process.argv.slice(2);
  const program = createProgram(terminal, run, askedFor(typed), (text) => {
    const writing = terminal.print(text);
    // Asked at the end, and no crash before.
    writing.catch(() => {});
    written.push(writing);
  });
  if (typed[0] === COMPLETE) {
    const { completeCommand } = await import('./completion/main.ts');
    await completeCommand(terminal, program, typed.slice(1));
    return;
  }
  const words = behindTheCommand(program, typed);
  try {
    await carryOut(program, words);
    await Promise.all(written);
  } catch (error) {
    const options = { json: isForMachines(words), color: !words.includes('--no-color') };
    const command = commandNames(program, words).join(' ');
    const failure =
      error instanceof CommanderError
        ? await asUsageError(error, program, words, async () => await runbookMeant(terminal, words))
        : error;
    process.exitCode = await reportError(terminal, command === '' ? 'runbook' : command, options, failure);
  }
}

/** One command, where the words begin with one; none, where only the list of all is asked for. */
function askedFor([first = '--help', ...others]: readonly string[]): (name: string) => boolean {
  if (others.length === 0 && (first === '--help' || first === '-h')) return () => false;
  const isOfAll = first === 'help' || !/^[a-z]/.test(first);
  return isOfAll ? () => true : (name) => name === first;
}

/** Commander ends help and version with an exception as well. */
async function carryOut(program: Command, words: readonly string[]): Promise<void> {
  try {
    if (words.length === 0) program.help({ error: false });
    await program.parseAsync(words, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError && error.exitCode === 0)) throw error;
  }
}

/** Also where the words make no sense otherwise. */
function isForMachines(words: readonly string[]): boolean {
  return words.includes('--json') || words.includes('--format=json') || words[words.indexOf('--format') + 1] === 'json';
}

/** Who writes `runbook RotateKey` means a runbook, not a command. */
async function runbookMeant(terminal: Terminal, words: readonly string[]): Promise<string | null> {
  const { executeInstead } = await import('./instead.ts');
  return await executeInstead(terminal, words);
}
