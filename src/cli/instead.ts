/** A runbook in the place of a command: what was meant. */
import { shellQuote } from '../core/contract.ts';
import { withApp } from './context.ts';
import { inline } from './render.ts';
import type { Terminal } from './terminal.ts';

/** @returns what to do, one sentence; null where the first word is no runbook's name */
export async function executeInstead(terminal: Terminal, words: readonly string[]): Promise<string | null> {
  const [word = ''] = words;
  if (word === '' || word.startsWith('-')) return null;
  const wanted = word.replace(/\.md$/, '').toLowerCase();
  const option = words.indexOf('--runbooks-dir');
  const folder = option === -1 ? undefined : words[option + 1];
  try {
    const names = await withApp(
      terminal,
      folder === undefined ? {} : { runbooksDir: folder },
      async ({ app }) => await app.source.names(),
    );
    const found = names.find((name) => name.toLowerCase() === wanted);
    return found === undefined
      ? null
      : `It is a runbook: \`runbook execute ${inline(shellQuote(found))}\` runs it, \`runbook show\` shows it.`;
  } catch {
    // What is wrong there is not what was asked.
    return null;
  }
}
