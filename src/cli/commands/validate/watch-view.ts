/** How `validate --watch` looks: a screenful on a terminal, lines elsewhere. */
import path from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import type { Validation } from '../../../engine/queries.ts';
import type { CommandContext } from '../../context.ts';
import { inline } from '../../render.ts';
import type { Terminal } from '../../terminal.ts';
import { textReport, verdict } from './text.ts';
import type { ValidateOptions } from './options.ts';
import type { Changes } from './watch.ts';
import { isActionsJob } from './workspace.ts';

/** Erases the screen, not what lies above it, and begins at its top. */
const CLEAR = '\u{1b}[H\u{1b}[2J';
/** Below the problems: a blank line, the verdict, what is watched, and where the cursor stands. */
const ROWS_BELOW = 4;

/** As much as fits, what is wrong first; redrawn as a whole. */
export async function showScreen(
  terminal: Terminal,
  { app, printStyle }: CommandContext,
  all: readonly Validation[],
  folders: readonly string[],
  { quiet }: ValidateOptions,
): Promise<void> {
  const { rows, columns } = sizeOf(terminal);
  const lines = textReport(printStyle, all, false).split('\n').slice(0, -1);
  const room = Math.max(1, rows - ROWS_BELOW);
  const shown = linesThatFit(lines, room, columns);
  const hidden = lines.length - shown.length;
  // A terminal that cannot be erased gets one screen after the other.
  const start = terminal.environment.get('TERM') === 'dumb' ? '' : CLEAR;
  const watched = folders.map((folder) => inline(path.relative(terminal.cwd, folder) || '.')).join(', ');
  const note = `${app.clock.now().toTimeString().slice(0, 8)}  watching ${watched}; Ctrl-C ends it`;
  const below = [
    ...(hidden > 0 ? [printStyle.dim(`… and ${hidden} more lines`)] : []),
    verdict(printStyle, all),
    ...(quiet === true ? [] : [printStyle.dim(note)]),
  ];
  await terminal.print(`${start}${[...shown, ...below].join('\n')}\n`);
}

/** What has changed, and how it stands. */
export async function showChanges(
  terminal: Terminal,
  { style, printStyle }: CommandContext,
  { all, changed, gone }: Changes,
  { quiet }: ValidateOptions,
): Promise<void> {
  const report = textReport(printStyle, changed, isActionsJob(terminal));
  if (report !== '') await terminal.print(report);
  if (quiet === true) return;
  for (const { displayPath, problems } of changed)
    if (problems.length === 0) terminal.say(`${inline(displayPath)}: valid`);
  for (const shown of gone) terminal.say(`${inline(shown)}: gone`);
  terminal.say(verdict(style, all));
}

function linesThatFit(lines: readonly string[], room: number, columns: number): readonly string[] {
  const shown: string[] = [];
  let used = 0;
  for (const line of lines) {
    used += Math.max(1, Math.ceil(stripVTControlCharacters(line).length / columns));
    if (used > room) break;
    shown.push(line);
  }
  return shown;
}

function sizeOf({ stdout }: Terminal): { readonly rows: number; readonly columns: number } {
  const size = (name: 'rows' | 'columns', otherwise: number): number => {
    const value: unknown = Reflect.get(stdout, name);
    return typeof value === 'number' && value > 0 ? value : otherwise;
  };
  return { rows: size('rows', 24), columns: size('columns', 80) };
}
