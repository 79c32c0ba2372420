/** Runs as a table for a person, with the lines that were found below each. */
import { ERRORS } from '../../../core/errors.ts';
import { exitCodeOf } from '../../../core/run.ts';
import type { RunResult, StoredRun } from '../../../core/run.ts';
import { formatDuration } from '../../../core/units.ts';
import { inline, renderTable } from '../../render.ts';
import type { Style } from '../../render.ts';
import type { ListedRun } from './answer.ts';

export function tableOf(listed: readonly ListedRun[], style: Style): string {
  const rows = [['WHEN', 'RUNBOOK', 'OUTCOME', 'EXIT', 'TOOK', 'WHO', 'RUN'], ...listed.map(({ run }) => row(run))];
  const [head = '', ...lines] = renderTable(rows).split('\n');
  const below = ({ lines: found, moreLines }: ListedRun): readonly string[] => [
    ...found.map(({ stream, text }) => `${style.dim(`  ${stream}:`)} ${inline(text)}`),
    ...(moreLines ? [style.dim('  … and more lines')] : []),
  ];
  const all = [head];
  for (const [n, one] of listed.entries()) all.push(lines[n] ?? '', ...below(one));
  return `${all.join('\n')}\n`;
}

/** `succeeded`, `refused: forbidden`, `not begun: busy`, `rehearsal: failed`, or the state of a run that has no end. */
export function outcomeOf({ rehearsal, startedAt, result, refusal, state }: StoredRun): string {
  const end = result?.outcome ?? (refusal === null ? state : `refused: ${refusal.code}`);
  return `${rehearsal ? 'rehearsal: ' : ''}${result === null || startedAt !== null ? end : `not begun: ${whyNot(result)}`}`;
}

/** Nobody has canceled a run that could not begin because others were under way, or because runs were paused. */
function whyNot({ outcome, exitCode }: RunResult): string {
  return outcome === 'canceled' && exitCode === ERRORS.busy.exit ? 'busy' : outcome;
}

/** `HOST=a; TOKEN`: the variables that were given, of a secret only its name. */
export function valuesOf({ variables }: StoredRun): string {
  return variables.map(({ name, value }) => (value === undefined ? name : `${name}=${value}`)).join('; ');
}

/** The subject of the token; without one the user of the machine. */
export function whoOf({ who }: StoredRun): string {
  return who.subject ?? `${who.osUser ?? '?'} (no token)`;
}

function row(run: StoredRun): readonly string[] {
  const { result } = run;
  return [
    run.enqueuedAt,
    inline(run.runbook.name),
    outcomeOf(run),
    result === null ? '' : String(exitCodeOf(result)),
    result === null ? '' : formatDuration(result.durationMs),
    inline(whoOf(run)),
    run.runId,
  ];
}
