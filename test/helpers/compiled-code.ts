/**
 * One folder of compiled code for all processes of a test run: each test has a home of its own, in which every command
 * would be compiled anew. What the command line does by itself is tried in test/e2e/trouble.test.ts.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** Before all tests; workers inherit the environment. @returns what is done after them */
export function setup(): () => void {
  const folder = mkdtempSync(path.join(tmpdir(), 'runbook-code-'));
  process.env['NODE_COMPILE_CACHE'] = folder;
  return () => {
    rmSync(folder, { recursive: true, force: true });
  };
}

/** For a process that a test starts. */
export function compiledCode(): Record<string, string> {
  const folder = process.env['NODE_COMPILE_CACHE'];
  return folder === undefined ? {} : { NODE_COMPILE_CACHE: folder };
}
