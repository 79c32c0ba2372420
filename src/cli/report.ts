/** The one place where a failure becomes words: for a person on stderr, for a machine as JSON on stdout. */
import { ERRORS, RunbookError } from '../core/errors.ts';
import { signalNumber } from '../core/signals.ts';
import { withoutCommands } from '../core/workflow-commands.ts';
import { styleOf, printJson } from './context.ts';
import type { CommonOptions } from './context.ts';
import { isActionsJob } from './commands/validate/workspace.ts';
import { inline, printable, renderProblem } from './render.ts';
import { ReaderGone } from './terminal.ts';
import type { Terminal } from './terminal.ts';

/** @returns the exit code: of the error, unless another is given */
export async function reportError(
  terminal: Terminal,
  command: string,
  options: CommonOptions,
  error: unknown,
  otherExit?: number,
): Promise<number> {
  // As a program that SIGPIPE ended: quietly.
  if (error instanceof ReaderGone) return otherExit ?? 128 + signalNumber('SIGPIPE');
  const failure = error instanceof RunbookError ? error : asInternal(error);
  const style = styleOf(terminal, options);
  if (options.json === true) {
    const { code, message, fix, problems, document } = failure;
    const exitCode = otherExit ?? failure.exitCode;
    await printJson(terminal, command, {
      error: { code, exitCode, status: ERRORS[code].status, message, fix, document, problems },
    }).catch(() => {});
  }
  const isJob = isActionsJob(terminal);
  // Names and texts of strangers are in it.
  const say = (text: string): void => {
    terminal.say(isJob ? text.split('\n').map(withoutCommands).join('\n') : text);
  };
  for (const problem of failure.problems) say(renderProblem(style, failure.document, problem));
  say(`runbook: ${style.red('error')}: ${printable(failure.message)}`);
  // The fix of the only problem stands above already.
  if (failure.fix !== '' && failure.fix !== failure.problems[0]?.fix) say(`  fix: ${inline(failure.fix)}`);
  return otherExit ?? failure.exitCode;
}

function asInternal(error: unknown): RunbookError {
  const trace = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return new RunbookError('internal', `This is a bug in runbook: ${trace}`, {
    fix: 'Please report it with the command and the document that led to it.',
    cause: error,
  });
}
