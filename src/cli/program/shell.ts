/** Commands for whoever sits at a shell; as in `main.ts`, what they do is loaded when one is called. */
import { Argument } from 'commander';
import type { Command } from 'commander';
import { RunbookError } from '../../core/errors.ts';
import { didYouMean } from '../../core/spelling.ts';
import { SHELLS } from '../completion/shells.ts';
import type { Shell } from '../completion/shells.ts';
import type { CommonOptions } from '../context.ts';
import type { Terminal } from '../terminal.ts';
import type { AddCommand, RunCommand } from './words.ts';

export function addShellCommands(terminal: Terminal, program: Command, add: AddCommand, run: RunCommand): void {
  add(
    'completion',
    'Print what a shell loads to complete commands, runbooks, steps, variables and runs.',
    [
      'source <(runbook completion bash)   # bash: for this shell; the same line in ~/.bashrc: for every one',
      'source <(runbook completion zsh)   # zsh: the same, in ~/.zshrc behind compinit',
      'runbook completion zsh > "${fpath[1]}/_runbook"   # zsh: in a folder of its functions',
      'runbook completion fish > ~/.config/fish/completions/runbook.fish   # fish',
    ],
    (command) =>
      command
        .addArgument(new Argument('<shell>', 'for which shell').choices(SHELLS))
        .action(async (shell: Shell, options: CommonOptions) => {
          await run(terminal, 'completion', options, async () =>
            (await import('../commands/completion.ts')).completionCommand(terminal, shell),
          );
        }),
  );

  add('help', 'Show help for a command.', ['runbook help execute', 'runbook help audit verify'], (command) =>
    command
      .argument('[command...]', 'which one (default: all of them)')
      .action(async (words: readonly string[], options: CommonOptions) => {
        await run(terminal, 'help', options, async () => {
          commandOf(program, words).outputHelp();
          return 0;
        });
      }),
  );
}

/** @throws RunbookError `usage` */
function commandOf(program: Command, words: readonly string[]): Command {
  let command = program;
  for (const word of words) {
    const found = command.commands.find((one) => one.name() === word || one.aliases().includes(word));
    if (found === undefined) {
      const known = command.commands.map((one) => one.name());
      throw new RunbookError('usage', `There is no command “${word}”.`, {
        fix: didYouMean(word, known) ?? '`runbook help` shows all of them.',
      });
    }
    command = found;
  }
  return command;
}
