/** One run with its steps and its output. */
import type { App } from '../../../app.ts';
import type { StoredRun } from '../../../core/run.ts';
import { isIntact, recordedOutput } from '../../../engine/intact.ts';
import { findRun } from '../../../engine/run-reference.ts';
import { printJson } from '../../context.ts';
import type { CommandContext } from '../../context.ts';
import { keptTexts, printLong } from '../../output.ts';
import type { Terminal } from '../../terminal.ts';
import { toldRun } from '../../told-run.ts';
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
  { app, printStyle }: CommandContext,
  reference: string,
): Promise<number> {
  const ledger = await app.ledger();
  const run = await findRun(ledger, reference);
  if (options.artifact !== undefined) return await printArtifact(terminal, app, run, options.artifact);
  if (options.document === true) return await printDocument(terminal, ledger, run);
  const known = async (): Promise<Known> => ({
    entryPending: await ledger.isEntryPending(run.runId),
    intact: await isIntact(app.output, run),
    progress: (await ledger.underWay()).find((one) => one.run.runId === run.runId)?.progress ?? null,
  });
  switch (formatOf(options)) {
    case 'json':
      await printRun(terminal, app, run);
      return 0;
    case 'csv':
      await terminal.print(csvOf([{ run, lines: [], moreLines: false }]));
      return 0;
    case 'markdown':
      await terminal.print(await pageOf(run, await known(), app.output));
      return 0;
    case 'text':
      await terminal.print(`${factsOf(run, await known())}\n`);
      await printLong(
        terminal,
        outputText(app.output.read(run.runId), droppedOf(run), printStyle, recordedOutput(run)?.bytes),
      );
      return 0;
  }
}

/** The document of one run. */
export async function printRun(terminal: Terminal, app: App, run: StoredRun): Promise<void> {
  const entryPending = await (await app.ledger()).isEntryPending(run.runId);
  const output = {
    ...keptTexts(app.output, run.runId),
    dropped: droppedOf(run),
    intact: await isIntact(app.output, run),
  };
  await printJson(terminal, 'history', { run: toldRun(run), output, entryPending, recorded: true });
}

function droppedOf({ result }: StoredRun): number {
  return result?.output.dropped ?? 0;
}
