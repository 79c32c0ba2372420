/** The command that asks the record what was run; as in `main.ts`, what it does is loaded when it is called. */
import { Option } from 'commander';
import { collect } from './words.ts';
import type { AddCommand, RunCommand } from './words.ts';
import type { HistoryOptions } from '../commands/history.ts';
import { FORMATS } from '../commands/history/options.ts';
import type { Terminal } from '../terminal.ts';

export function addRecordCommands(terminal: Terminal, add: AddCommand, run: RunCommand): void {
  add(
    'history',
    'Show what was run: the runs that fit, or one of them with its output.',
    [
      'runbook history --limit 5',
      'runbook history --runbook DrainNode --outcome failed,timed-out --since 7d',
      'runbook history --since 2026-03 --until 2026-03 --format csv > march.csv   # a whole month, in UTC',
      "runbook history --grep 'connection refused' --subject anna",
      'runbook history --incident INC-42 --format markdown   # a summary to paste',
      'runbook history 01K…',
      'runbook history 01K… --document   # what it said when it was run',
      'runbook history 01K… --artifact report.txt > report.txt',
      'runbook history 01K… --follow   # what it prints, until it ends',
      'runbook history --prune --older-than 730d --dry-run',
    ],
    (command) =>
      command
        .argument('[run]', 'id of a run, its beginning, or `last`')
        .option('--runbook <name>', 'only runs of this runbook')
        .option('--subject <name>', 'only runs of this caller')
        .option(
          '--outcome <outcome>',
          'only runs that ended so: succeeded, failed, timed-out, canceled, limit-exceeded, spawn-failed, refused, interrupted; several with commas',
          collect,
        )
        .option(
          '--since <when>',
          'only runs asked for since then: 2026-03-01, 2026-03-01T14:30, or how long ago (7d, 24h)',
        )
        .option(
          '--until <when>',
          'only runs asked for until then; a date alone is that whole day, 2026-03 the month, in UTC',
        )
        .option('--incident <id>', 'only runs of this incident')
        .option('--grep <text>', 'only runs that printed this, whatever its case; at least 3 characters')
        .option('-n, --limit <count>', 'at most so many (default: 20; csv and markdown: 1000)')
        .addOption(new Option('--format <format>', 'how to print it (default: text)').choices(FORMATS))
        .option('--artifact <path>', 'print a file that the run has kept')
        .option('--document', 'print the document as it was when it was run')
        .option('-f, --follow', 'print the output as it comes, until the run ends (default: the newest one under way)')
        .option('--prune', 'take records of old runs out of the ledger, with their outputs; asks first')
        .option('--older-than <age>', 'with --prune: of runs that ended so long ago (365d)')
        .option('--dry-run', 'with --prune: only say what would be taken out')
        .option('-y, --yes', 'with --prune: do not ask')
        .action(async (run_: string | undefined, given: HistoryOptions) => {
          const options = given.format === 'json' ? { ...given, json: true } : given;
          await run(terminal, 'history', options, async () =>
            (await import('../commands/history.ts')).historyCommand(terminal, run_, options),
          );
        }),
  );
}
