/** `runbook history`: what the ledger knows, newest first; or one run with its steps and its output. */
import { RunbookError } from '../../core/errors.ts';
import { withApp } from '../context.ts';
import { recoverRuns } from '../recovery.ts';
import type { Terminal } from '../terminal.ts';
import { withLedger } from '../with-ledger.ts';
import { filterOf } from './history/filter.ts';
import { listRuns } from './history/list.ts';
import { showRun } from './history/one-run.ts';
import type { HistoryOptions } from './history/options.ts';

export type { HistoryOptions };

export async function historyCommand(
  terminal: Terminal,
  reference: string | undefined,
  options: HistoryOptions,
): Promise<number> {
  const filter = filterOf(options);
  if (options.follow === true) {
    const other = (['artifact', 'runbook', 'subject', 'outcome'] as const).find((name) => options[name] !== undefined);
    if (other !== undefined)
      throw new RunbookError('usage', `--${other} and --follow are both given.`, {
        fix: 'Give one of them; what is followed is the run that is named, or the newest under way.',
      });
    const { followCommand } = await import('./history/follow.ts');
    return await withLedger(terminal, options, async (context) =>
      followCommand(terminal, options, context, reference ?? null),
    );
  }
  if (reference === undefined && options.artifact !== undefined)
    throw new RunbookError('usage', '--artifact needs a run.', { fix: 'Write `runbook history RUN --artifact PATH`.' });
  return await withApp(terminal, options, async (context) => {
    await recoverRuns(terminal, context);
    return reference === undefined
      ? await listRuns(terminal, options, context, filter)
      : await showRun(terminal, options, context, reference);
  });
}
