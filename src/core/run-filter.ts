/** Which runs somebody asks for, as texts, and as the ledger is asked. Pure. */
import { RunbookError } from './errors.ts';
import { parsePeriod } from './moments.ts';
import type { Period } from './moments.ts';
import { ALL_OUTCOMES } from './outcomes.ts';
import type { RunFilter } from './ports.ts';
import { didYouMean } from './spelling.ts';

const OUTCOMES: ReadonlySet<string> = new Set(ALL_OUTCOMES);

/** As somebody has written it. */
export interface AskedRuns {
  readonly runbook?: string | undefined;
  readonly subject?: string | undefined;
  readonly incident?: string | undefined;
  /** Text in outputs: no part of the filter. */
  readonly grep?: string | undefined;
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  /** Each maybe several with commas. */
  readonly outcome?: readonly string[] | undefined;
  readonly limit: string;
}

type Named = keyof AskedRuns;

/**
 * @param spelt how whoever asks spells the name of a member: `--since`
 * @throws RunbookError `usage`
 */
export function readRunFilter(
  asked: AskedRuns,
  now: Date,
  maxLimit: number,
  spelt: (name: Named) => string,
): RunFilter {
  const { runbook, subject, incident } = asked;
  for (const name of ['runbook', 'subject', 'incident', 'grep'] as const)
    if (asked[name] === '')
      throw new RunbookError('usage', `${spelt(name)} is empty.`, {
        fix: 'Give a value, or leave it out; a variable of your shell may be unset.',
      });
  const since = readPeriod(spelt('since'), asked.since, now)?.from;
  const until = readPeriod(spelt('until'), asked.until, now)?.to;
  if (since !== undefined && until !== undefined && since >= until)
    throw new RunbookError(
      'usage',
      `${spelt('since')} (${since.toISOString()}) is not before ${spelt('until')} (${until.toISOString()}).`,
      { fix: `Write the earlier one behind ${spelt('since')}.` },
    );
  return {
    limit: readLimit(asked.limit, maxLimit, spelt('limit')),
    ...(runbook === undefined ? {} : { runbook: runbook.replace(/\.md$/, '') }),
    ...(subject === undefined ? {} : { subject }),
    ...(asked.outcome === undefined ? {} : { outcomes: readOutcomes(asked.outcome, spelt('outcome')) }),
    ...(since === undefined ? {} : { since: since.toISOString() }),
    ...(until === undefined ? {} : { until: until.toISOString() }),
    ...(incident === undefined ? {} : { incident }),
  };
}

function readLimit(text: string, most: number, name: string): number {
  const limit = Number(text);
  if (/^\d+$/.test(text) && limit >= 1 && limit <= most) return limit;
  throw new RunbookError('usage', `${name} is not a number from 1 to ${most}.`, { fix: `Write \`${name} 20\`.` });
}

function readOutcomes(options: readonly string[], name: string): readonly string[] {
  const outcomes = options.flatMap((option) => option.split(',')).map((outcome) => outcome.trim());
  const unknown = outcomes.find((outcome) => !OUTCOMES.has(outcome));
  if (unknown === undefined) return [...new Set(outcomes)];
  throw new RunbookError('usage', `${name}: “${unknown}” is not an outcome.`, {
    fix: didYouMean(unknown, [...OUTCOMES]) ?? `Choose among ${[...OUTCOMES].join(', ')}; several with commas.`,
  });
}

function readPeriod(name: string, text: string | undefined, now: Date): Period | undefined {
  if (text === undefined) return undefined;
  const period = parsePeriod(text, now);
  if (period !== null) return period;
  throw new RunbookError('usage', `${name}: “${text}” is no date, time or duration.`, {
    fix: 'Write 2026-03-01, 2026-03, 2026-03-01T14:30, 2026-03-01T14:30+01:00, or how long ago: 7d, 24h, 1d12h. Without a zone it is UTC.',
  });
}
