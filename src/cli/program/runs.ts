/** Commands that look after runs from another terminal; as in `main.ts`, what they do is loaded when one is called. */
import type { CancelOptions } from '../commands/cancel.ts';
import type { AddCommand, RunCommand } from './words.ts';
import type { CommonOptions } from '../context.ts';
import type { Terminal } from '../terminal.ts';

export function addRunCommands(terminal: Terminal, add: AddCommand, run: RunCommand): void {
  add(
    'ps',
    'Show what runs now: where, since when, and whether it still prints.',
    ['runbook ps', "runbook ps --json | jq -r '.runs[].runId'"],
    (command) =>
      command.action(async (options: CommonOptions) => {
        await run(terminal, 'ps', options, async () =>
          (await import('../commands/ps.ts')).psCommand(terminal, options),
        );
      }),
  );

  add(
    'cancel',
    'End a run that was started elsewhere on this machine, and say how it ended.',
    ['runbook cancel 01K…', "runbook cancel last --reason 'wrong cluster'", 'runbook cancel 01K… --no-wait'],
    (command) =>
      command
        .argument('<run>', 'id of a run, its beginning, or `last`')
        .option('--reason <text>', 'why; it is recorded, and shown to whoever started the run')
        .option('--wait <duration>', 'wait so long for its end (default: the stop grace and 10s)')
        .option('--no-wait', 'do not wait for its end')
        .action(async (run_: string, options: CancelOptions) => {
          await run(terminal, 'cancel', options, async () =>
            (await import('../commands/cancel.ts')).cancelCommand(terminal, run_, options),
          );
        }),
  );

  add(
    'pause',
    'Let no run begin until `runbook resume`; what is under way goes on.',
    ["runbook pause 'INC-42: database is being restored'", 'runbook ps   # says that runs are paused, by whom and why'],
    (command) =>
      command
        .argument('<reason...>', 'why; whoever is refused reads it')
        .action(async (words: readonly string[], options: CommonOptions) => {
          await run(terminal, 'pause', options, async () =>
            (await import('../commands/pause.ts')).pauseCommand(terminal, words, options),
          );
        }),
  );

  add('resume', 'Let runs begin again after `runbook pause`.', ['runbook resume'], (command) =>
    command.action(async (options: CommonOptions) => {
      await run(terminal, 'resume', options, async () =>
        (await import('../commands/pause.ts')).resumeCommand(terminal, options),
      );
    }),
  );
}
