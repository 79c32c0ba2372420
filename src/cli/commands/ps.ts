/** `runbook ps`: what runs now, where and since when; whether it still prints, and whether somebody wants it to end. */
import { whatRuns } from '../../engine/running.ts';
import type { RunningNow } from '../../engine/running.ts';
import { printJson } from '../context.ts';
import type { CommonOptions } from '../context.ts';
import { describePause, describeSpan, describeWho, shorten } from '../describe.ts';
import { inline, renderTable } from '../render.ts';
import type { Terminal } from '../terminal.ts';
import { toldStep } from '../../core/told-run.ts';
import { withLedger } from '../with-ledger.ts';

const MAX_NAME_LENGTH = 40;

export async function psCommand(terminal: Terminal, options: CommonOptions): Promise<number> {
  return await withLedger(terminal, options, 'ask', async ({ style, ports, lookAfterRuns }) => {
    await lookAfterRuns();
    const { runs, paused } = await whatRuns(ports);
    if (options.json === true) {
      await printJson(terminal, 'ps', { paused, runs: runs.map(asJson) });
      return 0;
    }
    const now = ports.clock.now();
    if (runs.length > 0) {
      const heads = ['RUN', 'RUNBOOK', 'STEP', 'SINCE', 'FOR', 'WHO', 'WHERE', 'OUTPUT', ''];
      await terminal.print(`${renderTable([heads, ...runs.map((one) => row(one, now))])}\n`);
    } else if (options.quiet !== true) {
      terminal.say('Nothing runs.');
    }
    if (paused !== null && options.quiet !== true)
      terminal.say(
        style.yellow(`Runs are paused ${inline(describePause(paused))}. \`runbook resume\` lets them begin.`),
      );
    return 0;
  });
}

function row({ run, owner, progress, cancel, lastOutputAt }: RunningNow, now: Date): readonly string[] {
  const since = run.startedAt ?? run.enqueuedAt;
  const step = progress === null ? run.state : `${progress.step + 1}/${progress.of} ${progress.name}`;
  const asked =
    cancel === null
      ? null
      : `to be canceled: asked by ${describeWho(cancel.who)} ${describeSpan(cancel.at, now)} ago${cancel.reason === null ? '' : `: ${cancel.reason}`}`;
  return [
    run.runId,
    inline(shorten(run.runbook.name, MAX_NAME_LENGTH)),
    inline(shorten(step, MAX_NAME_LENGTH)),
    since.replace(/\.\d+Z$/, 'Z'),
    describeSpan(since, now),
    inline(run.who.subject ?? `${run.who.osUser ?? '?'} (no token)`),
    inline(`${describeWho({ osUser: run.who.osUser, host: owner.host })} ${owner.pid}`),
    lastOutputAt === null ? 'none yet' : `${describeSpan(lastOutputAt, now)} ago`,
    inline([run.rehearsal ? 'rehearsal' : null, asked].filter((note) => note !== null).join('; ')),
  ];
}

function asJson({ run, owner, progress, cancel, lastOutputAt }: RunningNow): Record<string, unknown> {
  const { runId, runbook, state, rehearsal, incident, enqueuedAt, startedAt, who } = run;
  return {
    runId,
    runbook: runbook.name,
    path: runbook.path,
    state,
    rehearsal,
    incident,
    enqueuedAt,
    startedAt,
    step: progress === null ? null : toldStep(progress),
    subject: who.subject,
    osUser: who.osUser,
    host: owner.host,
    pid: owner.pid,
    lastOutputAt,
    cancel: cancel === null ? null : { at: cancel.at, by: describeWho(cancel.who), reason: cancel.reason },
  };
}
