/** Commands that read documents and start nothing; as in `main.ts`, what they do is loaded when one is called. */
import { Option } from 'commander';
import { INTERPRETER_NAMES } from '../../core/interpreters.ts';
import type { NewOptions } from '../commands/new.ts';
import { collect } from './words.ts';
import type { AddCommand, RunCommand } from './words.ts';
import type { ListOptions } from '../commands/list.ts';
import type { ShowOptions } from '../commands/show.ts';
import { FORMATS } from '../commands/validate/options.ts';
import type { ValidateOptions } from '../commands/validate/options.ts';
import type { Terminal } from '../terminal.ts';

export function addDocumentCommands(terminal: Terminal, add: AddCommand, run: RunCommand): void {
  add(
    'new',
    'Write a runbook to begin with: from a template, or proposed from a page of your wiki.',
    [
      'runbook new RestartService --env HOST --claim roles=sre',
      'runbook new DrainNode --steps',
      'runbook new --from wiki/postgres-failover.md   # names what should be looked at',
      'runbook new --from page.md --stdout | less',
    ],
    (command) =>
      command
        .argument('[name]', 'name of the runbook and of its file (default: made from the title)')
        .option('--from <page>', 'propose it from this markdown page: headings and numbered lists become steps')
        .option('--steps', 'a document of steps instead of one script')
        .option('--title <text>', 'what it is about; the first sentence of the document')
        .addOption(
          new Option('--interpreter <name>', 'what its scripts are written for (default: bash)').choices(
            INTERPRETER_NAMES,
          ),
        )
        .option('-e, --env <NAME[=DEFAULT]>', 'a variable that it needs; may be given several times', collect)
        .option('--claim <NAME=VALUE>', 'who may run it (roles=sre,dba); may be given several times', collect)
        .option('--dir <folder>', 'where (default: the folder of the runbooks, else here)')
        .option('--stdout', 'print it instead of writing it')
        .option('--no-input', 'never ask anything')
        .action(async (name: string | undefined, options: NewOptions) => {
          await run(terminal, 'new', options, async () =>
            (await import('../commands/new.ts')).newCommand(terminal, name, options),
          );
        }),
  );

  add(
    'validate',
    'Check documents against the format; nothing is run.',
    [
      'runbook validate',
      "runbook validate 'runbooks/*.md'",
      'runbook validate DrainNode --ready   # also variables, inputs, interpreters',
      'runbook validate --fix --dry-run   # what would be repaired; without --dry-run it is',
      'git show :runbooks/DrainNode.md | runbook validate -   # as it is staged; --fix - prints it repaired',
      'runbook validate --watch   # again at every change, until Ctrl-C',
      'runbook validate --strict --format sarif --output runbooks.sarif   # for code scanning',
    ],
    (command) =>
      command
        .argument(
          '[documents...]',
          'names, files, folders or patterns; - is stdin (default: the folder of the runbooks)',
        )
        .option('--ready', 'check also that variables, inputs and interpreters are there')
        .option('--strict', 'warnings count as errors')
        .addOption(new Option('--format <format>', 'how to print it (default: text)').choices(FORMATS))
        .option('-o, --output <file>', 'write it to this file instead of stdout')
        .option('--fix', 'repair what has one certain repair; never claims, scripts or the history')
        .option('--dry-run', 'with --fix: show the difference, write nothing')
        .option('-w, --watch', 'check again whenever a document changes, until Ctrl-C')
        .action(async (documents: readonly string[], given: ValidateOptions) => {
          const options = given.format === 'json' ? { ...given, json: true } : given;
          await run(terminal, 'validate', options, async () =>
            (await import('../commands/validate.ts')).validateCommand(terminal, documents, options),
          );
        }),
  );

  add(
    'list',
    'List the runbooks of the folder: who may run them, and how they ran last.',
    [
      'runbook list',
      'runbook list --search drain   # names first, then titles, tags and texts; typos are forgiven',
      'runbook list --alert DiskFull --tag storage',
      'runbook list --sort last   # what did not succeed first',
      "runbook list --json | jq -r '.runbooks[].name'",
    ],
    (command) =>
      command
        .option('--search <text>', 'only what fits these words, best first; may be given several times', collect)
        .option('--tag <tag>', 'only with this tag; may be given several times', collect)
        .option('--owner <owner>', 'only of this owner', collect)
        .option('--alert <alert>', 'only for this alert; may be given several times', collect)
        .addOption(
          new Option('--sort <order>', 'name; last: what did not succeed first; age: the newest run first').choices([
            'name',
            'last',
            'age',
          ]),
        )
        .action(async (options: ListOptions) => {
          await run(terminal, 'list', options, async () =>
            (await import('../commands/list.ts')).listCommand(terminal, options),
          );
        }),
  );

  add(
    'show',
    'Show a runbook: what it needs, who may run it, its steps, and the document.',
    [
      'runbook show DrainNode',
      "runbook show DrainNode --step 'Service the node'   # one step, with its script",
      'runbook show DrainNode --html > DrainNode.html',
      "runbook show DrainNode --json | jq '.runbook.env'",
    ],
    (command) =>
      command
        .argument('<runbook>', 'name or path')
        .option('--step <step>', 'one step with its scripts: name, its beginning, or number')
        .option('--summary', 'without the document, but with the scripts')
        .option('--history', 'the document with its history')
        .option('--html', 'the document as one HTML page')
        .option('--raw', 'the document as it is, byte for byte')
        .option('--no-pager', 'never through $PAGER or less')
        .action(async (reference: string, options: ShowOptions) => {
          await run(terminal, 'show', options, async () =>
            (await import('../commands/show.ts')).showCommand(terminal, reference, options),
          );
        }),
  );
}
