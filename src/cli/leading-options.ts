/** `runbook --json list` is understood as `runbook list --json`: who adds an option to the last line puts it anywhere. */
import type { Command, Option } from 'commander';

/**
 * @param words of the command line
 * @returns them with the common options that stand before the command behind it; as they are where something else stands there
 */
export function behindTheCommand(program: Command, words: readonly string[]): readonly string[] {
  const common = commonOptions(program);
  let end = 0;
  for (let word = words[end]; word?.startsWith('-') === true; word = words[end]) {
    const name = word.replace(/=.*$/s, '');
    const option = common.find(({ long, short }) => long === name || short === name);
    if (option === undefined) return words;
    end += option.required && !word.includes('=') ? 2 : 1;
  }
  const [leading, rest] = [words.slice(0, end), words.slice(end)];
  if (leading.length === 0 || rest.length === 0) return words;
  const length = Math.max(1, commandNames(program, rest).length);
  return [...rest.slice(0, length), ...leading, ...rest.slice(length)];
}

/** Those that every command has. */
function commonOptions(program: Command): readonly Option[] {
  const [first, ...others] = program.commands.map(({ options }) => options);
  return (first ?? []).filter(({ long }) => others.every((options) => options.some((option) => option.long === long)));
}

/** Names of the command that the words begin with, as it is defined: `audit verify` are two, `run` is `execute`. */
export function commandNames(program: Command, words: readonly string[]): readonly string[] {
  const [word = '', ...rest] = words;
  const command = program.commands.find((known) => known.name() === word || known.aliases().includes(word));
  return command === undefined ? [] : [command.name(), ...commandNames(command, rest)];
}
