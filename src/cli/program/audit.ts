/** Commands for the ledger as a whole; as in `main.ts`, what they do is loaded when one is called. */
import { collect, showsItsCommands, withExamples } from './words.ts';
import type { AddCommand, RunCommand } from './words.ts';
import type { AuditListOptions, VerifyOptions } from '../commands/audit.ts';
import type { CommonOptions } from '../context.ts';
import type { Terminal } from '../terminal.ts';

export function addAuditCommands(terminal: Terminal, add: AddCommand, run: RunCommand): void {
  add('audit', 'The ledger as a whole: whether it holds, what was done to it.', [], (audit) => {
    showsItsCommands(audit);
    withExamples(
      audit.command('verify').description('Check that nothing in the record was altered; names the first bad record.'),
      [
        'runbook audit verify',
        'runbook audit verify --expect 4711:9f86d081…   # a record whose hash you have kept',
        'runbook audit verify --outputs',
        'runbook audit verify --ledger backup.sqlite',
      ],
    )
      .option('--ledger <file>', 'a copy of a ledger; it is only read')
      .option('--outputs', 'also compare every output and artifact that is kept with its record')
      .option('--expect <SEQ:HASH>', 'a record that has to be there; may be given several times', collect)
      .action(async (options: VerifyOptions) => {
        await run(terminal, 'audit verify', options, async () =>
          (await import('../commands/audit.ts')).verifyCommand(terminal, options),
        );
      });
    withExamples(audit.command('list').description('Show what was done to runs and to the record, newest first.'), [
      'runbook audit list',
      'runbook audit list --json | jq \'.operations[] | select(.operation == "prune")\'',
    ])
      .option('-n, --limit <count>', 'at most so many', '20')
      .action(async (options: AuditListOptions) => {
        await run(terminal, 'audit list', options, async () =>
          (await import('../commands/audit.ts')).listCommand(terminal, options),
        );
      });
    withExamples(
      audit.command('copy').description('Copy the ledger while others may write to it, and check the copy.'),
      ['runbook audit copy /backup/ledger-$(date +%F).sqlite'],
    )
      .argument('<file>', 'where; it must not be there yet')
      .action(async (file: string, options: CommonOptions) => {
        await run(terminal, 'audit copy', options, async () =>
          (await import('../commands/audit.ts')).copyCommand(terminal, file, options),
        );
      });
  });
}
