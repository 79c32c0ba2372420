/** Face 1: the command line. Here are the commands and their options; what they do is loaded when one of them is called. */
import { Command, CommanderError } from 'commander';
import { RunbookError } from '../core/errors.ts';
import { VERSION } from '../version.ts';
import { addAuditCommands } from './program/audit.ts';
import { withExamples } from './program/words.ts';
import type { CommonOptions } from './context.ts';
import { behindTheCommand, commandNames } from './leading-options.ts';
import { addDocumentCommands } from './program/documents.ts';
import { addExecuteCommand } from './program/execute.ts';
import { addMachineCommands } from './program/machine.ts';
import { addRecordCommands } from './program/record.ts';
import { addRunCommands } from './program/runs.ts';
import { addServeCommand } from './program/serve.ts';
import { addTokenCommands } from './program/token.ts';
import { reportError } from './report.ts';
import { createTerminal } from './terminal.ts';
import type { Terminal } from './terminal.ts';

/** @returns the program; actions set `process.exitCode` through `run` */
export function createProgram(terminal: Terminal): Command {
  const program = new Command('runbook')
    .description('Executes operational procedures that are written in markdown: claims checked, contained, recorded.')
    .version(VERSION, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show help')
    .configureOutput({ writeOut: (text) => terminal.stdout.write(text), writeErr: () => {} })
    .exitOverride()
    .showSuggestionAfterError()
    .enablePositionalOptions()
    .addHelpText(
      'after',
      '\nExamples:\n  runbook list\n  runbook validate\n  runbook execute RotateKey --env HOST=db-3\n  runbook history --limit 5\n\nExit codes: docs/errors.md. Format of the documents: RUNBOOK_FORMAT.md.',
    );

  const add = (name: string, summary: string, examples: readonly string[]): Command =>
    withExamples(program.command(name).description(summary), examples);

  addExecuteCommand(terminal, add, run);
  addServeCommand(terminal, add, run);
  addDocumentCommands(terminal, add, run);
  addRecordCommands(terminal, add, run);
  addRunCommands(terminal, add, run);
  addMachineCommands(terminal, add, run);
  addTokenCommands(terminal, program, run);

  addAuditCommands(terminal, program, run);

  for (const command of program.commands.flatMap((one) => [one, ...one.commands])) addCommonOptions(command);
  return program;
}

function addCommonOptions(command: Command): void {
  command
    .optionsGroup('Common options:')
    .option('--runbooks-dir <folder>', 'folder of the runbooks (default: the nearest runbooks/)')
    .option('--state-dir <folder>', 'folder of the ledger and the outputs')
    .option('--json', 'print one JSON document on stdout')
    .option('-q, --quiet', 'no messages but errors')
    .option('--no-color', 'no colours')
    .helpOption('-h, --help', 'show help');
}

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

export async function main(): Promise<void> {
  const terminal = createTerminal();
  const program = createProgram(terminal);
  const words = behindTheCommand(program, process.argv.slice(2));
  try {
    if (words.length === 0) program.help({ error: false });
    await program.parseAsync(words, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return;
    const options = { json: isForMachines(words), color: !words.includes('--no-color') };
    const command = commandNames(program, words).join(' ');
    const failure = error instanceof CommanderError ? asUsageError(error, command) : error;
    process.exitCode = await reportError(terminal, command === '' ? 'runbook' : command, options, failure);
  }
}

/** Also where the words make no sense otherwise. */
function isForMachines(words: readonly string[]): boolean {
  return words.includes('--json') || words.includes('--format=json') || words[words.indexOf('--format') + 1] === 'json';
}

/** Commander's `error: unknown option '--x'\n(Did you mean --y?)` as one sentence and what to do. */
function asUsageError(error: CommanderError, command: string): RunbookError {
  const [first = '', ...rest] = error.message
    .replace(/^error: /, '')
    .replace(/\.$/, '')
    .split('\n');
  const suggestion = rest.join(' ').replace(/^\((.*)\)$/, '$1');
  const help =
    command === ''
      ? '`runbook --help` and `runbook COMMAND --help` show what there is.'
      : `\`runbook ${command} --help\` shows how it is called.`;
  const fix = suggestion === '' ? help : suggestion;
  return new RunbookError('usage', `${first.charAt(0).toUpperCase()}${first.slice(1)}.`, { fix });
}
