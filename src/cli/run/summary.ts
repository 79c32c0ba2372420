/** The end of a run in lines for a person: what each step came to, and what was not seen of the output. */
import { WriteStream } from 'node:tty';
import type { RunResult } from '../../core/run.ts';
import { formatDuration } from '../../core/units.ts';
import { inline, renderTable } from '../render.ts';
import type { Style } from '../render.ts';
import type { Terminal } from '../terminal.ts';
import type { RunFrame } from './frame.ts';
import type { RunReport } from './report.ts';

/** One line a step; nothing for a run of one. */
export function sayTable(terminal: Terminal, style: Style, { steps }: RunResult): void {
  if (steps.length < 2) return;
  const rows = steps.map(({ name, outcome, durationMs, startedAt }, index) => [
    `  ${index + 1}`,
    inline(name),
    outcome,
    startedAt === null ? '' : formatDuration(durationMs),
  ]);
  terminal.say(style.dim(renderTable(rows)));
}

/**
 * Of the step that failed: what went elsewhere than to the screen where the end is read, or lies folded in the log of a
 * job. What stands right above is not repeated.
 */
export function lastLinesOf({ hidesOutput, terminal }: RunFrame, report: RunReport): readonly string[] {
  if (report.failed === null) return [];
  if (hidesOutput) return report.result.steps.length > 1 ? report.lastLines : [];
  const isElsewhere = terminal.stderr instanceof WriteStream && !(terminal.stdout instanceof WriteStream);
  return isElsewhere ? report.lastOfStdout : [];
}

export function sayLastLines(terminal: Terminal, style: Style, lines: readonly string[]): void {
  if (lines.length === 0) return;
  terminal.say(
    style.bold(lines.length === 1 ? 'The last line of its output:' : `The last ${lines.length} lines of its output:`),
  );
  for (const line of lines) terminal.say(`  ${line}`);
}
