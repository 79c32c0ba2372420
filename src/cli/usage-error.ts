/** What was typed and is not understood, in one sentence, and what was probably meant. */
import type { Command, CommanderError } from 'commander';
import { RunbookError } from '../core/errors.ts';
import { didYouMean, nearestFew } from '../core/spelling.ts';
import { commandNames } from './leading-options.ts';

/** What shows the values of an argument, by its name. */
const WHERE_FROM: ReadonlyMap<string, string> = new Map([
  ['run', 'Name a run; `runbook ps` shows those that are under way.'],
  ['runbook', 'Name a runbook; `runbook list` shows what there is.'],
]);

/** @param runbookMeant what to do where the first word is the name of a runbook; null: it is none */
export async function asUsageError(
  error: CommanderError,
  program: Command,
  words: readonly string[],
  runbookMeant: () => Promise<string | null>,
): Promise<RunbookError> {
  const names = commandNames(program, words);
  const [first = '', ...rest] = error.message
    .replace(/^error: /, '')
    .replace(/\.$/, '')
    .split('\n');
  const suggestion = rest.join(' ').replace(/^\((.*)\)$/, '$1');
  const help =
    names.length === 0
      ? '`runbook --help` and `runbook COMMAND --help` show what there is.'
      : `\`runbook ${names.join(' ')} --help\` shows how it is called.`;
  const special = wrongSubcommand(error, program, names, words, help) ?? wrongChoice(error.message, help);
  if (special !== null) return special;
  const instead = error.code === 'commander.unknownCommand' ? await runbookMeant() : null;
  const likely = suggestion === '' ? optionMeant(first, program, names) : suggestion;
  const missing = error.code === 'commander.missingArgument' ? WHERE_FROM.get(quotedIn(first)) : undefined;
  return new RunbookError('usage', `${first.charAt(0).toUpperCase()}${first.slice(1)}.`, {
    fix: instead ?? missing ?? likely ?? help,
  });
}

/** Whatever else stands there: the options belong to a command that is not known. */
function wrongSubcommand(
  { code, message }: CommanderError,
  program: Command,
  names: readonly string[],
  words: readonly string[],
  help: string,
): RunbookError | null {
  const group = commandOf(program, names);
  const known = group.commands.map((one) => one.name());
  const next = words[names.length];
  if (names.length === 0 || group.commands.length === 0 || next === undefined) return null;
  const isBehindOptions = next.startsWith('-');
  if (isBehindOptions && code !== 'commander.excessArguments') return null;
  // Commander's `… Expected 0 arguments but got 1: verfy.`
  const word = isBehindOptions
    ? parted(message, ' but got ')[1]
        .replace(/^\d+: /, '')
        .replace(/\.$/, '')
    : next;
  return new RunbookError('usage', `Unknown command '${names.join(' ')} ${word}'.`, {
    fix: didYouMean(word, known) ?? help,
  });
}

/** Commander's `option '--sort <order>' argument 'lst' is invalid. Allowed choices are name, last, age.` */
function wrongChoice(message: string, help: string): RunbookError | null {
  const [said, list] = parted(message, '. Allowed choices are ');
  const [subject, argument] = parted(said, ' is invalid');
  if (list === '' || subject === '') return null;
  const [option, given] = parted(subject, "' argument '");
  const what = given === '' ? `<${quotedIn(argument)}>` : option.slice(option.indexOf("'") + 1).replace(/ .*$/, '');
  const written = given === '' ? quotedIn(subject) : given.slice(0, -1);
  const choices = list.replace(/\.$/, '');
  return new RunbookError('usage', `${what}: “${written}” is not one of ${choices}.`, {
    fix: didYouMean(written, choices.split(', ')) ?? help,
  });
}

/** What stands before the last `mark`, and behind it; nothing of both where there is none. What was typed may hold anything. */
function parted(text: string, mark: string): readonly [string, string] {
  const at = text.lastIndexOf(mark);
  return at === -1 ? ['', ''] : [text.slice(0, at), text.slice(at + mark.length)];
}

/** What stands between the first quotation mark and the last. */
function quotedIn(text: string): string {
  return text.slice(text.indexOf("'") + 1, text.lastIndexOf("'"));
}

/** Where commander finds none: it does not look at what begins alike. */
function optionMeant(sentence: string, program: Command, names: readonly string[]): string | null {
  const [, name] = /^unknown option '(--[^'=]+)/.exec(sentence) ?? [];
  if (name === undefined) return null;
  const known = commandOf(program, names).options.flatMap(({ long }) => long?.slice(2) ?? []);
  const few = nearestFew(name.slice(2), known).map((one) => `--${one}`);
  return few.length === 0 ? null : `Did you mean ${few.join(' or ')}?`;
}

function commandOf(program: Command, names: readonly string[]): Command {
  return names.reduce((parent, name) => parent.commands.find((one) => one.name() === name) ?? parent, program);
}
