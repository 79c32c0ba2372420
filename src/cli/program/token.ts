/** Tokens for development; as in `main.ts`, what the commands do is loaded when one is called. */
import { collect, showsItsCommands, withExamples } from './words.ts';
import type { AddCommand, RunCommand } from './words.ts';
import type { MintOptions } from '../commands/token.ts';
import type { Terminal } from '../terminal.ts';

export function addTokenCommands(terminal: Terminal, add: AddCommand, run: RunCommand): void {
  add('token', 'Tokens for development.', [], (token) => {
    showsItsCommands(token);
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
          (await import('../commands/token.ts')).mintCommand(terminal, options),
        );
      });
  });
}
