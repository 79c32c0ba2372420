/** One run as a page of markdown. */
import type { RunOutput } from '../../../core/ports.ts';
import type { StoredRun } from '../../../core/run.ts';
import { formatDuration } from '../../../core/units.ts';
import { recordedOutput } from '../../../engine/intact.ts';
import { block, code } from '../../markdown.ts';
import type { Known } from './facts.ts';
import { rowsOf } from './facts.ts';
import { lastLines } from './last-lines.ts';
import { outcomesOf } from './steps.ts';
import { outcomeOf } from './table.ts';

const LINES = 60;
const CHARACTERS = 8000;

export async function pageOf(run: StoredRun, known: Known, output: RunOutput): Promise<string> {
  const parts = [
    `# ${code(run.runbook.name)}: ${outcomeOf(run)}\n`,
    `| | |\n|---|---|\n${rowsOf(run, known)
      .map(([name, text]) => `| ${name} | ${code(text)} |\n`)
      .join('')}`,
  ];
  const steps = outcomesOf(run);
  if (steps.length > 1) {
    const rows = steps.map(
      ({ name, outcome, durationMs, reason }, n) =>
        `| ${n + 1} | ${code(name)} | ${outcome} | ${durationMs === null ? '–' : formatDuration(durationMs)} | ${code(reason)} |\n`,
    );
    parts.push(`## Steps\n`, `| | Step | Outcome | Took | Why |\n|---|---|---|---|---|\n${rows.join('')}`);
  }
  const last = await lastLines(output, run.runId, LINES, CHARACTERS);
  const bytes = recordedOutput(run)?.bytes;
  const cut =
    last?.isCut === true
      ? `The end of ${bytes === undefined ? 'it' : `${bytes} bytes`}; ${code(`runbook history ${run.runId}`)} shows what is kept.\n\n`
      : '';
  if (last === null && known.look.intact === false) parts.push('Nothing of the output can be shown.\n');
  if (last !== null) parts.push(`## Output\n`, `${cut}${block(last.text)}`);
  return parts.join('\n');
}
