/** `runbook history RUN --follow`: a run as it goes on, from another terminal. Output goes where the run itself sends it. */
import { shellQuote } from '../../../core/contract.ts';
import { ERRORS, RunbookError } from '../../../core/errors.ts';
import { exitCodeOf, stopReasonOf } from '../../../core/run.ts';
import type { OutputStream, StoredRun } from '../../../core/run.ts';
import { isUnderWay } from '../../../core/run-state.ts';
import { signalNumber } from '../../../core/signals.ts';
import { formatDuration } from '../../../core/units.ts';
import { followRun, tellKept } from '../../../engine/follow.ts';
import type { Follower } from '../../../engine/follow.ts';
import { lookAtOutput } from '../../../engine/kept-output.ts';
import type { EnginePorts } from '../../../engine/ports.ts';
import { findRun } from '../../../engine/run-reference.ts';
import { describeEnd } from '../../describe.ts';
import { ChunkDecoder } from '../../output.ts';
import { inline, printable } from '../../render.ts';
import type { Style } from '../../render.ts';
import type { Terminal } from '../../terminal.ts';
import type { LedgerContext } from '../../with-ledger.ts';
import { printRun } from './one-run.ts';
import type { HistoryOptions } from './options.ts';

/** @param reference null: the newest run that is under way. @returns the exit code of the run */
export async function followCommand(
  terminal: Terminal,
  options: HistoryOptions,
  { app, style, ports, lookAfterRuns }: LedgerContext,
  reference: string | null,
): Promise<number> {
  // Its own end is told below, once.
  const named = reference === null ? null : (await findRun(ports.ledger, reference)).runId;
  await lookAfterRuns(named ?? undefined);
  const run = named === null ? await newestUnderWay(ports) : await findRun(ports.ledger, named);
  const { runId } = run;
  const say = (text: string): void => {
    if (options.quiet !== true) terminal.say(style.dim(text));
  };
  const home = isUnderWay(run.state) ? await ports.ledger.copyOf() : null;
  if (home !== null) {
    await tellKept(ports, run, createFollower(terminal, style, options));
    if (options.json === true) await printRun(terminal, app, run);
    terminal.say(`runbook: Run ${runId} had not ended when its ledger was copied; this copy will not hear of its end.`);
    terminal.say(`  see: runbook history ${runId} --follow --state-dir ${inline(shellQuote(home))}`);
    return exitOf(run);
  }
  const what = `run ${runId} (${inline(run.runbook.name)})`;
  say(isUnderWay(run.state) ? `following ${what}; Ctrl-C ends that, not the run` : `${what} has ended`);
  return await terminal.withStopSignal(async ({ stop }) => {
    const end = await followRun(ports, run, createFollower(terminal, style, options), {
      signal: stop,
      lookAfterRuns: async () => {
        await lookAfterRuns(runId);
      },
    });
    if (end === null) {
      terminal.leaveSoon();
      say(`not following any more; \`runbook ps\` shows run ${runId}, \`runbook cancel ${runId}\` ends it`);
      return 128 + signalNumber(stopReasonOf(stop).signal);
    }
    if (options.json === true) await printRun(terminal, app, end);
    const { problem } = await lookAtOutput({ ledger: ports.ledger, output: app.output }, end);
    if (problem !== null) terminal.say(`runbook: ${style.yellow('warning')}: ${inline(problem.message)}`);
    sayEnd(terminal, style, end, say);
    return exitOf(end);
  });
}

async function newestUnderWay({ ledger }: EnginePorts): Promise<StoredRun> {
  const newest = (await ledger.underWay()).at(-1);
  if (newest !== undefined) return newest.run;
  throw new RunbookError('not-found', 'Nothing runs.', {
    fix: '`runbook history last --follow` prints the newest run, which has ended.',
  });
}

function createFollower(terminal: Terminal, style: Style, { json, quiet }: HistoryOptions): Follower {
  const decoder = new ChunkDecoder();
  const print = async (stream: OutputStream, text: string): Promise<void> => {
    const shown = printable(text.replaceAll('\r\n', '\n'));
    // As in `execute --json`: stdout belongs to the document.
    if (stream === 'stdout' && json !== true) await terminal.print(shown);
    else await terminal.pass(Buffer.from(shown));
  };
  const say = (text: string): void => {
    if (quiet !== true) terminal.say(text);
  };
  return {
    step: (step, of, name) => {
      say(style.bold(`── ${step + 1}/${of} ${inline(name)}`));
    },
    output: async (item) => {
      if (item.kind === 'gap') terminal.say(style.dim(`… ${item.dropped} bytes were not kept …`));
      else for (const text of decoder.decode(item)) await print(item.stream, text);
    },
    beyond: () => {
      say(
        style.dim('… more is printed than is kept of its beginning: its last part is shown when the run has ended …'),
      );
    },
  };
}

function sayEnd(terminal: Terminal, style: Style, end: StoredRun, say: (text: string) => void): void {
  const { runId, result } = end;
  const took = result === null ? '' : ` in ${formatDuration(result.durationMs)}`;
  if (result?.outcome === 'succeeded') {
    say(`run ${runId} ${style.green('succeeded')}${took}`);
    return;
  }
  terminal.say(`runbook: ${style.red(inline(describeEnd(end)))}`);
  terminal.say(`  see: runbook history ${runId}`);
}

/** Of a run without an end that is known, the number that says: look at what it did before anything else. */
function exitOf({ result, refusal }: StoredRun): number {
  if (result !== null) return exitCodeOf(result);
  return ERRORS[refusal?.code ?? 'io'].exit;
}
