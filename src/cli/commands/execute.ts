/** `runbook execute`: from the command line to a request, and from the events of the run to what a person or a pipeline sees. */
import { RunbookError } from '../../core/errors.ts';
import { bytesOf, exitCodeOf, signalNumber, stopReasonOf } from '../../core/run.ts';
import type { RunEvent, RunRequest, RunResult } from '../../core/run.ts';
import { formatDuration, parseDuration } from '../../core/units.ts';
import { execute } from '../../engine/execute.ts';
import { refuseRequest } from '../../engine/refuse.ts';
import { printJson, withApp } from '../context.ts';
import type { CommandContext, CommonOptions } from '../context.ts';
import { createInteraction } from '../interaction.ts';
import { inline, printable } from '../render.ts';
import type { Style } from '../render.ts';
import { reportError } from '../report.ts';
import type { Terminal } from '../terminal.ts';
import { readToken } from '../token-input.ts';
import type { TokenOptions } from '../token-input.ts';
import { readEnvFiles, readVariables } from '../variables.ts';

export interface ExecuteOptions extends CommonOptions, TokenOptions {
  readonly runbook?: string;
  readonly env?: readonly string[];
  readonly envFile?: readonly string[];
  readonly passEnv?: readonly string[];
  readonly timeout?: string;
  readonly history?: string;
  readonly executionDir?: string;
  readonly incident?: string;
  readonly strict?: boolean;
  readonly yes?: boolean;
  readonly input?: boolean;
}

export async function executeCommand(
  terminal: Terminal,
  argument: string | undefined,
  options: ExecuteOptions,
): Promise<number> {
  const reference = chooseReference(argument, options.runbook);
  return await withApp(terminal, options, async (context) => {
    const { app, style } = context;
    const ports = await app.engine();
    if (app.settings.history === 'none' && options.quiet !== true) {
      terminal.say(style.yellow('This run leaves no record (--history none): nobody can ask later what happened.'));
    }
    const rollbacks: Rollback[] = [];
    const listener = async (event: RunEvent): Promise<void> => {
      if (event.type === 'step' && event.rollback !== undefined) {
        rollbacks.unshift({ step: event.name, body: event.rollback.body });
      }
      await show(terminal, style, options, event);
    };
    // Read before signals are caught: whoever interrupts a read that waits ends the process, and nothing has begun.
    const asked = emptyRequest(terminal, context, options, reference);
    const request = await fillIn(terminal, context, options, asked).catch(async (error: unknown) => {
      if (error instanceof RunbookError) await refuseRequest(ports, asked, error, listener);
      throw error;
    });

    return await terminal.withStopSignal(async ({ stop: signal, force }) => {
      signal.addEventListener('abort', () => {
        const grace = formatDuration(app.settings.stopGrace);
        const text = `stopping: what still runs has ${grace} to end (once more Ctrl-C: at once)`;
        if (options.quiet !== true) terminal.say(style.dim(text));
      });
      try {
        const result = await execute(ports, { ...request, signal, force }, listener);
        await finish(terminal, options, context, result, rollbacks);
        if (result.outcome === 'timed-out' || result.outcome === 'canceled') terminal.leaveSoon();
        return exitCodeOf(result);
      } catch (error) {
        if (!signal.aborted) throw error;
        // Who presses Ctrl-C at a question has not forgotten a variable.
        return await reportError(terminal, 'execute', options, error, 128 + signalNumber(stopReasonOf(signal).signal));
      }
    });
  });
}

/** What is known of a request before anything was read for it. */
function emptyRequest(
  terminal: Terminal,
  { app }: CommandContext,
  options: ExecuteOptions,
  reference: string,
): RunRequest {
  return {
    reference,
    token: null,
    given: new Map(),
    onCommandLine: new Set(),
    wanted: [],
    envFile: new Map(),
    passEnv: [...app.settings.passEnv, ...(options.passEnv ?? [])],
    source: terminal.ci ? 'ci' : 'cli',
    historyMode: app.settings.history,
    timeoutMs: null,
    callChain: [],
    correlationId: terminal.environment.get('RUNBOOK_CORRELATION_ID') ?? null,
    incident: options.incident ?? null,
    signal: new AbortController().signal,
    force: new AbortController().signal,
    strict: options.strict === true,
    interaction: terminal.interactive && options.input !== false ? createInteraction(terminal) : null,
    assumeYes: options.yes === true,
  };
}

