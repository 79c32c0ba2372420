/** The text of a document as it was when it was run. */
import { RunbookError } from '../../../core/errors.ts';
import type { RunLedger } from '../../../core/ports.ts';
import type { StoredRun } from '../../../core/run.ts';
import type { Terminal } from '../../terminal.ts';

/** Byte by byte, up to its `# History`: its SHA-256 is the digest of the record. */
export async function printDocument(terminal: Terminal, ledger: RunLedger, run: StoredRun): Promise<number> {
  const { digest } = run.runbook;
  const bytes = digest === null ? null : await ledger.documentText(digest);
  if (bytes === null)
    throw new RunbookError('not-found', `Run ${run.runId} has no document.`, {
      fix: `It was refused before one could be read; \`runbook history ${run.runId}\` says why.`,
    });
  await terminal.print(bytes);
  return 0;
}
