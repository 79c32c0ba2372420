/** What goes before a command that uses the ledger: runs whose owner is gone, and a ledger that was copied. */
import type { EnginePorts } from '../engine/ports.ts';
import { recover } from '../engine/recover.ts';
import { settleAtFirstChange } from '../engine/settle.ts';
import type { CommandContext, CommonOptions } from './context.ts';
import { inline } from './render.ts';
import type { Terminal } from './terminal.ts';

/** @param shown id of a run whose end is told by the command itself */
export type LookAfter = (shown?: string) => Promise<void>;

/**
 * Commands that show runs look after them first: what they show of a run whose owner is gone is its end. Where that is not
 * ours to do, they say so, once. Never fails, and costs two small queries where there is nothing to do.
 */
export function createCare(terminal: Terminal, { app, style }: CommandContext, options: CommonOptions): LookAfter {
  let isTold = false;
  return async (shown) => {
    const why = await app.whyLeftAlone();
    if (why === null) {
      await recover(await app.engine(), async (warning, interrupted) => {
        if (interrupted === undefined || interrupted !== shown)
          terminal.say(`runbook: ${style.yellow('warning')}: ${inline(warning)}`);
      });
      return;
    }
    if (!isTold && options.quiet !== true) terminal.say(style.dim(inline(why)));
    isTold = true;
  };
}

/** For a command that may change what is recorded: a copy becomes a ledger of its own directly before that, which is said. */
export async function settlesHere(
  terminal: Terminal,
  { style }: CommandContext,
  ports: EnginePorts,
): Promise<EnginePorts> {
  const ledger = await settleAtFirstChange(ports, ({ from, runIds }) => {
    const left =
      runIds.length === 0 ? '' : ` Runs that were under way in it are recorded as interrupted: ${runIds.join(', ')}.`;
    const what = `This ledger was copied from ${from} and is one of its own from now on.${left}`;
    terminal.say(`runbook: ${style.yellow('warning')}: ${inline(what)}`);
  });
  return { ...ports, ledger };
}
