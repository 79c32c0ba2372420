/** `runbook history --prune`: takes out records of runs that ended long ago. */
import { RunbookError } from '../../../core/errors.ts';
import { parseAge } from '../../../core/units.ts';
import { planPrune, prune } from '../../../engine/prune.ts';
import type { PrunePlan } from '../../../engine/prune.ts';
import { printJson } from '../../context.ts';
import { agree } from '../../interaction.ts';
import { inline } from '../../render.ts';
import type { Terminal } from '../../terminal.ts';
import { withLedger } from '../../with-ledger.ts';
import type { HistoryOptions } from './options.ts';

/** @throws RunbookError `usage`, `record-altered`, `io`, `busy` */
export async function pruneRuns(
  terminal: Terminal,
  reference: string | undefined,
  options: HistoryOptions,
): Promise<number> {
  const age = readAge(reference, options);
  const isDry = options.dryRun === true;
  return await withLedger(terminal, options, isDry ? 'ask' : 'change', async ({ ports }) => {
    const plan = await planPrune(ports, age);
    if (options.quiet !== true) terminal.say(planText(plan, isDry));
    const isWanted = !isDry && plan.runs.length > 0 && (await isAgreed(terminal, options));
    const result = isWanted
      ? await prune(ports, plan)
      : { runs: 0, records: 0, documents: 0, operations: [], problems: [] };
    for (const problem of result.problems.slice(0, 3)) terminal.say(`runbook: warning: ${inline(problem)}`);
    const { before, runs } = plan;
    if (options.json === true)
      await printJson(terminal, 'history', { prune: { before, found: runs.length, dryRun: isDry, ...result } });
    else if (isWanted)
      await terminal.print(
        `Taken out: ${counted(result.runs, 'run')}, ${counted(result.records, 'record')}, ${counted(result.documents, 'document')}.\n`,
      );
    return 0;
  });
}

/** What chooses or prints runs otherwise: nobody may think that it narrows what is taken out for good. */
const OTHERS = [
  'runbook',
  'subject',
  'outcome',
  'since',
  'until',
  'incident',
  'grep',
  'limit',
  'artifact',
  'document',
  'follow',
  'format',
] as const;

function readAge(reference: string | undefined, options: HistoryOptions): number {
  const { prune: isAsked, olderThan } = options;
  if (isAsked !== true)
    throw new RunbookError('usage', '--older-than, --dry-run and --yes belong to --prune.', {
      fix: 'Write `runbook history --prune --older-than 365d --dry-run`.',
    });
  const other = OTHERS.find((name) => options[name] !== undefined && !(name === 'format' && options.json === true));
  if (reference !== undefined || other !== undefined)
    throw new RunbookError(
      'usage',
      `--prune goes by age${other === undefined ? ', not by run' : ` alone, not by --${other}`}.`,
      {
        fix: 'Write `runbook history --prune --older-than 365d`.',
      },
    );
  const ms = olderThan === undefined ? null : parseAge(olderThan);
  if (ms === null)
    throw new RunbookError(
      'usage',
      olderThan === undefined ? '--prune needs an age.' : `--older-than: “${olderThan}” is no age.`,
      {
        fix: 'Write `--older-than 365d`, or another number of days.',
      },
    );
  return ms;
}

function planText({ before, runs }: PrunePlan, isDry: boolean): string {
  const [first, last] = [runs[0], runs.at(-1)];
  if (first === undefined || last === undefined) return `No run ended before ${before}: there is nothing to take out.`;
  return (
    `${counted(runs.length, 'run')} ended before ${before}, asked for from ${first.enqueuedAt} to ${last.enqueuedAt}: ` +
    `records, output and artifacts ${isDry ? 'would be' : 'are'} taken out for good. What ${isDry ? 'would stay' : 'stays'} is a link of the chain for each record, and who took them out.`
  );
}

async function isAgreed(terminal: Terminal, options: HistoryOptions): Promise<boolean> {
  if (options.yes === true) return true;
  if (!terminal.interactive || options.json === true)
    throw new RunbookError('usage', 'Nobody can be asked whether the records may be taken out.', {
      fix: 'Look at what it would be with --dry-run, then say --yes.',
    });
  return await agree(terminal, 'Take them out?', new AbortController().signal);
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
