/** One run with its steps and its output. */
import { findRun } from '../../../engine/run-reference.ts';
import { printJson } from '../../context.ts';
import type { CommandContext } from '../../context.ts';
import { keptTexts, printLong } from '../../output.ts';
import type { Terminal } from '../../terminal.ts';
import { printArtifact } from './artifact.ts';
import { factsOf } from './facts.ts';
import { outputText } from './kept-output.ts';
import type { HistoryOptions } from './options.ts';

export async function showRun(
  terminal: Terminal,
  options: HistoryOptions,
  { app, printStyle }: CommandContext,
  reference: string,
): Promise<number> {
  const run = await findRun(await app.ledger(), reference);
  if (options.artifact !== undefined) return await printArtifact(terminal, app, run, options.artifact);
  const dropped = run.result?.output.dropped ?? 0;
  if (options.json === true) {
    await printJson(terminal, 'history', { run, output: { ...keptTexts(app.output, run.runId), dropped } });
    return 0;
  }
  await terminal.print(`${factsOf(run)}\n`);
  await printLong(terminal, outputText(app.output.read(run.runId), dropped, printStyle));
  return 0;
}
