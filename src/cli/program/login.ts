/** The commands that get and forget tokens of servers; as in `main.ts`, what they do is loaded when one is called. */
import type { LoginOptions } from '../commands/login.ts';
import { collect } from './words.ts';
import type { AddCommand, RunCommand } from './words.ts';
import type { Terminal } from '../terminal.ts';

export function addLoginCommands(terminal: Terminal, add: AddCommand, run: RunCommand): void {
  add(
    'login',
    'Log in to a server: its issuer asks you in a browser, and the token is kept for the commands that need it.',
    [
      'runbook login --server https://runbooks.example.com',
      'runbook login --server http://127.0.0.1:8083 --subject anna --role sre   # development',
    ],
    (command) =>
      command
        .option('--server <url>', 'address of the server (default: that of --report-to in the settings)')
        .option('--subject <name>', 'of a development login: who the token is for')
        .option('--role <role>', 'of a development login: a role; may be given several times', collect)
        .action(async (options: LoginOptions) => {
          await run(terminal, 'login', options, async () =>
            (await import('../commands/login.ts')).loginCommand(terminal, options),
          );
        }),
  );

  add('logout', 'Forget the token of a server.', ['runbook logout --server https://runbooks.example.com'], (command) =>
    command
      .option('--server <url>', 'address of the server (default: that of --report-to in the settings)')
      .action(async (options: LoginOptions) => {
        await run(terminal, 'logout', options, async () =>
          (await import('../commands/login.ts')).logoutCommand(terminal, options),
        );
      }),
  );
}
