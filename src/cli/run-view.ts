/** What a person or a pipeline sees of a run: its events as they come, and in the end what it came to and what to do. */
import { shellQuote } from '../core/contract.ts';
import type { Rollback, RunEvent, RunEventSink, RunRequest, RunResult, VariableRecord } from '../core/run.ts';
import { formatDuration } from '../core/units.ts';
import { printJson } from './context.ts';
import type { CommandContext, CommonOptions } from './context.ts';
import { goOnCommand } from './go-on.ts';
import { createSweeper } from './memory.ts';
import { keptTexts } from './output.ts';
import { inline, printable } from './render.ts';
import type { Style } from './render.ts';
import { keepReport } from './run/report.ts';
import type { RunReport } from './run/report.ts';
import type { RunFrame } from './run/frame.ts';
import { lastLinesOf, sayLastLines, sayTable } from './run/summary.ts';
import type { Terminal } from './terminal.ts';

export interface RunView {
  readonly listener: RunEventSink;
  /** Prints how the run ended; with `--json` the document, too. `exitCode` is what the command will end with. */
  finish(result: RunResult, exitCode: number): Promise<void>;
  report(result: RunResult): RunReport;
}

/** The rollback of a step that has begun: nothing of it is run. */
interface TakeBack extends Rollback {
  readonly step: string;
}

