/** What `bin/runbook.js` loads: the version for who asks for nothing else, and all the rest behind it. */
import type * as Program from './main.ts';
import { writeSync } from 'node:fs';
import path from 'node:path';
import { VERSION } from '../version.ts';

/** @param codeFolder of the user's own, for compiled code; null: there is none */
export async function main(codeFolder: string | null): Promise<void> {
  const words = process.argv.slice(2);
  if (isVersionAsked(words) && isTold(`${VERSION}\n`)) return;
  const { loadCompiled } = await import('./compiled-code.ts');
  const program = loadCompiled(path.join(import.meta.dirname, 'main.cjs'), codeFolder, nameOf(words));
  // It is `main.ts`, bundled.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  await (program as typeof Program).main();
}

/** The command; `help` for who wants to read about one. */
function nameOf(words: readonly string[]): string {
  const [first = 'help'] = words;
  const isHelp = !/^[a-z]{1,20}$/.test(first) || words.includes('--help') || words.includes('-h');
  return isHelp ? 'help' : first;
}

/** These words alone; with others beside them they are read as everywhere. */
function isVersionAsked([first, ...others]: readonly string[]): boolean {
  return others.length === 0 && (first === '--version' || first === '-V');
}

/** Where stdout does not take it at once, the program says what is to be said of that. */
function isTold(line: string): boolean {
  try {
    return writeSync(1, line) === line.length;
  } catch {
    return false;
  }
}
