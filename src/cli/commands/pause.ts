/** `runbook pause` and `runbook resume`: the switch that every run looks at before it begins. */
import { pauseRuns, resumeRuns } from '../../engine/operations.ts';
import { printJson } from '../context.ts';
import type { CommonOptions } from '../context.ts';
import { describePause } from '../describe.ts';
import { inline } from '../render.ts';
import type { Terminal } from '../terminal.ts';
import { withLedger } from '../with-ledger.ts';

/** @param words of the reason */
export async function pauseCommand(
  terminal: Terminal,
  words: readonly string[],
  options: CommonOptions,
): Promise<number> {
  return await withLedger(terminal, options, 'prepare', async ({ ports }) => {
    const { paused, before } = await pauseRuns(ports, words.join(' '));
    const underWay = (await ports.ledger.underWay()).length;
    if (options.json === true) await printJson(terminal, 'pause', { paused, before, underWay });
    if (options.quiet === true) return 0;
    if (before !== null) terminal.say(`Runs were paused already, ${inline(describePause(before))}; that is replaced.`);
    terminal.say(`Runs are paused ${inline(describePause(paused))}. None begins until \`runbook resume\`.`);
    if (underWay > 0)
      terminal.say(
        `${underWay === 1 ? 'One run is' : `${underWay} runs are`} under way and not touched: \`runbook ps\` shows, \`runbook cancel\` ends them.`,
      );
    return 0;
  });
}

export async function resumeCommand(terminal: Terminal, options: CommonOptions): Promise<number> {
  return await withLedger(terminal, options, 'change', async ({ ports }) => {
    const before = await resumeRuns(ports);
    if (options.json === true) await printJson(terminal, 'resume', { resumed: before !== null, before });
    if (options.quiet === true) return 0;
    terminal.say(
      before === null ? 'Nothing was paused.' : `Runs begin again; they were paused ${inline(describePause(before))}.`,
    );
    return 0;
  });
}
