/** Pages of the manual in roff (`man(7)`), from the definitions of the commands. Pure. */
import type { Command, Help } from 'commander';
import { ERRORS, OUTCOME_EXITS } from '../../core/errors.ts';
import { environmentName, SETTING_NAMES, SETTINGS } from '../../core/settings.ts';
import { examplesOf } from './words.ts';

/** @returns file names with their text: `runbook.1`, and one for each command */
export function manualPages(program: Command, version: string): readonly (readonly [name: string, text: string])[] {
  const commands = program.commands.flatMap((one) => (one.commands.length > 0 ? [one, ...one.commands] : [one]));
  return [program, ...commands].map((command) => [`${pageName(command)}.1`, page(program, command, version)] as const);
}

/** `runbook-audit-verify` */
function pageName(command: Command): string {
  return command.parent === null ? command.name() : `${pageName(command.parent)}-${command.name()}`;
}

function fullName(command: Command): string {
  return pageName(command).replaceAll('-', ' ');
}

function page(program: Command, command: Command, version: string): string {
  const help: Help = command.createHelp();
  const description = command.description();
  const summary = description.replace(/\.$/, '');
  const lines = [
    // Hyphens of options are to be copied as they are typed.
    `.TH ${quoted(pageName(command).toUpperCase())} 1 "" ${quoted(`runbook ${version}`)} "runbook"`,
    '.SH NAME',
    `${text(pageName(command))} \\- ${text(`${summary.charAt(0).toLowerCase()}${summary.slice(1)}`)}`,
    ...section('SYNOPSIS', [`.B ${text(fullName(command))}`, text(command.usage())]),
    ...section('DESCRIPTION', [text(description), ...(command === program ? about(program, help) : [])]),
    ...section(
      'ARGUMENTS',
      help.visibleArguments(command).flatMap((one) => item(help.argumentTerm(one), help.argumentDescription(one))),
    ),
    ...section(
      'COMMANDS',
      help
        .visibleCommands(command)
        .flatMap((sub) => ['.TP', `.BR ${text(pageName(sub))} (1)`, text(sub.description())]),
    ),
    ...section(
      'OPTIONS',
      help.visibleOptions(command).flatMap((option) => item(help.optionTerm(option), help.optionDescription(option))),
    ),
    ...section('EXAMPLES', ['.nf', ...examplesOf(command).flatMap(example), '.fi']),
    ...(command === program ? [...section('ENVIRONMENT', environment()), ...section('EXIT STATUS', exits())] : []),
    ...section('SEE ALSO', [
      command === program
        ? 'The files RUNBOOK_FORMAT.md and docs/errors.md of the package.'
        : `.BR ${text(program.name())} (1)`,
    ]),
  ];
  return `${lines.join('\n')}\n`;
}

function about(program: Command, help: Help): readonly string[] {
  return help.visibleCommands(program).length === 0 ? [] : ['.PP', 'Each command has a page of its own.'];
}

function section(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : [`.SH ${quoted(title)}`, ...lines];
}

function item(term: string, description: string): readonly string[] {
  return ['.TP', `.B ${text(term)}`, text(description)];
}

function example(line: string): readonly string[] {
  const [command = '', remark] = line.split('   # ');
  return [...(remark === undefined ? [] : [text(`# ${remark}`)]), text(command)];
}

function environment(): readonly string[] {
  return [
    'Every setting can be a variable:',
    ...SETTING_NAMES.flatMap((name) => item(environmentName(name), SETTINGS[name].description)),
    ...item('NO_COLOR', 'No colours.'),
    ...item('PAGER', 'What shows texts that are longer than the screen.'),
  ];
}

function exits(): readonly string[] {
  const meanings = new Map<number, string[]>([[0, ['The run succeeded, or what was asked was done.']]]);
  for (const { exit, meaning } of [...Object.values(ERRORS), ...Object.values(OUTCOME_EXITS)])
    meanings.set(exit, [...(meanings.get(exit) ?? []), meaning]);
  const codes = [...meanings].toSorted(([a], [b]) => a - b);
  return [
    ...codes.flatMap(([code, texts]) => item(String(code), texts.join(' '))),
    ...item('other', 'Of a script that failed: its own.'),
  ];
}

/** As it is, on one line: nothing in it is a request or an escape of roff. */
function text(plain: string): string {
  const line = plain
    .replaceAll('\n', ' ')
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('^', '\\(ha')
    .replaceAll('~', '\\(ti')
    .replaceAll('`', '\\(ga')
    .replaceAll("'", '\\(aq')
    .replaceAll('"', '\\(dq')
    .replaceAll(
      /[^ -~]/gu,
      (character) => `\\[u${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}]`,
    );
  return /^[.']/.test(line) ? `\\&${line}` : line;
}

/** An argument of a request. */
function quoted(plain: string): string {
  return `"${text(plain)}"`;
}
