/** The recorded runs that fit. */
import { ERRORS } from '../../../core/errors.ts';
import type { RunFilter, RunLedger } from '../../../core/ports.ts';
import { didYouMean } from '../../../core/spelling.ts';
import { printJson } from '../../context.ts';
import type { CommandContext } from '../../context.ts';
import type { Terminal } from '../../terminal.ts';
import { toldRun } from '../../../core/told-run.ts';
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
  const meant = listed.length === 0 ? await meantBy(await app.ledger(), filter) : null;
  const nothing = isChosen ? ['No runs fit.', ...(meant === null ? [] : [meant])].join(' ') : 'No runs are recorded.';
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
  const exitCode = search !== null && search.unreadable > 0 ? ERRORS.io.exit : 0;
  if (options.quiet === true) return exitCode;
  if (more)
    terminal.say(
      style.dim(
        `There are more than ${listed.length === 1 ? 'this one' : `these ${listed.length}`}: --limit shows more of them.`,
      ),
    );
  if (search !== null) for (const line of notSearched(search)) terminal.say(line);
  return exitCode;
}

/** Where no run has the name of the runbook at all: which one that has runs is near. */
async function meantBy(ledger: RunLedger, { runbook }: RunFilter): Promise<string | null> {
  if (runbook === undefined) return null;
  const names = await ledger.runbookNames();
  return names.includes(runbook) ? null : didYouMean(runbook, names);
}

/** A sentence for each reason why outputs could not be looked at. */
function notSearched({ notSearched: count, unreadable }: NonNullable<Answer['search']>): readonly string[] {
  const gone = count - unreadable;
  const outputs = (n: number): string => (n === 1 ? 'The output of 1 more run' : `The outputs of ${n} more runs`);
  return [
    ...(gone === 0
      ? []
      : [`${outputs(gone)} could not be looked at: ${gone === 1 ? 'it is' : 'they are'} not kept any more.`]),
    ...(unreadable === 0
      ? []
      : [
          `${outputs(unreadable)} could not be looked at: ${unreadable === 1 ? 'it cannot be read, or does' : 'they cannot be read, or do'} not fit the record; \`runbook audit verify --outputs\` names all such files.`,
        ]),
  ];
}

function documentOf({ listed, more, search }: Answer): Readonly<Record<string, unknown>> {
  const runs = listed.map(({ run }) => toldRun(run));
  if (search === null) return { runs, hasMore: more };
  const matches = listed.map(({ run: { runId }, lines, moreLines }) => ({ runId, lines, more: moreLines }));
  return { runs, hasMore: more, search: { ...search, more, matches } };
}
