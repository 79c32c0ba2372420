/** Sentences that Stage0's users know, and search their logs for. */
import type { RunResult } from '../../core/run.ts';
import { pythonList } from './python-text.ts';

/** Why a runbook may not be called here. @param chain runbooks that led to it  @param max length of a chain */
export function recursionText(runbook: string, chain: readonly string[], max: number): string {
  return chain.includes(runbook)
    ? `Recursion detected: Runbook ${runbook} already in execution chain: ${pythonList(chain)}`
    : `Recursion depth limit exceeded: ${chain.length} (max: ${max})`;
}

const MAX_NAME_SHOWN = 200;

/** @param name of the variable as the caller wrote it */
export function invalidNameText(name: string): string {
  return `Invalid environment variable name: ${name.replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, '\u{fffd}').slice(0, MAX_NAME_SHOWN)}`;
}

/** What Stage0 adds to `stderr` at the end of a run; all of it is kept in `done`, the first part is also an event. */
export interface Notes {
  readonly live: string;
  readonly atEnd: string;
}

/** What bounded the run. */
export interface RunLimits {
  readonly timeoutMs: number | null;
  readonly maxOutputBytes: number;
}

export function notesOf(
  { outcome, output, reason }: Pick<RunResult, 'outcome' | 'output' | 'reason'>,
  { timeoutMs, maxOutputBytes }: RunLimits,
): Notes {
  const live =
    outcome === 'timed-out'
      ? `\nScript execution timed out after ${(timeoutMs ?? 0) / 1000} seconds. The script was terminated.\n`
      : outcome === 'spawn-failed'
        ? `ERROR: Failed to execute script: ${reason ?? ''}\n`
        : '';
  const cut = output.dropped === 0 ? '' : `\n[WARNING: Output truncated due to size limit (${maxOutputBytes} bytes)]\n`;
  return { live, atEnd: live + cut };
}
