/** The command that runs a runbook, and the one that says what that would do; as in `main.ts`, what they do is loaded when one is called. */
import { Option } from 'commander';
import type { Command } from 'commander';
import { collect } from './words.ts';
import type { AddCommand, RunCommand } from './words.ts';
import type { ExecuteOptions } from '../run-request.ts';
import type { Terminal } from '../terminal.ts';

export function addExecuteCommand(terminal: Terminal, add: AddCommand, run: RunCommand): void {
  add(
    'execute',
    'Check a runbook, run it, and record the run.',
    [
      'runbook execute SimpleRunbook',
      'runbook execute ./DrainNode.md --env NODE=worker-7 --token-file ~/.token',
      'runbook execute RotateKey --env VAULT_TOKEN --env CERT=@cert.pem   # from your environment; from a file',
      'get-token | runbook execute Deploy --token - --yes --json',
      "runbook execute DrainNode --env NODE=worker-7 --from 'Service the node'   # go on after a failure",
      'runbook execute Deploy --incident INC-42 --record record.json   # the record for a pipeline',
      'runbook execute Deploy --token github-oidc --junit run.xml   # in a job of GitHub Actions, as that job',
      'runbook execute Deploy --report-to https://runbooks.example.com   # the record goes there, too',
      'runbook execute DrainNode --env NODE=worker-7 --stubs test/stubs   # rehearse with stand-ins for kubectl',
    ],
    (command) =>
      addRunOptions(command)
        .option('--dry-run', 'start nothing and say what it would do, as `runbook plan`')
        .action(async (argument: string | undefined, options: ExecuteOptions) => {
          await run(terminal, 'execute', options, async () =>
            options.dryRun === true
              ? (await import('../commands/plan.ts')).planCommand(terminal, argument, options)
              : (await import('../commands/execute.ts')).executeCommand(
                  terminal,
                  argument,
                  options,
                  valueOptionsOf(command),
                ),
          );
        }),
  ).alias('run');
}

/** The same words as `execute`, so that one command becomes the other by one word. */
export function addPlanCommand(terminal: Terminal, add: AddCommand, run: RunCommand): void {
  add(
    'plan',
    'Show what a run would do and what stands in its way; nothing is started or written.',
    [
      'runbook plan DrainNode --env NODE=worker-7',
      'runbook plan RotateKey --token-file token && runbook execute RotateKey --token-file token',
      "runbook plan Deploy --from 'Switch over' --json | jq '.refusals'",
    ],
    (command) =>
      addRunOptions(command).action(async (argument: string | undefined, options: ExecuteOptions) => {
        await run(terminal, 'plan', options, async () =>
          (await import('../commands/plan.ts')).planCommand(terminal, argument, options),
        );
      }),
  );
}

function addRunOptions(command: Command): Command {
  return command
    .argument('[runbook]', 'name in the folder of the runbooks, or path to a document')
    .option('--runbook <path>', 'the same as the argument, as Stage0 writes it')
    .option('-e, --env <NAME[=VALUE]>', 'a variable: NAME=value, NAME=@file, or NAME from your environment', collect)
    .option('--env-file <file>', 'file of NAME=value lines', collect)
    .option('--pass-env <NAME|PATTERN>', 'let scripts see this of your environment, too (AWS_*)', collect)
    .option('--token-file <file>', 'file with the JWT that says who you are')
    .option('--token <source>', '-: read the token from stdin; github-oidc[:AUDIENCE]: the identity of the job')
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
    .option('--junit <file>', 'write what came of it to this file, a test case a step')
    .option('--report-to <url>', 'send the finished record to this server, too; kept and retried while it is away')
    .option('--no-progress', 'no live line at the terminal')
    .option('--strict', 'refuse the run where a declared limit cannot be held here')
    .option('-y, --yes', 'confirm all steps beforehand')
    .option('--no-input', 'never ask anything');
}

/** Names of the options whose next word is their value. */
function valueOptionsOf(command: Command): ReadonlySet<string> {
  const names = command.options.filter(({ required }) => required).flatMap(({ short, long }) => [short, long]);
  return new Set(names.filter((name) => name !== undefined && name !== null));
}