export function createRunView(
  frame: RunFrame,
  { app, style }: CommandContext,
  options: CommonOptions & { readonly only?: string; readonly token?: string; readonly verbose?: boolean },
  { stubs }: RunRequest,
  valueOptions: ReadonlySet<string>,
): RunView {
  const { terminal } = frame;
  const quiet = options.quiet === true;
  const kept = keepReport();
  const sweep = createSweeper();
  /** Newest first. */
  const rollbacks: TakeBack[] = [];
  /** Of each step that has ended or was left out. */
  const unkept = new Map<number, readonly string[]>();
  let variables: readonly VariableRecord[] = [];

  /** Output goes where it belongs at once, all of it; with `--json` stdout belongs to the document, so it goes to stderr. */
  const listener = async (event: RunEvent): Promise<void> => {
    kept.hear(event);
    switch (event.type) {
      case 'stdout':
      case 'stderr':
        frame.printed();
        if (event.type === 'stdout' && options.json !== true) await terminal.print(event.chunk);
        else await terminal.pass(event.chunk);
        sweep(event.chunk.length);
        return;
      case 'notice':
        if (event.level === 'warning') terminal.say(`runbook: ${style.yellow('warning')}: ${inline(event.message)}`);
        else if (!quiet && (event.level !== 'detail' || options.verbose === true))
          terminal.say(style.dim(inline(event.message)));
        return;
      case 'started':
        frame.started();
        if (!quiet) terminal.say(style.dim(`run ${event.runId} started`));
        return;
      case 'step': {
        const { step, of, name, phase, start, result, rollback, unkept: names = [] } = event;
        if (phase === 'finished') unkept.set(step, names);
        if (phase === 'finished') frame.endStep();
        const isShown =
          start !== undefined && frame.beginStep({ step, of, name: of === 1 ? kept.runbook() : name, start });
        if (rollback !== undefined) rollbacks.unshift({ step: name, ...rollback });
        if (quiet) return;
        if (phase === 'started' && of > 1 && !isShown) terminal.say(style.bold(`── ${step + 1}/${of} ${inline(name)}`));
        if (result?.outcome === 'skipped')
          terminal.say(style.dim(`“${inline(name)}” is ${result.reason ?? 'skipped'}`));
        return;
      }
      case 'queued':
        variables = event.variables;
        return;
      case 'waiting':
      case 'refused':
      case 'ended':
      case 'finished':
    }
  };

  /** The line to paste, and what it cannot hold. */
  const sayHowToGoOn = (result: RunResult): void => {
    const index = result.steps.findIndex(({ outcome }) => outcome !== 'succeeded' && outcome !== 'skipped');
    const step = result.steps[index]?.name;
    if (step === undefined || result.steps.length === 1) return;
    // Who asked for one step does not go on to others by pasting a line.
    const kind = options.only === undefined ? 'from' : 'only';
    const namesBy = (origin: VariableRecord['origin']): readonly string[] =>
      variables.filter((variable) => variable.origin === origin).map(({ name }) => name);
    const before = [...unkept].flatMap(([position, names]) => (position < index ? names : []));
    const made = index === 0 ? [] : [...namesBy('generated'), ...before];
    const command = goOnCommand({ ...terminal.commandLine, valueOptions }, { kind, step }, made);
    terminal.say(style.bold(`To go on with “${inline(step)}”:`));
    terminal.say(command === null ? `    the same command with --${kind} and the name of the step` : `    ${command}`);
    const asked = namesBy('asked');
    if (asked.length > 0) terminal.say(`  ${asked.join(', ')}: asked for in this run, to be given again.`);
    if (made.length > 0)
      terminal.say(
        `  ${made.join(', ')}: made for this run and not kept. What is stored nowhere cannot be given again: then run all steps.`,
      );
    if (options.token === '-') terminal.say('  The token is read from stdin again.');
  };

  return {
    listener,
    report: (result) => kept.of(result, stubs !== null),
    finish: async (result, exitCode) => {
      for (const { pid, command } of result.survivors) {
        const who = `process ${pid} (${inline(command)}) of the script is still alive.`;
        terminal.say(`runbook: ${style.yellow('warning')}: ${who}`);
      }
      if (options.json === true) {
        await printJson(terminal, 'execute', {
          exitCode,
          rehearsal: stubs !== null,
          result: { ...result, output: { ...result.output, ...keptTexts(app.output, result.runId) } },
        });
      }
      const report = kept.of(result, stubs !== null);
      await frame.report(report);
      const took = formatDuration(result.durationMs);
      const what = stubs === null ? '' : 'rehearsal ';
      const workFolder = result.workFolder === null ? null : `The work folder is kept: ${inline(result.workFolder)}`;
      if (result.outcome === 'succeeded') {
        if (quiet) return;
        sayTable(terminal, style, result);
        terminal.say(style.dim(`run ${result.runId} ${what}${style.green('succeeded')} in ${took}`));
        if (workFolder !== null) terminal.say(style.dim(workFolder));
        return;
      }
      if (!quiet) sayTable(terminal, style, result);
      sayLastLines(terminal, style, lastLinesOf(frame, report));
      const { dropped } = result.output;
      const lost = dropped > 0 ? ` ${dropped} bytes of output are not in the record.` : '';
      const how = `${what}${style.red(result.outcome)}`;
      terminal.say(`runbook: ${how}: ${inline(result.reason ?? '')} (after ${took})${lost}`);
      if (report.failed !== null) terminal.say(`  at ${inline(report.document)}:${report.failed.line}`);
      for (const rollback of rollbacks) sayHowToTakeBack(terminal, style, rollback);
      sayHowToGoOn(result);
      if (workFolder !== null) terminal.say(`  ${workFolder}`);
      if (app.settings.history !== 'none') terminal.say(`  see: runbook history ${result.runId}`);
    },
  };
}

/** Ready to be pasted: with the values that the script had, but for those that are secrets. */
function sayHowToTakeBack(terminal: Terminal, style: Style, { step, script, values }: TakeBack): void {
  terminal.say(style.bold(`To take back “${inline(step)}”, by hand:`));
  const given = [...values].flatMap(([name, value]) => (value === null ? [] : [`${name}=${shellQuote(value)}`]));
  const secret = [...values].flatMap(([name, value]) => (value === null ? [name] : []));
  const comment = script.interpreter === 'python' ? '# ' : 'export ';
  if (given.length > 0) terminal.say(`    ${comment}${inline(given.join(' '))}`);
  terminal.say(printable(script.body).replaceAll(/^/gm, '    '));
  if (secret.length > 0) terminal.say(`  ${secret.join(', ')}: a secret, to be set before.`);
}
