/** The recorded runs, newest first. */
import type { RunFilter } from '../../../core/ports.ts';
import { exitCodeOf } from '../../../core/run.ts';
import type { StoredRun } from '../../../core/run.ts';
import { formatDuration } from '../../../core/units.ts';
import { printJson } from '../../context.ts';
import type { CommandContext } from '../../context.ts';
import { inline, renderTable } from '../../render.ts';
import type { Terminal } from '../../terminal.ts';
import type { HistoryOptions } from './options.ts';

export async function listRuns(
  terminal: Terminal,
  options: HistoryOptions,
  { app }: CommandContext,
  filter: RunFilter,
): Promise<number> {
  const ledger = await app.ledger();
  const runs = await ledger.list(filter);
  if (options.json === true) await printJson(terminal, 'history', { runs });
  else if (runs.length === 0) terminal.say('No runs are recorded.');
  else
    await terminal.print(
      `${renderTable([['WHEN', 'RUNBOOK', 'OUTCOME', 'EXIT', 'TOOK', 'WHO', 'RUN'], ...runs.map(row)])}\n`,
    );
  return 0;
}

function row(run: StoredRun): readonly string[] {
  const { result } = run;
  return [
    run.enqueuedAt,
    inline(run.runbook.name),
    `${run.rehearsal ? 'rehearsal: ' : ''}${result?.outcome ?? (run.refusal === null ? run.state : `refused: ${run.refusal.code}`)}`,
    result === null ? '' : String(exitCodeOf(result)),
    result === null ? '' : formatDuration(result.durationMs),
    inline(run.who.subject ?? `${run.who.osUser ?? '?'} (no token)`),
    run.runId,
  ];
}
