/** Commands that show runs look after them first: what they show of a run whose owner is gone is its end. */
import { recover } from '../engine/recover.ts';
import type { CommandContext } from './context.ts';
import { inline } from './render.ts';
import type { Terminal } from './terminal.ts';

/** Never fails, and costs two small queries where there is nothing to do. */
export async function recoverRuns(terminal: Terminal, { app, style }: CommandContext): Promise<void> {
  await recover(await app.engine(), async (warning) => {
    terminal.say(`runbook: ${style.yellow('warning')}: ${inline(warning)}`);
  });
}
