/** How help looks: what a person wants first (examples) comes first, what every command has comes last; 80 columns. */
import type { Command, Help } from 'commander';
import { createStyle } from '../render.ts';
import type { Terminal } from '../terminal.ts';
import { examplesOf } from './words.ts';

const COLUMNS = 80;

/**
 * @param order names of commands as they are listed; those that are not among them come last
 * @param write what is printed: help and version
 */
export function configureHelp(
  program: Command,
  terminal: Terminal,
  order: readonly string[],
  write: (text: string) => void,
): Command {
  const hasColors = terminal.color.stdout && !terminal.commandLine.words.includes('--no-color');
  const style = createStyle(hasColors);
  const rank = (command: Command): number => {
    const found = order.indexOf(command.name());
    return found === -1 || command.parent !== program ? order.length : found;
  };
  for (const command of [program, ...program.commands.flatMap((one) => [one, ...one.commands])]) {
    command
      .configureOutput({
        writeOut: write,
        writeErr: () => {},
        getOutHelpWidth: () => Math.min(COLUMNS, terminal.columns ?? COLUMNS),
        getOutHasColors: () => hasColors,
      })
      .configureHelp({
        formatHelp,
        styleTitle: (title) => style.bold(title),
        visibleCommands: (parent) => parent.commands.toSorted((a, b) => rank(a) - rank(b)),
        // One line each; its own help says all of it.
        subcommandDescription: (sub) => sub.description().replace(/[:;].*$|\.$/s, ''),
        subcommandTerm: (sub) => [sub.name(), ...sub.aliases()].join(', '),
        commandUsage: usageOf,
      });
  }
  return program;
}

/** The last line of the top-level help. */
const MORE = 'More: `runbook help COMMAND`; exit codes: docs/errors.md; format of the documents: RUNBOOK_FORMAT.md.';

function formatHelp(command: Command, helper: Help): string {
  const width = helper.helpWidth ?? COLUMNS;
  const terms = helper.padWidth(command, helper);
  const item = (term: string, description: string): string => helper.formatItem(term, terms, description, helper);
  const section = (title: string, lines: readonly string[]): readonly string[] =>
    lines.length === 0 ? [] : ['', helper.styleTitle(title), ...lines];
  const options = helper.groupItems(
    [...command.options],
    helper.visibleOptions(command),
    (option) => option.helpGroupHeading ?? 'Options:',
  );
  const commands = helper.groupItems(
    helper.visibleCommands(command),
    helper.visibleCommands(command),
    (sub) => sub.helpGroup() || 'Commands:',
  );
  return [
    helper.boxWrap(command.description(), width),
    ...section(
      'Examples:',
      examplesOf(command).flatMap((example) => exampleLines(example, width)),
    ),
    ...section('Usage:', [`  ${helper.commandUsage(command)}`]),
    ...section(
      'Arguments:',
      helper.visibleArguments(command).map((one) => item(helper.argumentTerm(one), helper.argumentDescription(one))),
    ),
    ...[...commands].flatMap(([title, subs]) =>
      section(
        title,
        subs.map((sub) => item(helper.subcommandTerm(sub), helper.subcommandDescription(sub))),
      ),
    ),
    ...[...options].flatMap(([title, some]) =>
      section(
        title,
        some.map((option) => item(helper.optionTerm(option), helper.optionDescription(option))),
      ),
    ),
    ...(command.parent === null ? ['', helper.boxWrap(MORE, width)] : []),
    '',
  ].join('\n');
}

function usageOf(command: Command): string {
  const names: string[] = [];
  for (let one: Command | null = command; one !== null; one = one.parent) names.unshift(one.name());
  return `${names.join(' ')} ${command.usage()}`;
}

/** A remark (`   # …`) stands above its command where both are too long for a line; a command that is too long goes on in the next line, as a shell reads it. */
export function exampleLines(example: string, width: number): readonly string[] {
  const [command = '', remark] = example.split('   # ');
  if (example.length + 2 <= width) return [`  ${example}`];
  const lines: string[] = remark === undefined ? [] : [`  # ${remark}`];
  let line = '  ';
  for (const word of command.match(/(?:'[^']*'|[^\s'])+/g) ?? []) {
    const next = line.trim() === '' ? `${line}${word}` : `${line} ${word}`;
    // ` \` goes behind what is continued.
    if (next.length + 2 > width && line.trim() !== '') {
      lines.push(`${line} \\`);
      line = `      ${word}`;
    } else line = next;
  }
  return [...lines, line];
}
