/** `runbook completion`: what a shell loads to complete names. */
import { completionScript } from '../completion/scripts.ts';
import type { Shell } from '../completion/shells.ts';
import type { Terminal } from '../terminal.ts';

export async function completionCommand(terminal: Terminal, shell: Shell): Promise<number> {
  await terminal.print(completionScript(shell));
  return 0;
}
