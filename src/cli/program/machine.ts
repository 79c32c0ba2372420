/** Commands about this machine and its settings; as in `main.ts`, what they do is loaded when one is called. */
import type { AddCommand, RunCommand } from './words.ts';
import type { DoctorOptions } from '../commands/doctor.ts';
import type { CommonOptions } from '../context.ts';
import type { Terminal } from '../terminal.ts';

export function addMachineCommands(terminal: Terminal, add: AddCommand, run: RunCommand): void {
  add(
    'config',
    'Show every setting, its value and where it comes from.',
    ['runbook config', 'runbook config --json'],
    (command) =>
      command.action(async (options: CommonOptions) => {
        await run(terminal, 'config', options, async () =>
          (await import('../commands/config.ts')).configCommand(terminal, options),
        );
      }),
  );

  add(
    'doctor',
    'Show what this machine can do for a run, what its scripts can reach, and what to mend.',
    [
      'runbook doctor',
      'runbook doctor --json | jq \'.findings[] | select(.state != "ok")\'',
      'runbook doctor --stage0 docker-compose.yaml runbooks/   # before Stage0 is replaced',
    ],
    (command) =>
      command
        .argument('[folder]', 'with --stage0: its runbooks (default: where the compose file mounts them from)')
        .option('--stage0 <compose.yaml>', 'say what would be noticed when this deployment of Stage0 is replaced')
        .action(async (folder: string | undefined, options: DoctorOptions) => {
          await run(terminal, 'doctor', options, async () =>
            (await import('../commands/doctor.ts')).doctorCommand(terminal, folder, options),
          );
        }),
  );
}
