/** The recorded runs that fit. */
import type { RunFilter } from '../../../core/ports.ts';
import { printJson } from '../../context.ts';
import type { CommandContext } from '../../context.ts';
import type { Terminal } from '../../terminal.ts';
import { toldRun } from '../../told-run.ts';
import { answer } from './answer.ts';
import type { Answer } from './answer.ts';
import { csvOf } from './csv.ts';
import { summaryOf } from './markdown-summary.ts';
import { formatOf } from './options.ts';
import type { HistoryOptions } from './options.ts';
import { tableOf } from './table.ts';

export async function listRuns(
  terminal: Terminal,
  options: HistoryOptions,
  { app, style, printStyle }: CommandContext,
  filter: RunFilter,
): Promise<number> {
  const found = await answer(app, filter, options.grep);
  const { listed, more, search } = found;
  const isChosen = Object.keys(filter).length > 1 || search !== null;
  const nothing = isChosen ? 'No runs fit.' : 'No runs are recorded.';
  switch (formatOf(options)) {
    case 'json':
      await printJson(terminal, 'history', documentOf(found));
      break;
    case 'csv':
      await terminal.print(csvOf(listed));
      break;
    case 'markdown': {
      const ports = { ledger: await app.ledger(), output: app.output };
      for await (const part of summaryOf(found, nothing, options, ports)) await terminal.print(part);
      break;
    }
    case 'text':
      if (listed.length > 0) await terminal.print(tableOf(listed, printStyle));
      else terminal.say(nothing);
  }
  if (options.quiet === true) return 0;
  if (more)
    terminal.say(
      style.dim(
        `There are more than ${listed.length === 1 ? 'this one' : `these ${listed.length}`}: --limit shows more of them.`,
      ),
    );
  if (search !== null && search.notSearched > 0) {
    const [runs, is] = search.notSearched === 1 ? ['run', 'its'] : ['runs', 'their'];
    terminal.say(
      `The output of ${search.notSearched} more ${runs} could not be looked at: ${is} output is not kept any more, cannot be read, or ${search.notSearched === 1 ? 'does' : 'do'} not fit its digest.`,
    );
  }
  return 0;
}

function documentOf({ listed, more, search }: Answer): Readonly<Record<string, unknown>> {
  const runs = listed.map(({ run }) => toldRun(run));
  if (search === null) return { runs, hasMore: more };
  const matches = listed.map(({ run: { runId }, lines, moreLines }) => ({ runId, lines, more: moreLines }));
  return { runs, hasMore: more, search: { ...search, more, matches } };
}
