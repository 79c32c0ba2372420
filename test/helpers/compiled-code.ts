/**
 * One folder of compiled code for all processes of a test run: each test has a home of its own, in which every command
 * would be compiled anew. What the command line does by itself is tried in test/e2e/trouble.test.ts.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** Not the name that the command line knows: a worker that ends later than all tests would write there once more. */
const NAME = 'RUNBOOK_TEST_CODE';

/** Before all tests; workers inherit the environment. @returns what is done after them */
export function setup(): () => void {
  const folder = mkdtempSync(path.join(tmpdir(), 'runbook-code-'));
  process.env[NAME] = folder;
  const remove = (): void => {
    rmSync(folder, { recursive: true, force: true });
  };
  // Whoever breaks the tests off does not come to what is done after them.
  process.once('exit', remove);
  return remove;
}

/** For a process that a test starts. */
export function compiledCode(): Record<string, string> {
  const folder = process.env[NAME];
  return folder === undefined ? {} : { XDG_CACHE_HOME: folder };
}
