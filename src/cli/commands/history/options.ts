/** What `runbook history` takes. */
import { RunbookError } from '../../../core/errors.ts';
import type { CommonOptions } from '../../context.ts';

export const FORMATS = ['text', 'json', 'csv', 'markdown'] as const;
export type Format = (typeof FORMATS)[number];

export interface HistoryOptions extends CommonOptions {
  readonly runbook?: string;
  readonly subject?: string;
  readonly outcome?: readonly string[];
  readonly since?: string;
  readonly until?: string;
  readonly incident?: string;
  readonly grep?: string;
  readonly limit?: string;
  readonly artifact?: string;
  readonly follow?: boolean;
  readonly prune?: boolean;
  readonly olderThan?: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly document?: boolean;
  readonly format?: Format;
}

/** @throws RunbookError `usage` where two of them are asked for */
export function formatOf({ format, json }: HistoryOptions): Format {
  if (json === true && format !== undefined && format !== 'json')
    throw new RunbookError('usage', `--json and --format ${format} are both given.`, { fix: 'Give one of them.' });
  return json === true ? 'json' : (format ?? 'text');
}

/** Whether all of them make sense together. @throws RunbookError `usage` */
export function checkOptions(options: HistoryOptions, isOneRun: boolean): void {
  const { artifact, document, follow } = options;
  const format = formatOf(options);
  const printed = [...(artifact === undefined ? [] : ['--artifact']), ...(document === true ? ['--document'] : [])];
  const [what] = printed;
  const together = [...printed, ...(follow === true ? ['--follow'] : [])];
  if (together.length > 1)
    throw new RunbookError('usage', `${together.join(' and ')} are both given.`, { fix: 'Give one of them.' });
  if (what !== undefined && !isOneRun)
    throw new RunbookError('usage', `${what} needs a run.`, {
      fix: `Write \`runbook history RUN ${what}${what === '--artifact' ? ' PATH' : ''}\`.`,
    });
  if (what !== undefined && format !== 'text')
    throw new RunbookError('usage', `${what} prints the bytes as they are, in no other format.`, {
      fix: `Leave --${options.json === true ? 'json' : 'format'} out.`,
    });
  const filter = (['runbook', 'subject', 'outcome', 'since', 'until', 'incident', 'grep', 'limit'] as const).find(
    (name) => options[name] !== undefined,
  );
  if (filter !== undefined && follow === true)
    throw new RunbookError('usage', `--${filter} and --follow are both given.`, {
      fix: 'Give one of them; what is followed is the run that is named, or the newest under way.',
    });
  if (filter !== undefined && isOneRun)
    throw new RunbookError('usage', `--${filter} chooses among runs, but one run is named.`, {
      fix: `Leave out the run, or --${filter}.`,
    });
}
