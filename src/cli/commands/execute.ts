/** `runbook execute`: from the command line to a request, and from the end of the run to an exit code. */
import { isIP } from 'node:net';
import path from 'node:path';
import { ERRORS, RunbookError } from '../../core/errors.ts';
import { exitCodeOf, stopReasonOf } from '../../core/run.ts';
import { signalNumber } from '../../core/signals.ts';
import type { RunEventSink, RunRequest, StepChoice } from '../../core/run.ts';
import { formatDuration, parseDuration } from '../../core/units.ts';
import { isUnrecordedEnd } from '../../engine/end.ts';
import { execute } from '../../engine/execute.ts';
import type { EnginePorts } from '../../engine/ports.ts';
import { lookAfterOutput } from '../../engine/retention.ts';
import { refuseRequest } from '../../engine/refuse.ts';
import { withApp } from '../context.ts';
import type { CommandContext, CommonOptions } from '../context.ts';
import { describePause } from '../describe.ts';
import { createInteraction } from '../interaction.ts';
import { prepareRecordFile } from '../record-file.ts';
import { settlesHere } from '../recovery.ts';
import { inline } from '../render.ts';
import { reportError } from '../report.ts';
import { createRunRecord } from '../run-record.ts';
import { createRunView } from '../run-view.ts';
import { createDetails } from '../run/details.ts';
import { withFrame } from '../run/frame.ts';
import type { RunFrame } from '../run/frame.ts';
import { openJunitFile } from '../run/junit-file.ts';
import type { JunitFile } from '../run/junit-file.ts';
import { openFrame } from '../run/open-frame.ts';
import type { Terminal } from '../terminal.ts';
import { readToken } from '../token-input.ts';
import type { TokenOptions } from '../token-input.ts';
import { readEnvFiles, readVariables } from '../variables.ts';

const MAX_INCIDENT_LENGTH = 200;

export interface ExecuteOptions extends CommonOptions, TokenOptions {
  readonly runbook?: string;
  readonly env?: readonly string[];
  readonly envFile?: readonly string[];
  readonly passEnv?: readonly string[];
  readonly timeout?: string;
  readonly history?: string;
  readonly executionDir?: string;
  readonly incident?: string;
  readonly record?: string;
  readonly strict?: boolean;
  readonly yes?: boolean;
  readonly input?: boolean;
  readonly from?: string;
  readonly only?: string;
  readonly stubs?: string;
  readonly keepWorkdir?: string;
  readonly junit?: string;
  readonly progress?: boolean;
}

/** @param valueOptions names of the options whose next word is their value */
export async function executeCommand(
  terminal: Terminal,
  argument: string | undefined,
  options: ExecuteOptions,
  valueOptions: ReadonlySet<string>,
): Promise<number> {
  const reference = argument ?? options.runbook ?? '';
  const junit = options.junit === undefined ? null : await openJunitFile(options.junit, terminal.cwd);
  const frame = await openFrame(terminal, options);
  try {
    return await executeIn(frame, argument, options, valueOptions, junit);
  } catch (error) {
    if (error instanceof RunbookError) {
      await frame.refused(error, reference);
      await junit?.refused(frame.terminal, error, reference);
    }
    throw error;
  } finally {
    frame.close();
  }
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
    const listener: RunEventSink = (event) => {
      record.hear(event);
      details.hear(event);
      if (event.type === 'ended') hasEnded = true;
      return view.listener(event);
    };
    const request = await fillIn(terminal, context, options, asked).catch(async (error: unknown) => {
      if (error instanceof RunbookError) await refuseRequest(ports, asked, error, listener);
      await record.write(error);
      throw error;
    });

    return await terminal.withStopSignal(async ({ stop: signal, force }) => {
      signal.addEventListener('abort', () => {
        if (options.quiet !== true) terminal.say(style.dim(describeStop(hasEnded, app.settings.stopGrace)));
      });
      force.addEventListener('abort', () => {
        if (options.quiet !== true) terminal.say(style.dim('stopping at once: whatever still runs is killed'));
      });
      try {
        const result = await execute(ports, { ...request, signal, force }, listener);
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
        if (!signal.aborted) await lookAfterOutput(ports);
        if (result.outcome === 'timed-out' || result.outcome === 'canceled') terminal.leaveSoon();
        return exitCode;
      } catch (error) {
        await record.write(error);
        if (!signal.aborted || isUnrecordedEnd(error)) throw error;
        // Who presses Ctrl-C at a question has not forgotten a variable.
        return await reportError(terminal, 'execute', options, error, 128 + signalNumber(stopReasonOf(signal).signal));
      }
    });
  });
}

function describeStop(hasEnded: boolean, graceMs: number): string {
  return hasEnded
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
    address: addressOf(terminal),
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
    choice: null,
    stubs: readStubs(terminal, options.stubs),
    keepWorkFolder: app.settings.keepWorkdir,
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
    choice: readChoice(options),
    timeoutMs: readTimeout(options.timeout),
    callChain: readCallChain(terminal),
    // Nobody looks at the token of a rehearsal, so none is waited for.
    token: asked.stubs === null ? await readToken(terminal, options, app) : null,
  };
}

/** Of whoever came by ssh; a hint as good as the environment is. */
function addressOf({ environment }: Terminal): string | null {
  const [address = ''] = (environment.get('SSH_CONNECTION') ?? '').split(' ');
  return isIP(address) === 0 ? null : address;
}

/** Node has read the variable before any of our lines, and with it prints output before it is masked, and environments. */
function refuseDebugging({ environment }: Terminal): void {
  if ((environment.get('NODE_DEBUG') ?? '') === '') return;
  throw new RunbookError('settings', 'NODE_DEBUG is set: Node would print what passes through it, secrets included.', {
    fix: 'Unset it; a script that needs it can set it.',
  });
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

/** It stands in lists, tables and names of tickets. */
function checkIncident(text: string | undefined): void {
  if (text === undefined) return;
  const isLine = text.trim() !== '' && !/[\p{Cc}\u2028\u2029]/u.test(text);
  if (isLine && Array.from(text).length <= MAX_INCIDENT_LENGTH) return;
  throw new RunbookError('usage', `--incident is not one line of 1 to ${MAX_INCIDENT_LENGTH} characters.`, {
    fix: 'Write the id of the incident, like `--incident INC-42`.',
  });
}

function readChoice({ from, only }: ExecuteOptions): StepChoice | null {
  if (from !== undefined && only !== undefined)
    throw new RunbookError('usage', '--from and --only are both given.', { fix: 'Give one of them.' });
  if (from !== undefined) return { kind: 'from', step: from };
  return only === undefined ? null : { kind: 'only', step: only };
}

/** What is called inside of a rehearsal is one, too: whether it says so or not. */
function readStubs(terminal: Terminal, option: string | undefined): string | null {
  if (option !== undefined) return path.resolve(terminal.cwd, option);
  const inherited = terminal.environment.get('RUNBOOK_STUBS') ?? '';
  if (inherited === '') return null;
  terminal.say(`runbook: RUNBOOK_STUBS is set to ${inline(inherited)}, so nothing here is a real run.`);
  return inherited;
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
