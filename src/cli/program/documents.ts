/** Commands that read documents and start nothing; as in `main.ts`, what they do is loaded when one is called. */
import { Option } from 'commander';
import { collect } from './words.ts';
import type { AddCommand, RunCommand } from './words.ts';
import type { ListOptions } from '../commands/list.ts';
import type { ShowOptions } from '../commands/show.ts';
import type { ValidateOptions } from '../commands/validate.ts';
import type { Terminal } from '../terminal.ts';

export function addDocumentCommands(terminal: Terminal, add: AddCommand, run: RunCommand): void {
  add('validate', 'Check documents against the format; nothing is run.', [
    'runbook validate',
    "runbook validate 'runbooks/*.md'",
    'runbook validate DrainNode --ready   # also variables, inputs, interpreters',
  ])
    .argument('[documents...]', 'names, files, folders or patterns (default: the folder of the runbooks)')
    .option('--ready', 'check also that variables, inputs and interpreters are there')
    .action(async (documents: readonly string[], options: ValidateOptions) => {
      await run(terminal, 'validate', options, async () =>
        (await import('../commands/validate.ts')).validateCommand(terminal, documents, options),
      );
    });

  add('list', 'List the runbooks of the folder: who may run them, and how they ran last.', [
    'runbook list',
    'runbook list --search drain   # names first, then titles, tags and texts; typos are forgiven',
    'runbook list --alert DiskFull --tag storage',
    'runbook list --sort last   # what did not succeed first',
    "runbook list --json | jq -r '.runbooks[].name'",
  ])
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
    });

  add('show', 'Show a runbook: what it needs, who may run it, its steps, and the document.', [
    'runbook show DrainNode',
    "runbook show DrainNode --step 'Service the node'   # one step, with its script",
    'runbook show DrainNode --html > DrainNode.html',
    "runbook show DrainNode --json | jq '.runbook.env'",
  ])
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
    });
}
