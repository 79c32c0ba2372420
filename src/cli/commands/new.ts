/** `runbook new`: a runbook to begin with, from a template or from a page of a wiki. Nothing is ever overwritten. */
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { RunbookError } from '../../core/errors.ts';
import { parseRunbook } from '../../core/parse/parse.ts';
import { newRunbook } from '../../core/propose/template.ts';
import type { Note } from '../../core/propose/draft.ts';
import type { InterpreterName } from '../../core/runbook.ts';
import { signalNumber } from '../../core/signals.ts';
import { printJson, withApp } from '../context.ts';
import type { CommandContext, CommonOptions } from '../context.ts';
import { QuestionLeft } from '../interaction.ts';
import { inline, printable } from '../render.ts';
import type { Terminal } from '../terminal.ts';
import { readTextFile } from '../text-file.ts';
import { claimRows, descriptionText, nameOf, templateVariables } from './new/facts.ts';
import type { Answers } from './new/form.ts';

export interface NewOptions extends CommonOptions {
  readonly steps?: boolean;
  readonly title?: string;
  readonly interpreter?: InterpreterName;
  readonly env?: readonly string[];
  readonly claim?: readonly string[];
  readonly dir?: string;
  readonly from?: string;
  readonly stdout?: boolean;
  /** `--no-input`. */
  readonly input?: boolean;
}

const MAX_PAGE_BYTES = 512 * 1024;

export async function newCommand(
  terminal: Terminal,
  argument: string | undefined,
  options: NewOptions,
): Promise<number> {
  if (options.json === true && options.stdout === true) {
    throw new RunbookError('usage', '--json and --stdout exclude each other.', { fix: 'Leave one of them out.' });
  }
  return await withApp(terminal, options, async (context) => {
    let made: Made;
    try {
      made =
        options.from === undefined
          ? await fromTemplate(terminal, argument, options)
          : await fromPage(terminal, argument, options);
    } catch (error) {
      if (!(error instanceof QuestionLeft)) throw error;
      terminal.say('Nothing was written.');
      return 128 + signalNumber('SIGINT');
    }
    const { name, text, notes } = made;
    checkResult(name, text);
    if (options.stdout === true) await terminal.print(terminal.isReadByPerson ? printable(text) : text);
    const file = options.stdout === true ? null : await write(terminal, context, name, text, options.dir);
    for (const { line, text: note } of notes) {
      terminal.say(`${inline(options.from ?? '')}: look at line ${line}: ${inline(note)}.`);
    }
    if (options.json === true) {
      await printJson(terminal, 'new', {
        path: file,
        name,
        kind: options.steps === true || options.from !== undefined ? 'steps' : 'classic',
        notes,
      });
    } else if (file !== null) {
      await terminal.print(`${inline(file)}\n`);
      if (options.quiet !== true) sayNext(terminal, name, file, notes.length);
    }
    return 0;
  });
}

interface Made {
  readonly name: string;
  readonly text: string;
  readonly notes: readonly Note[];
}

async function fromTemplate(terminal: Terminal, argument: string | undefined, options: NewOptions): Promise<Made> {
  const asks = terminal.interactive && options.input !== false && options.json !== true;
  const answers: Answers = asks
    ? await (await import('./new/form.ts')).askForm(terminal, argument, options)
    : { name: argument, title: options.title, env: options.env ?? [], claim: options.claim ?? [] };
  const name = nameOf(answers.name, answers.title);
  const text = newRunbook({
    name,
    kind: options.steps === true ? 'steps' : 'classic',
    interpreter: options.interpreter ?? 'bash',
    description: descriptionText(answers.title, answers.description),
    variables: templateVariables(answers.env),
    claims: claimRows(answers.claim),
  });
  return { name, text, notes: [] };
}

async function fromPage(terminal: Terminal, argument: string | undefined, options: NewOptions): Promise<Made> {
  const page = options.from ?? '';
  for (const [flag, value] of [
    ['--env', options.env],
    ['--interpreter', options.interpreter],
  ] as const) {
    if (value === undefined) continue;
    throw new RunbookError('usage', `${flag} is not for --from: what the page says decides.`, {
      fix: `Leave ${flag} out, and change the proposal.`,
    });
  }
  const { proposeRunbook } = await import('../../core/propose/propose.ts');
  const name = argument === undefined ? null : nameOf(argument, undefined);
  return proposeRunbook(readTextFile(page, terminal.cwd, '--from', MAX_PAGE_BYTES), {
    name,
    fallbackName: path.basename(page).replace(/\.[^.]*$/, ''),
    title: descriptionText(options.title, undefined),
    claims: claimRows(options.claim ?? []),
  });
}

/** What was given may not fit into a document; a proposal always does. @throws RunbookError `usage` */
function checkResult(name: string, text: string): void {
  const [problem] = parseRunbook(Buffer.from(text), { fileName: `${name}.md` }).problems;
  if (problem === undefined) return;
  throw new RunbookError('usage', `This does not make a valid runbook: ${problem.message}`, {
    fix: `${problem.fix} Nothing was written.`,
  });
}

/** @returns the path as it is shown. @throws RunbookError `usage` (it is there), `not-found` (the folder is not), `io` */
async function write(
  terminal: Terminal,
  { app }: CommandContext,
  name: string,
  text: string,
  dir: string | undefined,
): Promise<string> {
  const folder = dir === undefined ? (app.runbooksDir ?? terminal.cwd) : path.resolve(terminal.cwd, dir);
  const facts = await stat(folder).catch(() => null);
  if (facts?.isDirectory() !== true) {
    throw new RunbookError('not-found', `There is no folder ${dir ?? folder}.`, {
      fix: 'Make it first, or name another one with --dir.',
    });
  }
  const file = path.join(folder, `${name}.md`);
  const relative = path.relative(terminal.cwd, file);
  const shown = relative.startsWith('..') ? file : relative;
  try {
    await app.documentWriter.create(file, text);
  } catch (error) {
    if (!(error instanceof RunbookError)) throw error;
    throw new RunbookError(error.code, error.message.replace(file, shown), { fix: error.fix, cause: error });
  }
  return shown;
}

function sayNext(terminal: Terminal, name: string, file: string, doubts: number): void {
  const reference = file.includes('/') ? file : `./${file}`;
  if (doubts > 0)
    terminal.say(
      `${doubts} ${doubts === 1 ? 'place' : 'places'} to look at, named above; the proposal is valid as it is.`,
    );
  terminal.say(
    `${inline(name)} is there. Next: \`runbook validate ${inline(reference)}\`, \`runbook execute ${inline(reference)}\`.`,
  );
}
