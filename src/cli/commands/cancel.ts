/** `runbook cancel`: asks a run to end, wherever on this machine it was started, and says how it did. */
import { shellQuote } from '../../core/contract.ts';
import { RunbookError } from '../../core/errors.ts';
import type { Operation } from '../../core/ports.ts';
import { DISK_FULL } from '../../core/room.ts';
import { exitCodeOf, stopReasonOf } from '../../core/run.ts';
import type { StoredRun } from '../../core/run.ts';
import { signalNumber } from '../../core/signals.ts';
import { formatDuration, parseDuration } from '../../core/units.ts';
import { awaitEnd, notUnderWay, requestCancel } from '../../engine/cancel.ts';
import type { EnginePorts } from '../../engine/ports.ts';
import { findRun } from '../../engine/run-reference.ts';
import { printJson } from '../context.ts';
import type { CommonOptions } from '../context.ts';
import { describeEnd } from '../describe.ts';
import { inline } from '../render.ts';
import type { Terminal } from '../terminal.ts';
import { withLedger } from '../with-ledger.ts';
import type { LedgerContext } from '../with-ledger.ts';

export interface CancelOptions extends CommonOptions {
  readonly reason?: string;
  /** A duration; false: `--no-wait`; true: neither was given. */
  readonly wait?: string | boolean;
}

/** After the grace that scripts get, for what an owner does then: ending what is left, keeping files, recording. */
const PATIENCE_MS = 10_000;

/** It ended, and not because of the request. */
const ENDED_OTHERWISE = 66;

export async function cancelCommand(terminal: Terminal, reference: string, options: CancelOptions): Promise<number> {
  return await withLedger(terminal, options, 'ask', async (context) => {
    const { app, style, ports, lookAfterRuns } = context;
    const waitMs = readWait(options.wait, app.settings.stopGrace + PATIENCE_MS);
    const isLeftAlone = (await app.whyLeftAlone()) !== null;
    if (!isLeftAlone) await lookAfterRuns();
    const run = await findRun(ports.ledger, reference);
    if (isLeftAlone) throw await notHere(context, run);
    const operation = await requestCancel(ports, run, options.reason ?? null).catch(async (error: unknown) => {
      throw error instanceof RunbookError && error.code === 'io' ? await notAsked(context, run, error) : error;
    });
    const say = (text: string): void => {
      if (options.quiet !== true) terminal.say(style.dim(text));
    };
    const { runId } = run;
    const what = `run ${runId} (${inline(run.runbook.name)})`;
    if (waitMs === null) {
      say(`asked ${what} to end; \`runbook ps\` shows whether it has`);
      if (options.json === true) await printJson(terminal, 'cancel', asJson(operation, run, false));
      return 0;
    }
    return await terminal.withStopSignal(async ({ stop }) => {
      // Said where a signal is listened to already: whoever reads it may send one.
      say(`asked ${what} to end; waiting for it, ${formatDuration(waitMs)} at most`);
      const end = await awaitEnd(ports, runId, { forMs: waitMs, signal: stop, lookAfterRuns });
      if (end === null && stop.aborted) {
        say(`not waiting any more; run ${runId} is still to be canceled`);
        return 128 + signalNumber(stopReasonOf(stop).signal);
      }
      if (end === null) throw await unanswered(ports, runId, waitMs);
      if (options.json === true) await printJson(terminal, 'cancel', asJson(operation, end, true));
      if (end.result?.outcome === 'canceled') {
        say(`run ${runId} was canceled`);
        return 0;
      }
      terminal.say(`runbook: run ${runId} ended before it could be canceled: ${inline(describeEnd(end))}`);
      return ENDED_OTHERWISE;
    });
  });
}

/** Whoever carries it out does not look into a copy, and nobody can be asked where nothing can be written. */
async function notHere(context: LedgerContext, run: StoredRun): Promise<RunbookError> {
  const { runId } = run;
  const home = await context.ports.ledger.copyOf();
  if (home === null) return await notAsked(context, run, null);
  return new RunbookError(
    'not-found',
    `Run ${runId} is not a run of this ledger, which is a copy of the one in ${home}.`,
    {
      fix: `Cancel it there: \`runbook cancel ${runId} --state-dir ${shellQuote(home)}\`.`,
    },
  );
}

/** The request goes through the ledger, which cannot take it: another one has not got the run, so the run itself is to be told. */
async function notAsked(
  { app, ports }: LedgerContext,
  run: StoredRun,
  cause: RunbookError | null,
): Promise<RunbookError> {
  const { runId } = run;
  const owner = (await ports.ledger.underWay()).find((one) => one.run.runId === runId)?.owner;
  if (owner === undefined) return notUnderWay(run);
  const why = cause?.reason === DISK_FULL ? 'has no space left on its disk' : 'cannot be written';
  return new RunbookError(
    'io',
    `Run ${runId} cannot be asked to end: the ledger in ${app.stateDir}, through which it would hear of it, ${why}.`,
    {
      fix: `Press Ctrl-C where it was started, or send its process on ${owner.host} a signal: \`kill ${owner.pid}\`.`,
      ...(cause === null ? {} : { cause }),
    },
  );
}

/** @returns milliseconds; null for not at all. @throws RunbookError `usage` */
function readWait(wait: string | boolean | undefined, otherwise: number): number | null {
  if (wait === false) return null;
  if (typeof wait !== 'string') return otherwise;
  const ms = parseDuration(wait);
  if (ms === null)
    throw new RunbookError('usage', `--wait: “${wait}” is not a duration.`, {
      fix: 'Write a number with a unit, like 30s or 5m; --no-wait does not wait at all.',
    });
  return ms;
}

async function unanswered({ ledger }: EnginePorts, runId: string, waitMs: number): Promise<RunbookError> {
  const mine = (await ledger.underWay()).find(({ run }) => run.runId === runId);
  const who = mine === undefined ? '' : ` (process ${mine.owner.pid} on ${mine.owner.host})`;
  const message = `Run ${runId} has not ended within ${formatDuration(waitMs)}: its owner${who} does not answer, or is still busy with the end.`;
  return new RunbookError('busy', message, {
    fix: 'It is still to be canceled, as soon as its owner looks; `runbook ps` shows whether it goes on.',
  });
}

function asJson({ operationId, at, reason }: Operation, run: StoredRun, isWaited: boolean): Record<string, unknown> {
  const { runId, state, result } = run;
  return {
    runId,
    operationId,
    at,
    reason,
    waited: isWaited,
    state,
    outcome: result?.outcome ?? null,
    exitCode: result === null ? null : exitCodeOf(result),
  };
}
