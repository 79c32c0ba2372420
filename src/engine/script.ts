/** One script of a run: its file, its environment, its process, and how it ended. */
import { messageOf } from '../core/failures.ts';
import type { Enclosure, JobEnd, LoadedDocument, WorkFolder } from '../core/ports.ts';
import { stopReasonOf } from '../core/run.ts';
import type { Outcome, RunEventSink, Survivor } from '../core/run.ts';
import type { Runbook, Script, Step } from '../core/runbook.ts';
import { formatDuration } from '../core/units.ts';
import { describeEnvironment } from './details.ts';
import type { Draft } from './draft.ts';
import type { Lease } from './lease.ts';
import { notify } from './notices.ts';
import type { RunOutputSink } from './output.ts';
import type { EnginePorts } from './ports.ts';
import type { Plan } from './requirements.ts';
import { environmentOf } from './script-environment.ts';
import { listenForSecrets } from './told-secrets.ts';

/** An accepted run with everything that its scripts need. */
export interface RunContext {
  readonly ports: EnginePorts;
  readonly draft: Draft;
  readonly document: LoadedDocument;
  readonly runbook: Runbook;
  readonly plan: Plan;
  readonly workFolder: WorkFolder;
  readonly enclosure: Enclosure;
  readonly output: RunOutputSink;
  readonly lease: Lease;
  readonly emit: RunEventSink;
  /** What its scripts may call other runbooks with. */
  readonly token: string | null;
}

/** How a step, or one of its scripts, ended. */
export interface Ended {
  readonly outcome: Outcome;
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly reason: string | null;
  readonly survivors: readonly Survivor[];
}

export const SUCCEEDED: Ended = { outcome: 'succeeded', exitCode: 0, signal: null, reason: null, survivors: [] };

/** `atMs` on the monotonic clock; `of` begins the sentence that is said when it passes. */
export interface Deadline {
  readonly atMs: number;
  readonly limitMs: number;
  readonly of: string;
}

export interface ScriptRun {
  readonly step: Step;
  readonly index: number;
  readonly script: Script;
  /** `script` or `done-when`, whose outputs nobody reads. */
  readonly part: 'script' | 'done-when';
  readonly deadline: Deadline | null;
  /** What earlier steps passed on. */
  readonly passedOn: ReadonlyMap<string, string>;
}

export async function runScript(context: RunContext, run: ScriptRun): Promise<Ended> {
  const { ports, plan, workFolder, enclosure, output, draft } = context;
  const { step, index, script, part, deadline } = run;
  const program = plan.interpreters.get(script.interpreter);
  if (program === undefined) throw new TypeError(`no path is known for ${script.interpreter}`);
  const maskFile = `${index + 1}-${part}-mask`;
  let files: { readonly script: string; readonly outputs: string; readonly masks: string };
  try {
    files = {
      script: await workFolder.controlFile(scriptFile(index, part, script), `${script.body}\n`),
      outputs: part === 'script' ? await workFolder.controlFile(outputsFile(index), '') : '/dev/null',
      masks: await workFolder.controlFile(maskFile, ''),
    };
  } catch (error) {
    return {
      ...SUCCEEDED,
      outcome: 'spawn-failed',
      exitCode: null,
      reason: `The script could not be written: ${messageOf(error)}.`,
    };
  }
  const listen = listenForSecrets(context, step, {
    masks: maskFile,
    outputs: part === 'script' ? outputsFile(index) : null,
  });
  const env = environmentOf(context, step, files, run.passedOn);
  await notify(draft, context.emit, 'detail', [
    `argv: ${[program, ...script.options].join(' ')}`,
    describeEnvironment(env),
  ]);
  const end = await enclosure.execute(
    {
      runId: draft.runId,
      argv: argvOf(program, script, files.script),
      cwd: workFolder.path,
      env,
      timeoutMs: deadline === null ? null : Math.max(1, Math.round(deadline.atMs - ports.clock.monotonicMs())),
      tty: step.tty,
    },
    { stop: output.signal, force: draft.request.force },
    async (stream, chunk) => {
      // Looked at after the chunk was read: whoever tells a secret and then prints it is masked.
      await listen();
      await output.write(index, stream, chunk);
    },
  );
  await listen();
  const rest = output.endScript(index, end.cause !== 'exited' || end.signal !== null);
  // A stopped run does not wait for its reader.
  if (end.cause === 'exited') await untilAborted(rest, output.signal);
  const surviving = new Set(end.survivors.map(({ pid }) => pid));
  const gone = end.leftBehind.filter(({ pid }) => !surviving.has(pid));
  if (gone.length > 0) {
    const who = gone.map(({ pid, command }) => `${command} (${pid})`).join(', ');
    const message = `“${step.name}” left processes behind, which were ended with it: ${who}.`;
    await context.emit({ type: 'notice', runId: draft.runId, level: 'warning', message });
  }
  return { ...ended(context, step, end, deadline), survivors: end.survivors };
}

function ended(context: RunContext, step: Step, end: JobEnd, deadline: Deadline | null): Ended {
  switch (end.cause) {
    case 'timed-out':
      return { ...timedOut(deadline), signal: end.signal };
    case 'canceled':
      return canceled(context);
    case 'spawn-failed':
      return { ...SUCCEEDED, outcome: 'spawn-failed', exitCode: null, reason: end.reason };
    case 'limit-exceeded':
      return {
        ...SUCCEEDED,
        outcome: 'limit-exceeded',
        exitCode: end.exitCode,
        signal: end.signal,
        reason: `“${step.name}”: ${end.reason ?? ''}`,
      };
    case 'exited': {
      if (end.exitCode === 0) return SUCCEEDED;
      const { exitCode, signal } = end;
      const how = signal === null ? `ended with exit code ${exitCode}` : `was ended by ${signal}`;
      return {
        ...SUCCEEDED,
        outcome: 'failed',
        exitCode,
        signal,
        reason: end.reason === null ? `“${step.name}” ${how}.` : `“${step.name}”: ${end.reason}`,
      };
    }
  }
}

export function timedOut(deadline: Deadline | null): Ended {
  const reason = `${deadline?.of ?? 'The run'} took longer than its limit of ${formatDuration(deadline?.limitMs ?? 0)} and was ended.`;
  return { ...SUCCEEDED, outcome: 'timed-out', exitCode: null, reason };
}

export function canceled({ output }: RunContext): Ended {
  const { signal, message } = stopReasonOf(output.signal);
  const reason = message ?? `The run was ended by ${signal}.`;
  return { ...SUCCEEDED, outcome: 'canceled', exitCode: null, signal, reason };
}

/** The words that a script is started with. */
export function argvOf(program: string, { options }: Script, file: string): readonly string[] {
  return [program, ...options, file];
}

/** File in the control folder that a script is written to. */
export function scriptFile(index: number, part: ScriptRun['part'], { interpreter }: Script): string {
  return `${index + 1}-${part}.${interpreter}`;
}

/** File in the control folder that a step writes its outputs to. */
export function outputsFile(index: number): string {
  return `${index + 1}-outputs`;
}

/** Whichever comes first. */
async function untilAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve, reject) => {
    const leave = (): void => {
      resolve();
    };
    signal.addEventListener('abort', leave, { once: true });
    work.then(resolve, reject).finally(() => {
      signal.removeEventListener('abort', leave);
    });
  });
}
