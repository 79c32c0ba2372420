/** `runbook execute`: from the command line to a request, and from the end of the run to an exit code. */
import { ERRORS, RunbookError } from '../../core/errors.ts';
import { exitCodeOf, stopReasonOf } from '../../core/run.ts';
import { signalNumber } from '../../core/signals.ts';
import type { RunEventSink } from '../../core/run.ts';
import { formatDuration } from '../../core/units.ts';
import { isUnrecordedEnd } from '../../engine/end.ts';
import { execute } from '../../engine/execute.ts';
import type { EnginePorts } from '../../engine/ports.ts';
import { lookAfterOutput } from '../../engine/retention.ts';
import { refuseRequest } from '../../engine/refuse.ts';
import { withApp } from '../context.ts';
import type { CommandContext } from '../context.ts';
import { describePause } from '../describe.ts';
import { heardAsking } from '../interaction.ts';
import { prepareRecordFile } from '../record-file.ts';
import { settlesHere } from '../recovery.ts';
import { inline } from '../render.ts';
import { createReporting } from '../reporting.ts';
import { reportError } from '../report.ts';
import { createRunRecord } from '../run-record.ts';
import { checkIncident, chooseReference, emptyRequest, fillIn, refuseDebugging } from '../run-request.ts';
import type { ExecuteOptions } from '../run-request.ts';
import { createRunView } from '../run-view.ts';
import { createDetails } from '../run/details.ts';
import { withFrame } from '../run/frame.ts';
import type { RunFrame } from '../run/frame.ts';
import { openJunitFile } from '../run/junit-file.ts';
import type { JunitFile } from '../run/junit-file.ts';
import { openFrame } from '../run/open-frame.ts';
import type { Terminal } from '../terminal.ts';

/** @param valueOptions names of the options whose next word is their value */
export async function executeCommand(
  terminal: Terminal,
  argument: string | undefined,
  options: ExecuteOptions,
  valueOptions: ReadonlySet<string>,
): Promise<number> {
  const reference = argument ?? options.runbook ?? '';
  for (const flag of ['record', 'junit'] as const) if (options[flag] === '-') throw noStdout(flag);
  const junit = options.junit === undefined ? null : await openJunitFile(options.junit, terminal.cwd);
  const frame = await openFrame(terminal, options);
  try {
    return await executeIn(frame, argument, options, valueOptions, junit);
  } catch (error) {
    await tellRefusal(frame, junit, error, reference);
    throw error;
  } finally {
    frame.close();
  }
}

/** It would become a file of that name. */
function noStdout(flag: string): RunbookError {
  return new RunbookError('usage', `--${flag}: stdout is the script’s.`, {
    fix: `Name a file, and print it afterwards.`,
  });
}

/** To whoever looks at a page or a file instead of the messages. */
async function tellRefusal(frame: RunFrame, junit: JunitFile | null, error: unknown, reference: string): Promise<void> {
  if (!(error instanceof RunbookError)) return;
  await frame.refused(error, reference);
  await junit?.refused(frame.terminal, error, reference);
}

async function executeIn(
  frame: RunFrame,
  argument: string | undefined,
  options: ExecuteOptions,
  valueOptions: ReadonlySet<string>,
  junit: JunitFile | null,
): Promise<number> {
  const { terminal } = frame;
  const file = options.record === undefined ? null : await prepareRecordFile(options.record, terminal.cwd);
  refuseDebugging(terminal);
  const reference = chooseReference(argument, options.runbook);
  checkIncident(options.incident);
  return await withApp(terminal, options, async (context) => {
    const { app, style } = context;
    file?.refuseInside(app.stateDir);
    const engine = await settlesHere(terminal, context, await app.engine());
    const record = createRunRecord(terminal, context, file, engine.ledger);
    const ports = { ...engine, ledger: record.ledger };
    if (app.settings.history === 'none' && options.quiet !== true) {
      terminal.say(style.yellow('This run leaves no record (--history none): nobody can ask later what happened.'));
    }
    // Read before signals are caught: whoever interrupts a read that waits ends the process, and nothing has begun.
    const asked = withFrame(emptyRequest(terminal, context, options, reference), frame);
    const details = createDetails(terminal, context, options);
    details.begin();
    if (asked.interaction !== null) await sayPaused(terminal, context, ports);
    const view = createRunView(frame, context, options, asked, valueOptions);
    let hasEnded = false;
    let isAsking = false;
    const reporting = createReporting(terminal, context, options, engine.ledger);
    const listener: RunEventSink = async (event) => {
      await reporting.hear(event);
      record.hear(event);
      details.hear(event);
      if (event.type === 'ended') hasEnded = true;
      await view.listener(event);
    };
    const request = await fillIn(terminal, context, options, asked).catch(async (error: unknown) => {
      if (error instanceof RunbookError) await refuseRequest(ports, asked, error, listener);
      await record.write(error);
      await reporting.deliver(asked);
      throw error;
    });

    return await terminal.withStopSignal(async ({ stop: signal, force }) => {
      signal.addEventListener('abort', () => {
        if (options.quiet !== true) terminal.say(style.dim(describeStop(hasEnded || isAsking, app.settings.stopGrace)));
      });
      force.addEventListener('abort', () => {
        if (options.quiet !== true) terminal.say(style.dim('stopping at once: whatever still runs is killed'));
      });
      try {
        const interaction =
          request.interaction &&
          heardAsking(request.interaction, (is) => {
            isAsking = is;
          });
        const result = await execute(ports, { ...request, interaction, signal, force }, listener);
        // Who waits for the record must not go on without it; of a run that failed, its own exit code says more.
        const isRecordWritten = await record.write();
        const isReported = (await junit?.write(terminal, view.report(result))) ?? true;
        const exitCode = exitCodeOf(result) || (isRecordWritten && isReported ? 0 : ERRORS.io.exit);
        await view.finish(result, exitCode);
        if (options.verbose === true && options.quiet !== true) {
          const { describeRun } = await import('../verbose.ts');
          for await (const line of describeRun(ports.ledger, result)) terminal.say(style.dim(line));
        }
        details.end();
        await reporting.deliver({ ...request, force });
        if (!signal.aborted) await lookAfterOutput(ports);
        if (result.outcome === 'timed-out' || result.outcome === 'canceled') terminal.leaveSoon();
        return exitCode;
      } catch (error) {
        await record.write(error);
        await reporting.deliver({ ...request, force });
        if (!signal.aborted || isUnrecordedEnd(error)) throw error;
        await tellRefusal(frame, junit, error, reference);
        // Who presses Ctrl-C at a question has not forgotten a variable.
        return await reportError(terminal, 'execute', options, error, 128 + signalNumber(stopReasonOf(signal).signal));
      }
    });
  });
}

function describeStop(isOver: boolean, graceMs: number): string {
  return isOver
    ? 'stopping: nothing runs any more, only the end is still to be recorded (once more Ctrl-C: without that)'
    : `stopping: what still runs has ${formatDuration(graceMs)} to end (once more Ctrl-C: at once)`;
}

/** Before somebody answers questions for a run that cannot begin. */
async function sayPaused(terminal: Terminal, { style }: CommandContext, { ledger }: EnginePorts): Promise<void> {
  const paused = await ledger.paused();
  if (paused !== null)
    terminal.say(
      style.yellow(`Runs are paused ${inline(describePause(paused))}. This one begins only if that is over by then.`),
    );
}
