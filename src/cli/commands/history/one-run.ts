/** One run with its steps and its output. */
import type { App } from '../../../app.ts';
import { ERRORS } from '../../../core/errors.ts';
import type { StoredRun } from '../../../core/run.ts';
import { cancelsOf } from '../../../engine/cancel.ts';
import { lookAtOutput } from '../../../engine/kept-output.ts';
import type { OutputLook, OutputProblem } from '../../../engine/kept-output.ts';
import { findRun } from '../../../engine/run-reference.ts';
import { printJson } from '../../context.ts';
import type { CommandContext } from '../../context.ts';
import { printLong } from '../../output.ts';
import { inline } from '../../render.ts';
import { documentOf } from '../../run-document.ts';
import type { Terminal } from '../../terminal.ts';
import { printArtifact } from './artifact.ts';
import { csvOf } from './csv.ts';
import { printDocument } from './document.ts';
import type { Known } from './facts.ts';
import { factsOf } from './facts.ts';
import { outputText } from './kept-output.ts';
import { pageOf } from './markdown-page.ts';
import { formatOf } from './options.ts';
import type { HistoryOptions } from './options.ts';

export async function showRun(
  terminal: Terminal,
  options: HistoryOptions,
  { app, style, printStyle }: CommandContext,
  reference: string,
): Promise<number> {
  const ledger = await app.ledger();
  const run = await findRun(ledger, reference);
  if (options.artifact !== undefined) return await printArtifact(terminal, app, run, options.artifact);
  if (options.document === true) return await printDocument(terminal, ledger, run);
  const format = formatOf(options);
  if (format === 'json') {
    const { problem } = await printRun(terminal, app, run);
    if (problem !== null) terminal.say(`runbook: ${style.yellow('warning')}: ${inline(problem.message)}`);
    return exitFor(problem);
  }
  if (format === 'csv') {
    await terminal.print(csvOf([{ run, lines: [], moreLines: false }]));
    return 0;
  }
  const look = await lookAtOutput({ ledger, output: app.output }, run);
  const known: Known = {
    look,
    cancels: await cancelsOf(ledger, run),
    answers: await ledger.answersOf(run.runId),
    entryPending: await ledger.isEntryPending(run.runId),
    progress: (await ledger.underWay()).find((one) => one.run.runId === run.runId)?.progress ?? null,
  };
  if (format === 'markdown') await terminal.print(await pageOf(run, known, app.output));
  else {
    await terminal.print(`${factsOf(run, known)}\n`);
    if (look.problem === null || look.problem.name === 'damaged')
      await printLong(terminal, outputText(app.output.read(run.runId), run, look, printStyle));
  }
  return exitFor(look.problem);
}

/** The document of one run. */
export async function printRun(terminal: Terminal, app: App, run: StoredRun): Promise<OutputLook> {
  const { document, look } = await documentOf({ ledger: await app.ledger(), output: app.output }, run);
  await printJson(terminal, 'history', document);
  return look;
}

/** All else was told, and whoever wants the output does not take it for an empty one. */
function exitFor(problem: OutputProblem | null): number {
  return problem?.name === 'unreadable' || problem?.name === 'damaged' ? ERRORS.io.exit : 0;
}
