/** What may stand at the cursor, by the definitions of the commands. What is known of this machine comes from `Known`. */
import type { Argument, Command, Option } from 'commander';
import { ALL_OUTCOMES } from '../../core/outcomes.ts';

export interface Candidate {
  readonly value: string;
  /** Few words; may be empty. */
  readonly about: string;
}

/** `files`, `folders`: names of them will do as well, which the shell knows best. */
export interface Completion {
  readonly besides: 'none' | 'files' | 'folders';
  readonly candidates: readonly Candidate[];
}

/** Asked only for what is wanted. Nothing where it is not known; never throws. */
export interface Known {
  runbooks(): Promise<readonly Candidate[]>;
  /** Steps of the runbook. */
  steps(runbook: string): Promise<readonly Candidate[]>;
  variables(runbook: string): Promise<readonly Candidate[]>;
  /** Values that a variable may have. */
  choices(runbook: string, variable: string): Promise<readonly Candidate[]>;
  /** @param underWay only those that have not ended */
  runs(underWay: boolean): Promise<readonly Candidate[]>;
  /** Tags, owners or alerts of all runbooks. */
  metadata(kind: 'tag' | 'owner' | 'alert'): Promise<readonly Candidate[]>;
  readonly environment: readonly string[];
}

const NOTHING: Completion = { besides: 'none', candidates: [] };

interface Typed {
  readonly command: Command;
  readonly operands: readonly string[];
  /** The option whose value is at the cursor. */
  readonly pending: Option | null;
  /** `--` was typed. */
  readonly isOver: boolean;
}

/** @param before words behind the name of the tool; @param current the word at the cursor, up to it */
export async function complete(
  program: Command,
  before: readonly string[],
  current: string,
  known: Known,
): Promise<Completion> {
  const typed = read(program, before);
  const { command, operands, pending, isOver } = typed;
  const found = await candidatesFor(typed, current, known);
  const { besides, candidates } = found ?? NOTHING;
  if (found === null || (pending === null && !isOver && current.startsWith('-'))) {
    const [, flag, written] = /^(--[^=]+)=(.*)$/s.exec(current) ?? [];
    const option = flag === undefined ? null : optionOf(command, flag);
    if (option !== null && written !== undefined) {
      const values = await valuesOf(option, operands, written, known);
      return fitting(
        { ...values, candidates: values.candidates.map(({ value, about }) => ({ value: `${flag}=${value}`, about })) },
        current,
      );
    }
    return fitting({ besides: 'none', candidates: optionsOf(command) }, current);
  }
  return fitting({ besides, candidates }, current);
}

/** @returns null: an option is being typed */
async function candidatesFor(
  { command, operands, pending, isOver }: Typed,
  current: string,
  known: Known,
): Promise<Completion | null> {
  if (pending !== null) return await valuesOf(pending, operands, current, known);
  if (!isOver && current.startsWith('-')) return null;
  if (command.commands.length > 0 && operands.length === 0) return { besides: 'none', candidates: commandsOf(command) };
  const { registeredArguments: all } = command;
  const argument = all[operands.length] ?? (all.at(-1)?.variadic === true ? all.at(-1) : undefined);
  return argument === undefined ? NOTHING : await operandsFor(command, argument, known);
}

function read(program: Command, before: readonly string[]): Typed {
  let command = program;
  let pending: Option | null = null;
  let isOver = false;
  const operands: string[] = [];
  for (const word of before) {
    if (pending !== null) {
      if (optionOf(command, '--runbook') === pending && ['execute', 'plan'].includes(command.name()))
        operands.push(word);
      pending = null;
    } else if (isOver) operands.push(word);
    else if (word === '--') isOver = true;
    else if (word.startsWith('-') && word !== '-') {
      const option = optionOf(command, word);
      pending = option !== null && option.required ? option : null;
    } else {
      const sub: Command | undefined = operands.length > 0 ? undefined : subcommandOf(command, word);
      if (sub === undefined) operands.push(word);
      else command = sub;
    }
  }
  return { command, operands, pending, isOver };
}

