/** The command that sends what waits for a server; as in `main.ts`, what it does is loaded when it is called. */
import type { ReportOptions } from '../commands/report.ts';
import type { AddCommand, RunCommand } from './words.ts';
import type { Terminal } from '../terminal.ts';

export function addReportCommand(terminal: Terminal, add: AddCommand, run: RunCommand): void {
  add(
    'report',
    'Send the records that wait for a server (`execute --report-to`), and say what is left and why.',
    [
      'runbook report --report-to https://runbooks.example.com --token-file token',
      "runbook report --json | jq '.left'",
      'runbook report --refused   # also those that the server did not take',
    ],
    (command) =>
      command
        .option('--report-to <url>', 'only what waits for this server; a token that is given goes nowhere else')
        .option('--refused', 'also what the server has refused before')
        .option('--token-file <file>', 'file with the JWT that says who you are')
        .option('--token <source>', '-: read the token from stdin; github-oidc[:AUDIENCE]: the identity of the job')
        .action(async (options: ReportOptions) => {
          await run(terminal, 'report', options, async () =>
            (await import('../commands/report.ts')).reportCommand(terminal, options),
          );
        }),
  );
}
