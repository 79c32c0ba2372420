/** Text that is longer than the screen goes through a pager, as with git and man: `PAGER`, else less where there is one. */
import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import path from 'node:path';
import { shellQuote } from '../core/contract.ts';
import { codeOf } from '../core/failures.ts';
import type { Terminal } from './terminal.ts';

/** Of the shell: it could not start the pager. */
const NOT_STARTED = new Set([126, 127]);

/** @param isWanted false: `--no-pager` */
export async function page(terminal: Terminal, text: string, isWanted: boolean): Promise<void> {
  const pager = isWanted && isLong(terminal, text) ? pagerOf(terminal) : null;
  if (pager === null || !(await isRead(terminal, pager, text))) await terminal.print(text);
}

function isLong({ isReadByPerson, columns, rows }: Terminal, text: string): boolean {
  if (!isReadByPerson || rows === null) return false;
  const width = columns ?? 80;
  const lines = text.split('\n');
  return lines.reduce((sum, line) => sum + Math.max(1, Math.ceil(line.length / width)), 0) > rows;
}

/** A command line for the shell; null where there is none, or it is switched off by an empty name or `cat`. */
function pagerOf({ environment }: Terminal): string | null {
  if (environment.get('TERM') === 'dumb') return null;
  const named = environment.get('PAGER');
  if (named !== undefined) return ['', 'cat'].includes(named.trim()) ? null : named;
  const less = (environment.get('PATH') ?? '')
    .split(':')
    .filter((folder) => path.isAbsolute(folder))
    .map((folder) => path.join(folder, 'less'))
    .find(isProgram);
  // By its path: where PATH has the current folder in it, a shell would take what lies there.
  return less === undefined ? null : shellQuote(less);
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** @returns false where the pager could not be started */
async function isRead(terminal: Terminal, pager: string, text: string): Promise<boolean> {
  // Ctrl-C belongs to the pager; this process must not leave it alone with the terminal.
  return await terminal.withStopSignal(
    async () =>
      await new Promise<boolean>((resolve, reject) => {
        const env = { LESS: 'FRX', ...Object.fromEntries(terminal.environment) };
        const child = spawn('/bin/sh', ['-c', pager], { stdio: ['pipe', 'inherit', 'inherit'], env });
        child.on('error', () => {
          resolve(false);
        });
        child.on('close', (exitCode) => {
          resolve(!NOT_STARTED.has(exitCode ?? 0));
        });
        // Whoever has read enough leaves.
        child.stdin.on('error', (error) => {
          if (codeOf(error) !== 'EPIPE') reject(error);
        });
        child.stdin.end(text);
      }),
  );
}
