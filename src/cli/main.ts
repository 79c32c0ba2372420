/** Face 1: the command line. Here are the commands and their options; what they do is loaded when one of them is called. */
import { Command, CommanderError, Option } from 'commander';
import { RunbookError } from '../core/errors.ts';
import { VERSION } from '../version.ts';
import type { ExecuteOptions } from './commands/execute.ts';
import type { ValidateOptions } from './commands/validate.ts';
import type { ServeOptions } from './commands/serve.ts';
import type { ShowOptions } from './commands/show.ts';
import type { MintOptions } from './commands/token.ts';
import { addAuditCommands } from './audit-commands.ts';
import { collect, withExamples } from './command-words.ts';
import type { CommonOptions } from './context.ts';
import { addRecordCommands } from './record-commands.ts';
import { addRunCommands } from './run-commands.ts';
import { reportError } from './report.ts';
import { createTerminal } from './terminal.ts';
import type { Terminal } from './terminal.ts';

/** @returns the program; actions set `process.exitCode` through `run` */
function createProgram(terminal: Terminal): Command {
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

  add('execute', 'Check a runbook, run it, and record the run.', [
    'runbook execute SimpleRunbook',
    'runbook execute ./DrainNode.md --env NODE=worker-7 --token-file ~/.token',
    'runbook execute RotateKey --env VAULT_TOKEN --env CERT=@cert.pem   # from your environment; from a file',
    'get-token | runbook execute Deploy --token - --yes --json',
    "runbook execute DrainNode --env NODE=worker-7 --from 'Service the node'   # go on after a failure",
    'runbook execute Deploy --incident INC-42 --record record.json   # the record for a pipeline',
    'runbook execute DrainNode --env NODE=worker-7 --stubs test/stubs   # rehearse with stand-ins for kubectl',
  ])
    .alias('run')
    .argument('[runbook]', 'name in the folder of the runbooks, or path to a document')
    .option('--runbook <path>', 'the same as the argument, as Stage0 writes it')
    .option('-e, --env <NAME[=VALUE]>', 'a variable: NAME=value, NAME=@file, or NAME from your environment', collect)
    .option('--env-file <file>', 'file of NAME=value lines', collect)
    .option('--pass-env <NAME|PATTERN>', 'let scripts see this of your environment, too (AWS_*)', collect)
    .option('--token-file <file>', 'file with the JWT that says who you are')
    .option('--token <->', 'read the token from stdin; the only value is -')
    .option('--timeout <duration>', 'end the run after this time (90s, 10m, 1h30m)')
    .addOption(
      new Option('--history <mode>', 'file: ledger and document; ledger: not in the document; none: nowhere').choices([
        'auto',
        'file',
        'ledger',
        'none',
      ]),
    )
    .option('--from <step>', 'begin at this step: name, its beginning, or number; steps that are done are skipped')
    .option('--only <step>', 'this step alone, unless it is done')
    .option('--stubs <folder>', 'rehearse: programs in this folder stand in for the real ones; needs no claims')
    .option('--execution-dir <folder>', 'folder for the private work folders')
    .addOption(
      new Option('--keep-workdir <when>', 'keep the work folder (default: failed, of several steps)').choices([
        'always',
        'failed',
        'never',
      ]),
    )
    .option('--incident <id>', 'the incident that this run belongs to')
    .option('--record <file>', 'write the finished record to this file, as `history RUN --json` prints it')
    .option('--strict', 'refuse the run where a declared limit cannot be held here')
    .option('-y, --yes', 'confirm all steps beforehand')
    .option('--no-input', 'never ask anything')
    .action(async (argument: string | undefined, options: ExecuteOptions, command: Command) => {
      await run(terminal, 'execute', options, async () =>
        (await import('./commands/execute.ts')).executeCommand(terminal, argument, options, valueOptionsOf(command)),
      );
    });

  add('serve', 'Serve the runbooks over HTTP: the API of Stage0, with this engine behind it.', [
    'ENABLE_LOGIN=true runbook serve   # a first try, on this machine',
    'JWT_SECRET_FILE=/run/secrets/jwt runbook serve --runbooks-dir /runbooks --port 8083',
  ])
    .option('--port <number>', 'port to listen on (default: 8083)')
    .option('--host <address>', 'address to listen on (default: 0.0.0.0)')
    .option('--execution-dir <folder>', 'folder for the private work folders')
    .addOption(
      new Option('--history <mode>', 'file: ledger and document; ledger: not in the document').choices([
        'auto',
        'file',
        'ledger',
      ]),
    )
    .action(async (options: ServeOptions) => {
      await run(terminal, 'serve', options, async () =>
        (await import('./commands/serve.ts')).serveCommand(terminal, options),
      );
    });

  add('validate', 'Check documents against the format; nothing is run.', [
    'runbook validate',
    "runbook validate 'runbooks/*.md'",
    'runbook validate DrainNode --ready   # also variables, inputs, interpreters',
  ])
    .argument('[documents...]', 'names, files, folders or patterns (default: the folder of the runbooks)')
    .option('--ready', 'check also that variables, inputs and interpreters are there')
    .action(async (documents: readonly string[], options: ValidateOptions) => {
      await run(terminal, 'validate', options, async () =>
        (await import('./commands/validate.ts')).validateCommand(terminal, documents, options),
      );
    });

  add('list', 'List the runbooks of the folder.', [
    'runbook list',
    "runbook list --json | jq -r '.runbooks[].name'",
  ]).action(async (options: CommonOptions) => {
    await run(terminal, 'list', options, async () =>
      (await import('./commands/list.ts')).listCommand(terminal, options),
    );
  });

  add('show', 'Show a runbook: what it needs, who may run it, its steps.', [
    'runbook show DrainNode',
    'runbook show DrainNode --json',
  ])
    .argument('<runbook>', 'name or path')
    .option('--html', 'the whole document as HTML')
    .action(async (reference: string, options: ShowOptions) => {
      await run(terminal, 'show', options, async () =>
        (await import('./commands/show.ts')).showCommand(terminal, reference, options),
      );
    });

  addRecordCommands(terminal, add, run);
  addRunCommands(terminal, add, run);

  add('config', 'Show every setting, its value and where it comes from.', [
    'runbook config',
    'runbook config --json',
  ]).action(async (options: CommonOptions) => {
    await run(terminal, 'config', options, async () =>
      (await import('./commands/config.ts')).configCommand(terminal, options),
    );
  });

  add('doctor', 'Show what this machine can do for a run: containment, limits, interpreters.', [
    'runbook doctor',
    'runbook doctor --json | jq \'.findings[] | select(.state != "ok")\'',
  ]).action(async (options: CommonOptions) => {
    await run(terminal, 'doctor', options, async () =>
      (await import('./commands/doctor.ts')).doctorCommand(terminal, options),
    );
  });

  const token = program.command('token').description('Tokens for development.').helpCommand(false);
  token.action(() => {
    token.outputHelp();
  });
  withExamples(
    token
      .command('mint')
      .description('Sign a short-lived token with the local secret. Runs with it are marked as self-made.'),
    ['runbook token mint --subject anna --role sre > token', 'runbook execute DrainNode --token-file token'],
  )
    .requiredOption('--subject <name>', 'who the token is for')
    .option('--role <role>', 'a role; may be given several times', collect)
    .option('--claim <NAME=VALUE>', 'another claim; may be given several times', collect)
    .option('--ttl <duration>', 'how long it holds (at most 12h)', '1h')
    .action(async (options: MintOptions) => {
      await run(terminal, 'token mint', options, async () =>
        (await import('./commands/token.ts')).mintCommand(terminal, options),
      );
    });

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

function valueOptionsOf(command: Command): ReadonlySet<string> {
  const names = command.options.filter(({ required }) => required).flatMap(({ short, long }) => [short, long]);
  return new Set(names.filter((name) => name !== undefined && name !== null));
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
  const words = process.argv.slice(2);
  try {
    if (words.length === 0) program.help({ error: false });
    await program.parseAsync();
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return;
    const options = { json: isForMachines(words), color: !words.includes('--no-color') };
    const command = program.commands.find(
      (known) => words[0] === known.name() || known.aliases().includes(words[0] ?? ''),
    );
    const failure = error instanceof CommanderError ? asUsageError(error) : error;
    process.exitCode = await reportError(terminal, command?.name() ?? 'runbook', options, failure);
  }
}

/** Also where the words make no sense otherwise. */
function isForMachines(words: readonly string[]): boolean {
  return words.includes('--json') || words.includes('--format=json') || words[words.indexOf('--format') + 1] === 'json';
}

/** Commander's `error: unknown option '--x'\n(Did you mean --y?)` as one sentence and what to do. */
function asUsageError(error: CommanderError): RunbookError {
  const [first = '', ...rest] = error.message
    .replace(/^error: /, '')
    .replace(/\.$/, '')
    .split('\n');
  const suggestion = rest.join(' ').replace(/^\((.*)\)$/, '$1');
  const fix = suggestion === '' ? '`runbook --help` and `runbook COMMAND --help` show what there is.' : suggestion;
  return new RunbookError('usage', `${first.charAt(0).toUpperCase()}${first.slice(1)}.`, { fix });
}