function optionOf({ options }: Command, word: string): Option | null {
  return options.find(({ short, long }) => word === short || word === long) ?? null;
}

function subcommandOf({ commands }: Command, word: string): Command | undefined {
  return commands.find((one) => one.name() === word || one.aliases().includes(word));
}

function commandsOf({ commands }: Command): readonly Candidate[] {
  return commands.map((one) => ({ value: one.name(), about: one.summary() || one.description() }));
}

function optionsOf(command: Command): readonly Candidate[] {
  const shown = command.options.filter(({ hidden }) => !hidden);
  return [
    ...shown.flatMap(({ long, description }) =>
      typeof long === 'string' ? [{ value: long, about: description }] : [],
    ),
    { value: '--help', about: 'show help' },
  ];
}

/** What an option's value stands for is said by its placeholder: `--from <step>`. */
async function valuesOf(
  option: Option,
  operands: readonly string[],
  current: string,
  known: Known,
): Promise<Completion> {
  const of = (candidates: readonly Candidate[]): Completion => ({ besides: 'none', candidates });
  if (option.argChoices !== undefined) return of(option.argChoices.map(plain));
  const placeholder = /[<[]([^>\]]+)/.exec(option.flags)?.[1] ?? '';
  const [runbook = ''] = operands;
  switch (placeholder) {
    case 'file':
      return { besides: 'files', candidates: [] };
    case 'folder':
      return { besides: 'folders', candidates: [] };
    case 'path':
      return option.long === '--runbook' ? { besides: 'files', candidates: await known.runbooks() } : NOTHING;
    case 'step':
      return of(await known.steps(runbook));
    case 'NAME[=VALUE]':
    case 'NAME[=VALUE':
      return await assignment(runbook, current, known);
    case 'NAME|PATTERN':
      return of(known.environment.map(plain));
    case 'tag':
    case 'owner':
    case 'alert':
      return of(await known.metadata(placeholder));
    case 'outcome': {
      const done = current.slice(0, current.lastIndexOf(',') + 1);
      return of(ALL_OUTCOMES.map((outcome) => plain(`${done}${outcome}`)));
    }
    default:
      return option.long === '--runbook' ? of(await known.runbooks()) : NOTHING;
  }
}

async function assignment(runbook: string, current: string, known: Known): Promise<Completion> {
  const equals = current.indexOf('=');
  if (equals === -1) {
    const variables = await known.variables(runbook);
    return { besides: 'none', candidates: variables };
  }
  const name = current.slice(0, equals);
  const choices = await known.choices(runbook, name);
  return { besides: 'none', candidates: choices.map(({ value, about }) => ({ value: `${name}=${value}`, about })) };
}

async function operandsFor(command: Command, argument: Argument, known: Known): Promise<Completion> {
  if (argument.argChoices !== undefined) return { besides: 'none', candidates: argument.argChoices.map(plain) };
  switch (argument.name()) {
    case 'runbook':
    case 'documents':
      return { besides: 'files', candidates: await known.runbooks() };
    case 'run':
      return { besides: 'none', candidates: await known.runs(command.name() === 'cancel') };
    case 'command':
      return { besides: 'none', candidates: command.parent === null ? [] : commandsOf(command.parent) };
    case 'file':
      return { besides: 'files', candidates: [] };
    default:
      return NOTHING;
  }
}

function plain(value: string): Candidate {
  return { value, about: '' };
}

/** Those that begin so; where none does, those that do whatever the case. */
function fitting({ besides, candidates }: Completion, current: string): Completion {
  const exact = candidates.filter(({ value }) => value.startsWith(current));
  const lower = current.toLowerCase();
  const loose = exact.length > 0 ? exact : candidates.filter(({ value }) => value.toLowerCase().startsWith(lower));
  return { besides, candidates: loose };
}
