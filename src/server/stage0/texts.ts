/** Sentences that Stage0's users know, and search their logs for. */
import type { MissingClaim } from '../../core/claims.ts';
import type { RunResult } from '../../core/run.ts';

const MAX_SHOWN = 200;

/** `RBAC check failed for execute. Missing or invalid claims: roles=developer (required: sre, api)` */
export function rbacText(operation: 'execute' | 'validate', missing: readonly MissingClaim[]): string {
  const claims = missing.map(({ claim, required, actual }) =>
    actual === null ? `${claim} (not present)` : `${claim}=${actual.join(', ')} (required: ${required.join(', ')})`,
  );
  return `RBAC check failed for ${operation}. Missing or invalid claims: ${plain(claims.join(', '))}`;
}

/** What Stage0 adds at the end of `stderr`. @param maxOutputBytes that were kept of what the script printed */
export function notesOf(
  { outcome, durationMs, output }: RunResult,
  maxOutputBytes: number,
): { readonly live: string; readonly atEnd: string } {
  const seconds = Math.max(1, Math.round(durationMs / 1000));
  const live =
    outcome === 'timed-out'
      ? `\nScript execution timed out after ${seconds} seconds. The script was terminated.\n`
      : '';
  const cut = output.dropped === 0 ? '' : `\n[WARNING: Output truncated due to size limit (${maxOutputBytes} bytes)]\n`;
  return { live, atEnd: live + cut };
}

/** Values of tokens are strangers' texts. */
function plain(text: string): string {
  const shown = text.replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, '�');
  return shown.length > MAX_SHOWN ? `${shown.slice(0, MAX_SHOWN)}…` : shown;
}
