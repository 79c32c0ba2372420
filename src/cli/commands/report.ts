/** `runbook report`: sends what waits for a server. */
import { loginToken } from '../../app/login.ts';
import { reportPorts } from '../../app/reporting.ts';
import { ERRORS } from '../../core/errors.ts';
import { sendReports } from '../../engine/report.ts';
import type { LeftReport, SentReports } from '../../engine/report.ts';
import { printJson } from '../context.ts';
import type { CommonOptions } from '../context.ts';
import { inline } from '../render.ts';
import type { Terminal } from '../terminal.ts';
import { readToken } from '../token-input.ts';
import type { TokenOptions } from '../token-input.ts';
import { withLedger } from '../with-ledger.ts';

export interface ReportOptions extends CommonOptions, TokenOptions {
  readonly reportTo?: string;
  readonly refused?: boolean;
}

export async function reportCommand(terminal: Terminal, options: ReportOptions): Promise<number> {
  return await withLedger(terminal, options, 'look', async ({ app, style, ports, lookAfterRuns }) => {
    const { reportTo: server } = app.settings;
    const given = await readToken(terminal, options, app);
    // The records of runs whose runner died are made now.
    await lookAfterRuns();
    const reports = reportPorts(app.stateDir, ports.ledger);
    const { outbox } = reports;
    const told = await terminal.withStopSignal(async ({ stop }) => {
      if (options.refused === true) await outbox.retry();
      return await sendReports(reports, {
        server,
        // It was given for the server that is named.
        tokenFor: async (one) => (one === server ? given : null) ?? (await loginToken(app.stateDir, app.clock, one)),
        most: Infinity,
        signal: stop,
      });
    });
    const all: SentReports = { ...told, refused: await outbox.refused() };
    if (options.json === true) await printJson(terminal, 'report', asJson(all));
    else {
      for (const { runId, server: to } of all.sent) await terminal.print(`${runId} is reported to ${inline(to)}\n`);
      for (const one of all.left) await terminal.print(`${one.runId} waits: ${inline(sentence(one))}\n`);
      for (const one of all.refused) await terminal.print(`${one.runId} is refused: ${inline(sentence(one))}\n`);
      const isNothing = all.sent.length + all.left.length + all.refused.length === 0;
      if (isNothing && options.quiet !== true) terminal.say(style.dim('Nothing waits.'));
    }
    const isLeft = told.left.some(({ isUnderWay }) => isUnderWay !== true);
    return isLeft || told.refused.length > 0 ? ERRORS.unavailable.exit : 0;
  });
}

function sentence({ server, reason, isUnderWay }: LeftReport): string {
  return isUnderWay === true ? `${reason}; it is for ${server}` : `${server} ${reason}`;
}

function asJson({ sent, left, refused }: SentReports): Readonly<Record<string, unknown>> {
  const why = ({ runId, server, reason }: LeftReport) => ({ runId, server, reason });
  return {
    sent: sent.map(({ runId, server }) => ({ runId, server })),
    left: left.map(why),
    refused: refused.map(why),
  };
}
