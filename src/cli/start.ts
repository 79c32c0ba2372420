/** What `bin/runbook.js` loads: the version for who asks for nothing else, and all the rest behind an import. */
import { writeSync } from 'node:fs';
import { VERSION } from '../version.ts';

export async function main(): Promise<void> {
  if (isVersionAsked(process.argv.slice(2)) && isTold(`${VERSION}\n`)) return;
  const program = await import('./main.ts');
  await program.main();
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
