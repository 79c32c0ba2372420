/**
 * `runbook __complete`: what shells ask while somebody types. It never fails and says nothing of failures: whoever presses
 * Tab wants a word, or none. On stdout is first what besides will do (`none`, `files`, `folders`), then one candidate a line:
 * for bash as it has to stand in the line, for others the word, a tab and what it is.
 */
import type { Command } from 'commander';
import { createApp } from '../../app.ts';
import type { App } from '../../app.ts';
import type { SettingName } from '../../core/settings.ts';
import { asTyped, readTypedLine } from '../../core/shell-words.ts';
import { loadSettings } from '../settings.ts';
import type { Terminal } from '../terminal.ts';
import { complete } from './candidates.ts';
import type { Completion } from './candidates.ts';
import { createKnown } from './known.ts';

/** @param words `bash LINE POINT BREAKS`, or `words WORD… CURRENT` as the shell has read them */
export async function completeCommand(terminal: Terminal, program: Command, words: readonly string[]): Promise<void> {
  try {
    const [form, ...rest] = words;
    const lines = form === 'bash' ? await forBash(terminal, program, rest) : await forWords(terminal, program, rest);
    await terminal.print(`${lines.join('\n')}\n`);
  } catch {
    // Nothing is offered then.
  }
}

async function forBash(
  terminal: Terminal,
  program: Command,
  [line = '', point = '', breaks = '']: readonly string[],
): Promise<readonly string[]> {
  // `COMP_POINT` counts bytes or characters, as bash was built; beyond ASCII the whole line is the better guess.
  const end = /^[ -~\t]*$/.test(line) ? Number(point) : line.length;
  const { before, current, quote, kept } = readTypedLine(line.slice(0, end), breaks);
  const { besides, candidates } = await candidatesOf(terminal, program, before.slice(1), current);
  const texts = candidates.flatMap(({ value }) => {
    const text = asTyped(value.slice(kept.length), quote);
    return text === null ? [] : [text];
  });
  return [besides, ...texts];
}

async function forWords(terminal: Terminal, program: Command, words: readonly string[]): Promise<readonly string[]> {
  const { besides, candidates } = await candidatesOf(terminal, program, words.slice(0, -1), words.at(-1) ?? '');
  const lines = candidates
    .filter(({ value }) => !/\p{Cc}/u.test(value))
    .map(({ value, about }) => `${value}\t${about.replaceAll(/\p{Cc}/gu, ' ')}`);
  return [besides, ...lines];
}

async function candidatesOf(
  terminal: Terminal,
  program: Command,
  before: readonly string[],
  current: string,
): Promise<Completion> {
  let app: App | null = null;
  const open = async (): Promise<App> => (app ??= await openApp(terminal, before));
  try {
    return await complete(program, before, current, createKnown(open, [...terminal.environment.keys()]));
  } finally {
    // Assigned within a function, which the type checker does not follow.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    (app as App | null)?.close();
  }
}

/** As the command would be called: with the folders that its words name. */
async function openApp({ environment, cwd, ci }: Terminal, words: readonly string[]): Promise<App> {
  const flags = new Map<SettingName, string>();
  for (const [flag, name] of [
    ['--runbooks-dir', 'runbooksDir'],
    ['--state-dir', 'stateDir'],
  ] as const) {
    const joined = words.find((word) => word.startsWith(`${flag}=`))?.slice(flag.length + 1);
    const value = joined ?? (words.includes(flag) ? words[words.indexOf(flag) + 1] : undefined);
    if (value !== undefined && value !== '') flags.set(name, value);
  }
  return await createApp(await loadSettings(flags, environment, cwd), { environment, cwd, ci });
}
