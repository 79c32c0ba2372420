/** `runbook history`: what the ledger knows, newest first; or one run with its steps and its output. */
import { withApp } from '../context.ts';
import { createCare } from '../recovery.ts';
import { inline } from '../render.ts';
import type { Style } from '../render.ts';
import { loadSettings } from '../settings.ts';
import type { Terminal } from '../terminal.ts';
import { askingLedger, withLedger } from '../with-ledger.ts';
import { filterOf } from './history/filter.ts';
import { listRuns } from './history/list.ts';
import { showRun } from './history/one-run.ts';
import { checkOptions } from './history/options.ts';
import type { HistoryOptions } from './history/options.ts';
import { pruneRuns } from './history/prune.ts';

export type { HistoryOptions };

export async function historyCommand(
  terminal: Terminal,
  reference: string | undefined,
  options: HistoryOptions,
): Promise<number> {
  if (options.prune === true || options.olderThan !== undefined || options.dryRun === true || options.yes === true)
    return await pruneRuns(terminal, reference, options);
  checkOptions(options, reference !== undefined);
  if (options.follow === true) {
    const { followCommand } = await import('./history/follow.ts');
    return await withLedger(terminal, options, 'ask', async (context) =>
      followCommand(terminal, options, context, reference ?? null),
    );
  }
  return await withApp(
    terminal,
    askingLedger(options),
    async (context) => {
      await createCare(terminal, context, options)();
      if (reference === undefined && options.quiet !== true) await sayUnrecorded(terminal, context.style);
      return reference === undefined
        ? await listRuns(terminal, options, context, filterOf(options, context.app.clock.now()))
        : await showRun(terminal, options, context, reference);
    },
    { ledgerUse: 'ask' },
  );
}

/** Why a run that somebody remembers is not in the list: with this setting none is recorded. */
async function sayUnrecorded(terminal: Terminal, style: Style): Promise<void> {
  const { environment, cwd, ci } = terminal;
  const { settings, origins } = await loadSettings(new Map(), environment, cwd, 'cli', ci);
  if (settings.history !== 'none') return;
  const where = origins.get('history')?.label ?? 'history';
  terminal.say(style.yellow(`New runs leave no record here (${inline(where)} is none): they are in no history.`));
}
