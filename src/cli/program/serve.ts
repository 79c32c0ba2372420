/** The command that serves runbooks; as in `main.ts`, what it does is loaded when it is called. */
import { Option } from 'commander';
import type { AddCommand, RunCommand } from './words.ts';
import type { ServeOptions } from '../commands/serve.ts';
import type { Terminal } from '../terminal.ts';

export function addServeCommand(terminal: Terminal, add: AddCommand, run: RunCommand): void {
  add(
    'serve',
    'Serve the runbooks over HTTP: the API of Stage0, with this engine behind it.',
    [
      'ENABLE_LOGIN=true runbook serve   # a first try, on this machine',
      'JWT_SECRET_FILE=/run/secrets/jwt runbook serve --runbooks-dir /runbooks --port 8083',
    ],
    (command) =>
      command
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
            (await import('../commands/serve.ts')).serveCommand(terminal, options),
          );
        }),
  );
}