/** @throws RunbookError for what the user gave and cannot be read */
async function fillIn(
  terminal: Terminal,
  { app }: CommandContext,
  options: ExecuteOptions,
  asked: RunRequest,
): Promise<RunRequest> {
  const { values, onCommandLine, wanted } = readVariables(options.env ?? [], terminal);
  return {
    ...asked,
    given: values,
    onCommandLine,
    wanted,
    envFile: readEnvFiles(options.envFile ?? [], terminal.cwd),
    timeoutMs: readTimeout(options.timeout),
    callChain: readCallChain(terminal),
    token: await readToken(terminal, options, app.settings.token),
  };
}

/** The rollback of a step that has begun, newest first: nothing of it is run. */
interface Rollback {
  readonly step: string;
  readonly body: string;
}

/** Output goes where it belongs at once, all of it; with `--json` stdout belongs to the document, so it goes to stderr. */
async function show(terminal: Terminal, style: Style, options: CommonOptions, event: RunEvent): Promise<void> {
  const quiet = options.quiet === true;
  switch (event.type) {
    case 'stdout':
    case 'stderr':
      if (event.type === 'stdout' && options.json !== true) await terminal.print(event.chunk);
      else await terminal.pass(event.chunk);
      return;
    case 'notice':
      if (event.level === 'warning') terminal.say(`runbook: ${style.yellow('warning')}: ${inline(event.message)}`);
      else if (!quiet) terminal.say(style.dim(inline(event.message)));
      return;
    case 'started':
      if (!quiet) terminal.say(style.dim(`run ${event.runId} started`));
      return;
    case 'step':
      if (!quiet && event.phase === 'started' && event.of > 1)
        terminal.say(style.bold(`── ${event.step + 1}/${event.of} ${inline(event.name)}`));
      return;
    case 'queued':
    case 'finished':
  }
}

async function finish(
  terminal: Terminal,
  options: CommonOptions,
  { app, style }: CommandContext,
  result: RunResult,
  rollbacks: readonly Rollback[],
): Promise<void> {
  for (const survivor of result.survivors) {
    terminal.say(
      `runbook: ${style.yellow('warning')}: process ${survivor.pid} (${inline(survivor.command)}) of the script is still alive.`,
    );
  }
  if (options.json === true) {
    const { chunks } = await app.output.read(result.runId);
    const text = (stream: 'stdout' | 'stderr'): string => bytesOf(chunks, stream).toString('utf8');
    await printJson(terminal, 'execute', {
      exitCode: exitCodeOf(result),
      result: { ...result, output: { ...result.output, stdout: text('stdout'), stderr: text('stderr') } },
    });
  }
  const took = formatDuration(result.durationMs);
  if (result.outcome === 'succeeded') {
    if (options.quiet !== true) terminal.say(style.dim(`run ${result.runId} ${style.green('succeeded')} in ${took}`));
    return;
  }
  const dropped = result.output.dropped > 0 ? ` ${result.output.dropped} bytes of output are not in the record.` : '';
  terminal.say(`runbook: ${style.red(result.outcome)}: ${inline(result.reason ?? '')} (after ${took})${dropped}`);
  for (const { step, body } of rollbacks) {
    terminal.say(
      `${style.bold(`To take back “${inline(step)}”, by hand:`)}\n${printable(body).replaceAll(/^/gm, '    ')}`,
    );
  }
  if (app.settings.history !== 'none') terminal.say(`  see: runbook history ${result.runId}`);
}

function chooseReference(argument: string | undefined, option: string | undefined): string {
  if (argument !== undefined && option !== undefined)
    throw new RunbookError('usage', 'Two runbooks are named, one as argument and one with --runbook.', {
      fix: 'Name one.',
    });
  const reference = argument ?? option;
  if (reference === undefined)
    throw new RunbookError('usage', 'No runbook is named.', {
      fix: 'Write `runbook execute NAME` or a path; `runbook list` shows what there is.',
    });
  return reference;
}

function readTimeout(text: string | undefined): number | null {
  if (text === undefined) return null;
  const ms = parseDuration(text);
  if (ms === null)
    throw new RunbookError('usage', `--timeout: “${text}” is not a duration.`, {
      fix: 'Write a number with a unit, like 90s, 10m or 1h30m.',
    });
  return ms;
}

/** Set by a runbook whose script calls `runbook execute`. What is no list of names is refused: ignoring it would lift the limit. */
function readCallChain(terminal: Terminal): readonly string[] {
  const text = terminal.environment.get('RUNBOOK_RECURSION_STACK');
  if (text === undefined || text === '') return [];
  try {
    const value: unknown = JSON.parse(text);
    if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value;
  } catch {
    // told below
  }
  throw new RunbookError('usage', 'RUNBOOK_RECURSION_STACK is not a JSON list of names.', {
    fix: 'Leave this variable as runbook sets it, or unset it.',
  });
}
