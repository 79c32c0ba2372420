/** The page of a job (`$GITHUB_STEP_SUMMARY`): what came of the run, as a table, with its last lines. */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { RunbookError } from '../../core/errors.ts';
import { codeOf, messageOf } from '../../core/failures.ts';
import { exitCodeOf } from '../../core/run.ts';
import { formatDuration } from '../../core/units.ts';
import { block, code } from '../markdown.ts';
import { inline } from '../render.ts';
import type { RunReport } from '../run/report.ts';
import type { Terminal } from '../terminal.ts';

/** Of one step of a job, all that is in the file; what is more is refused by GitHub as a whole. */
const MAX_BYTES = 1024 ** 2;

/** In parts: the last ones are left out where there is no room. */
type Summary = readonly string[];

export function runSummary({ result, isRehearsal, failed, lastLines }: RunReport, file: string): Summary {
  const { outcome, steps, durationMs, runId, reason } = result;
  const what = isRehearsal ? `rehearsal ${outcome}` : outcome;
  const rows = steps.map(({ name, outcome: ended, durationMs: took, line }, index) =>
    [String(index + 1), code(name), ended, ended === 'skipped' ? '–' : formatDuration(took), String(line)].join(' | '),
  );
  const table = rows.map((row) => `| ${row} |\n`).join('');
  const exit = outcome === 'succeeded' ? '' : `, exit code ${exitCodeOf(result)}`;
  const where = failed === null ? '' : ` (${code(`${file}:${failed.line}`)})`;
  return [
    `### Runbook ${code(file)}: ${what}\n\nRun ${code(runId)}${exit}, ${formatDuration(durationMs)}.\n\n`,
    reason === null ? '' : `${code(reason)}${where}\n\n`,
    `| | Step | Outcome | Time | Line |\n|---|---|---|---|---|\n${table}\n`,
    lastLines.length === 0 || failed === null ? '' : `The end of its output:\n\n${block(lastLines.join('\n'))}\n`,
  ];
}

export function refusalSummary(
  { code: kind, message, fix, problems, document }: RunbookError,
  reference: string,
): Summary {
  const rows = problems
    .slice(0, 50)
    .map(({ line, message: text }) => `- ${code(`${document}:${line}`)} ${code(text)}\n`);
  return [
    `### Runbook ${code(reference)}: ${kind}\n\n${code(message)}\n\n`,
    fix === '' ? '' : `To do: ${code(fix)}\n\n`,
    ...rows,
    '\n',
  ];
}

/** A failure is a warning: the run is what it is. */
export async function writeSummary(terminal: Terminal, summary: Summary): Promise<void> {
  const file = terminal.environment.get('GITHUB_STEP_SUMMARY') ?? '';
  if (file === '') return;
  try {
    const handle = await open(
      file,
      constants.O_WRONLY | constants.O_APPEND | constants.O_NOFOLLOW | constants.O_NONBLOCK,
    );
    try {
      const facts = await handle.stat();
      if (!facts.isFile()) throw new Error('it is no file');
      const text = fitting(summary, MAX_BYTES - facts.size);
      if (text === '') throw new Error('it is full');
      await handle.writeFile(text);
    } finally {
      await handle.close();
    }
  } catch (error) {
    const why = codeOf(error) === '' ? messageOf(error) : codeOf(error);
    terminal.say(`runbook: warning: the summary of the job could not be written: ${inline(why)}.`);
  }
}

function fitting(summary: Summary, room: number): string {
  let text = '';
  for (const part of summary) {
    if (Buffer.byteLength(text + part) > room) break;
    text += part;
  }
  return text;
}
