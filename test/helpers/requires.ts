import { spawnSync } from 'node:child_process';

/**
 * Whether a program of the system is there; with arguments, also whether it ends well with them:
 * `requires('python3', '-c', 'import sqlite3')`. For `describe.skipIf(!requires('zsh'))`.
 */
export function requires(program: string, ...probe: readonly string[]): boolean {
  // Not every program ends when it is started without arguments, so it is only looked up.
  const [command, args] = probe.length === 0 ? ['/bin/sh', ['-c', 'command -v "$0"', program]] : [program, [...probe]];
  const { error, status } = spawnSync(command, args, { stdio: 'ignore', timeout: 100_000 });
  return error === undefined && status === 0;
}
