import { spawnSync } from 'node:child_process';

/**
 * Whether a program of the system is there; with arguments, also whether it ends well with them:
 * `requires('python3', '-c', 'import sqlite3')`. For `describe.skipIf(!requires('zsh'))`.
 */
export function requires(program: string, ...probe: readonly string[]): boolean {
  const { error, status } = spawnSync(program, probe, { stdio: 'ignore', timeout: 10_000 });
  return error === undefined && (probe.length === 0 || status === 0);
}
