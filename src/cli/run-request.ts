/** From the words of `execute` and `plan` to what the engine is asked for. */
import { isIP } from 'node:net';
import path from 'node:path';
import { RunbookError } from '../core/errors.ts';
import { isIncident, MAX_INCIDENT_LENGTH } from '../core/incident.ts';
import type { RunRequest, StepChoice } from '../core/run.ts';
import { parseDuration } from '../core/units.ts';
import type { CommandContext, CommonOptions } from './context.ts';
import { createInteraction } from './interaction.ts';
import { inline } from './render.ts';
import type { Terminal } from './terminal.ts';
import { readToken } from './token-input.ts';
import type { TokenOptions } from './token-input.ts';
import { readEnvFiles, readVariables } from './variables.ts';

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
  readonly dryRun?: boolean;
  readonly reportTo?: string;
}

/** What is known of a request before anything was read for it. */
export function emptyRequest(
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
export async function fillIn(
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
  // The first look at a text that may be an address costs 5 ms.
  return address === '' || isIP(address) === 0 ? null : address;
}

/** Node has read the variable before any of our lines, and with it prints output before it is masked, and environments. */
export function refuseDebugging({ environment }: Terminal): void {
  if ((environment.get('NODE_DEBUG') ?? '') === '') return;
  throw new RunbookError('settings', 'NODE_DEBUG is set: Node would print what passes through it, secrets included.', {
    fix: 'Unset it; a script that needs it can set it.',
  });
}

export function chooseReference(argument: string | undefined, option: string | undefined): string {
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

export function checkIncident(text: string | undefined): void {
  if (text === undefined || isIncident(text)) return;
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
