/**
 * A run in a job of GitHub Actions. The runner reads commands (`::name::`) in whatever the job prints, so it is told to
 * read none but ours; and ours are annotations, groups, and the secrets that it is to mask (ADR 46).
 */
import { randomBytes } from 'node:crypto';
import { refusalOf } from '../../core/masking/refusal.ts';
import type { RunbookError } from '../../core/errors.ts';
import { annotationLine, commandLine } from '../../core/workflow-commands.ts';
import { workspacePaths } from '../commands/validate/workspace.ts';
import { inline } from '../render.ts';
import { plainFrame } from '../run/frame.ts';
import type { RunFrame } from '../run/frame.ts';
import type { Terminal } from '../terminal.ts';
import { refusalSummary, runSummary, writeSummary } from './actions-summary.ts';
import { isRunnersLog, isSameFile } from './runners-log.ts';

/** GitHub shows no more of them from one step. */
const MAX_ANNOTATIONS = 10;

export function createActionsFrame(terminal: Terminal): RunFrame {
  const [isOutLog, isErrLog] = [isRunnersLog(1), isRunnersLog(2)];
  // Its two pipes are read in any order: what must stay in order goes into one.
  const onStdout = isOutLog && !isErrLog;
  const isJoined = (isOutLog && isErrLog) || isSameFile(1, 2);
  const log = onStdout ? terminal.stdout : terminal.stderr;
  const place = workspacePaths(terminal);
  let isAtStart = false;
  let token: string | null = null;
  let isGrouped = false;

  const write = (text: string): void => {
    if (text === '') return;
    log.write(text);
    isAtStart = text.endsWith('\n');
  };
  const line = (): string => (isAtStart ? '' : '\n');
  const resume = (): string => {
    const text = token === null ? '' : `${line()}::${token}::\n`;
    token = null;
    return text;
  };
  // Whoever reads the log knows this one by then.
  const stop = (): string => `::stop-commands::${(token = randomBytes(16).toString('hex'))}\n`;
  const command = (...lines: readonly string[]): void => {
    write(`${token === null ? line() : resume()}${lines.map((one) => `${one}\n`).join('')}${stop()}`);
  };
  const endGroup = (): readonly string[] => (isGrouped ? ['::endgroup::'] : []);
  const track = (bytes: string | Uint8Array): void => {
    if (bytes.length > 0) isAtStart = typeof bytes === 'string' ? bytes.endsWith('\n') : bytes.at(-1) === 10;
  };
  // A line that somebody has begun before us would swallow the first command.
  write(`\n${stop()}`);

  return {
    ...plainFrame(terminal),
    hidesOutput: true,
    terminal: {
      ...terminal,
      print: async (chunk) => {
        if (onStdout || isJoined) track(chunk);
        if (isJoined) await terminal.pass(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
        else await terminal.print(chunk);
      },
      pass: async (bytes) => {
        if (!onStdout) track(bytes);
        await terminal.pass(bytes);
      },
      say: (text) => {
        terminal.say(onStdout || isAtStart ? text : `\n${text}`);
        if (!onStdout) isAtStart = true;
      },
    },
    onSecret: (secret) => {
      // Into a file, or to a program that may write one, a secret is not told.
      if (!(onStdout ? isOutLog : isErrLog)) return;
      const lines = [secret, ...secret.split(/\r\n|\r|\n/)].filter((text) => refusalOf(text) === null);
      command(...[...new Set(lines)].map((text) => commandLine('add-mask', {}, text)));
    },
    beginStep: ({ step, of, name }) => {
      if (of === 1) return false;
      command(...endGroup(), commandLine('group', {}, `${step + 1}/${of} ${inline(name)}`));
      isGrouped = true;
      return true;
    },
    endStep: () => {
      if (isGrouped) command(...endGroup());
      isGrouped = false;
    },
    report: async (report) => {
      const { failed, result, document } = report;
      if (result.outcome !== 'succeeded') {
        const message = result.reason ?? result.outcome;
        const title = `runbook: ${result.outcome}`;
        const file = place(document);
        command(annotationLine({ level: 'error', file, line: failed?.line ?? 1, column: 1, title, message }));
      }
      await writeSummary(terminal, runSummary(report, place(document)));
    },
    refused: async (error, reference) => {
      command(...annotationsOf(error, place));
      await writeSummary(terminal, refusalSummary(error, reference));
    },
    close: () => {
      write(
        `${resume()}${endGroup()
          .map((one) => `${one}\n`)
          .join('')}`,
      );
      isGrouped = false;
    },
  };
}

function annotationsOf(error: RunbookError, place: (shown: string) => string): readonly string[] {
  const { problems, document, message, fix, code } = error;
  if (problems.length === 0) return [commandLine('error', { title: `runbook: ${code}` }, `${message}\n${fix}`)];
  return problems.slice(0, MAX_ANNOTATIONS).map((problem) =>
    annotationLine({
      level: problem.severity,
      file: place(document),
      line: problem.line,
      column: problem.column,
      title: `runbook: ${problem.rule}`,
      message: `${problem.message}\n${problem.fix}`,
    }),
  );
}
