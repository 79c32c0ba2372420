/** What `--report-to` means for one run: its record is sent when its end is recorded, after those that wait. Never ends a run. */
import { RunbookError } from '../core/errors.ts';
import { messageOf } from '../core/failures.ts';
import type { RunLedger } from '../core/ports.ts';
import type { RunEvent, RunRequest } from '../core/run.ts';
import type { ReportPorts, SentReports } from '../engine/report.ts';
import type { CommandContext, CommonOptions } from './context.ts';
import { inline } from './render.ts';
import type { Terminal } from './terminal.ts';

export interface Reporting {
  /** Every event of the run. Never throws. */
  hear(event: RunEvent): Promise<void>;
  /** Once, when the run has its end, or is refused. Never throws. */
  deliver(request: Pick<RunRequest, 'token' | 'force'>): Promise<void>;
}

/** More would hold up whoever waits for the run. */
const MOST = 50;
const MOST_MS = 30_000;

const NOTHING: Reporting = { hear: async () => {}, deliver: async () => {} };

/** @throws RunbookError `usage` where nothing is recorded that could be reported */
export function createReporting(
  terminal: Terminal,
  { app, style }: CommandContext,
  options: CommonOptions,
  ledger: RunLedger,
): Reporting {
  const { reportTo: server, history } = app.settings;
  if (server === null) return NOTHING;
  if (history === 'none')
    throw new RunbookError('usage', 'A run that leaves no record (--history none) cannot be reported (--report-to).', {
      fix: 'Leave out one of the two; RUNBOOK_REPORT_TO= in front of the command takes back the setting.',
    });
  let runId: string | null = null;
  let loaded: Promise<ReportPorts> | null = null;
  const ports = (): Promise<ReportPorts> =>
    (loaded ??= import('../app/reporting.ts').then(({ reportPorts }) => reportPorts(app.stateDir, ledger)));
  const warn = (text: string): void => {
    terminal.say(`runbook: ${style.yellow('warning')}: ${inline(text)}`);
  };
  const guarded = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      warn(`The record is not sent to ${server}: ${messageOf(error)}`);
    }
  };
  return {
    hear: async (event) => {
      if (event.type !== 'queued' && event.type !== 'refused') return;
      ({ runId } = event);
      if (event.type === 'refused') return;
      const queued = runId;
      await guarded(async () => {
        const { expectReport } = await import('../engine/report.ts');
        await expectReport(await ports(), queued, server);
      });
    },
    deliver: async ({ token, force }) => {
      const own = runId;
      if (own === null) return;
      runId = null;
      await guarded(async () => {
        const { keepReport, sendReports } = await import('../engine/report.ts');
        const { loginToken } = await import('../app/login.ts');
        await keepReport(await ports(), own, server);
        const signal = AbortSignal.any([force, AbortSignal.timeout(MOST_MS)]);
        const tokenFor = async (): Promise<string | null> =>
          token ?? (await loginToken(app.stateDir, app.clock, server));
        const wish = { server, tokenFor, most: MOST, signal };
        say(await sendReports(await ports(), wish), own);
      });
    },
  };

  function say({ sent, left, refused }: SentReports, own: string): void {
    for (const { runId: id, reason } of refused)
      warn(
        `${server} ${reason}: the record of run ${id} is kept, and sent again only by \`runbook report --refused\`.`,
      );
    const waiting = left.filter(({ isUnderWay }) => isUnderWay !== true);
    const [first] = waiting;
    if (first !== undefined) {
      const which = waiting.length === 1 ? 'One record waits' : `${waiting.length} records wait`;
      warn(`${server} ${first.reason}. ${which}; the next run, or \`runbook report\`, tries again.`);
    }
    if (options.quiet === true || sent.length === 0) return;
    const others = sent.filter(({ runId: id }) => id !== own).length;
    const what = others === sent.length ? '' : 'this run';
    const earlier = others === 0 ? '' : `${others} earlier ${others === 1 ? 'run' : 'runs'}`;
    terminal.say(
      style.dim(inline(`reported to ${server}: ${[what, earlier].filter((one) => one !== '').join(' and ')}`)),
    );
  }
}
