/** All commands with their options: what `--help`, the man page and the completion of shells are made from. */
import { Command } from 'commander';
import { VERSION } from '../version.ts';
import { addAuditCommands } from './program/audit.ts';
import { addDocumentCommands } from './program/documents.ts';
import { addExecuteCommand, addPlanCommand } from './program/execute.ts';
import { configureHelp } from './program/help.ts';
import { addLoginCommands } from './program/login.ts';
import { addMachineCommands } from './program/machine.ts';
import { addRecordCommands } from './program/record.ts';
import { addReportCommand } from './program/report.ts';
import { addRunCommands } from './program/runs.ts';
import { addServeCommand } from './program/serve.ts';
import { addShellCommands } from './program/shell.ts';
import { addTokenCommands } from './program/token.ts';
import { withExamples } from './program/words.ts';
import type { AddCommand, RunCommand } from './program/words.ts';
import type { Terminal } from './terminal.ts';

/** What a person looks for, in the order of its headings. */
const GROUPS: readonly (readonly [heading: string, commands: readonly string[]])[] = [
  ['Run:', ['execute', 'plan', 'cancel', 'pause', 'resume', 'serve']],
  ['Look:', ['list', 'show', 'ps', 'history', 'report', 'audit']],
  ['Documents:', ['new', 'validate']],
  ['Machine:', ['doctor', 'config', 'login', 'logout', 'token', 'completion', 'help']],
];

/**
 * @param run carries a command out, and sets `process.exitCode`
 * @param isAsked whether a command of this name may be called or looked at: of others there is only the name and the summary,
 *   since all definitions together take as long as half of Node's own start
 * @param write takes help and version, and does not make anybody wait
 */
export function createProgram(
  terminal: Terminal,
  run: RunCommand,
  isAsked: (name: string) => boolean = () => true,
  write: (text: string) => void = (text) => terminal.stdout.write(text),
): Command {
  const program = new Command('runbook')
    .description('Executes operational procedures that are written in markdown: claims checked, contained, recorded.')
    .version(VERSION, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show help')
    .helpCommand(false)
    .exitOverride()
    .showSuggestionAfterError()
    .enablePositionalOptions();
  withExamples(program, [
    'runbook list',
    'runbook show RotateKey',
    'runbook execute RotateKey --env HOST=db-3',
    'runbook history last   # the newest run, with its output',
    'runbook help execute',
  ]);
  const definitions: (() => void)[] = [];
  const add: AddCommand = (name, summary, examples, define) => {
    const command = withExamples(program.command(name).description(summary), examples);
    definitions.push(() => {
      if (![name, ...command.aliases()].some(isAsked)) return;
      define(command);
      for (const one of [command, ...command.commands]) addCommonOptions(one);
    });
    return command;
  };

  addExecuteCommand(terminal, add, run);
  addPlanCommand(terminal, add, run);
  addServeCommand(terminal, add, run);
  addDocumentCommands(terminal, add, run);
  addRecordCommands(terminal, add, run);
  addRunCommands(terminal, add, run);
  addReportCommand(terminal, add, run);
  addMachineCommands(terminal, add, run);
  addTokenCommands(terminal, add, run);
  addLoginCommands(terminal, add, run);
  addAuditCommands(terminal, add, run);
  addShellCommands(terminal, program, add, run);

  for (const define of definitions) define();
  for (const [heading, names] of GROUPS)
    for (const name of names) program.commands.find((one) => one.name() === name)?.helpGroup(heading);
  return configureHelp(
    program,
    terminal,
    GROUPS.flatMap(([, names]) => names),
    write,
  );
}

/** Every command below the program, also those of groups. */
export function allCommands(program: Command): readonly Command[] {
  return program.commands.flatMap((one) => [one, ...one.commands]);
}

function addCommonOptions(command: Command): void {
  command
    .optionsGroup('Common options:')
    .option('--runbooks-dir <folder>', 'folder of the runbooks (default: the nearest runbooks/)')
    .option('--state-dir <folder>', 'folder of the ledger and the outputs')
    .option('--json', 'print one JSON document on stdout')
    .option('-q, --quiet', 'no messages but errors')
    .option('-v, --verbose', 'say also where settings come from, and how long things took')
    .option('--no-color', 'no colours')
    .helpOption('-h, --help', 'show help');
}
