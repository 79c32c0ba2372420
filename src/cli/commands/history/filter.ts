/** From options to what the ledger is asked. */
import { RunbookError } from '../../../core/errors.ts';
import { parsePeriod } from '../../../core/moments.ts';
import type { Period } from '../../../core/moments.ts';
import { ALL_OUTCOMES } from '../../../core/outcomes.ts';
import type { RunFilter } from '../../../core/ports.ts';
import { didYouMean } from '../../../core/spelling.ts';
import { formatOf } from './options.ts';
import type { HistoryOptions } from './options.ts';

const OUTCOMES: ReadonlySet<string> = new Set(ALL_OUTCOMES);

const MAX_LIMIT = 10_000;

/** @throws RunbookError `usage` */
export function filterOf(options: HistoryOptions, now: Date): RunFilter {
  const { runbook, subject, incident } = options;
  for (const name of ['runbook', 'subject', 'incident', 'grep'] as const)
    if (options[name] === '')
      throw new RunbookError('usage', `--${name} is empty.`, {
        fix: 'Give a value, or leave it out; a variable of your shell may be unset.',
      });
  const since = readPeriod('--since', options.since, now)?.from;
  const until = readPeriod('--until', options.until, now)?.to;
  if (since !== undefined && until !== undefined && since >= until)
    throw new RunbookError(
      'usage',
      `--since (${since.toISOString()}) is not before --until (${until.toISOString()}).`,
      {
        fix: 'Write the earlier one behind --since.',
      },
    );
  return {
    limit: readLimit(options),
    ...(runbook === undefined ? {} : { runbook: runbook.replace(/\.md$/, '') }),
    ...(subject === undefined ? {} : { subject }),
    ...(options.outcome === undefined ? {} : { outcomes: readOutcomes(options.outcome) }),
    ...(since === undefined ? {} : { since: since.toISOString() }),
    ...(until === undefined ? {} : { until: until.toISOString() }),
    ...(incident === undefined ? {} : { incident }),
  };
}

function readLimit(options: HistoryOptions): number {
  const format = formatOf(options);
  // What is pasted or loaded elsewhere is to be whole.
  const text = options.limit ?? (format === 'csv' || format === 'markdown' ? '1000' : '20');
  const limit = Number(text);
  if (/^\d+$/.test(text) && limit >= 1 && limit <= MAX_LIMIT) return limit;
  throw new RunbookError('usage', `--limit is not a number from 1 to ${MAX_LIMIT}.`, { fix: 'Write `--limit 20`.' });
}

function readOutcomes(options: readonly string[]): readonly string[] {
  const outcomes = options.flatMap((option) => option.split(',')).map((outcome) => outcome.trim());
  const unknown = outcomes.find((outcome) => !OUTCOMES.has(outcome));
  if (unknown === undefined) return [...new Set(outcomes)];
  throw new RunbookError('usage', `--outcome: “${unknown}” is not an outcome.`, {
    fix: didYouMean(unknown, [...OUTCOMES]) ?? `Choose among ${[...OUTCOMES].join(', ')}; several with commas.`,
  });
}

function readPeriod(option: string, text: string | undefined, now: Date): Period | undefined {
  if (text === undefined) return undefined;
  const period = parsePeriod(text, now);
  if (period !== null) return period;
  throw new RunbookError('usage', `${option}: “${text}” is no date, time or duration.`, {
    fix: 'Write 2026-03-01, 2026-03, 2026-03-01T14:30, 2026-03-01T14:30+01:00, or how long ago: 7d, 24h, 1d12h. Without a zone it is UTC.',
  });
}
