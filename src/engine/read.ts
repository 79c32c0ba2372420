/** From the bytes of a document to a runbook that may be carried out. */
import { RunbookError } from '../core/errors.ts';
import { parseRunbook } from '../core/parse/parse.ts';
import type { LoadedDocument } from '../core/ports.ts';
import type { Problem, Runbook } from '../core/runbook.ts';
import type { Draft } from './draft.ts';
import type { EnginePorts } from './ports.ts';

/** @throws RunbookError `runbook-invalid` with all problems */
export function readRunbook(
  ports: Pick<EnginePorts, 'clock'>,
  document: LoadedDocument,
  draft: Draft,
): {
  readonly runbook: Runbook;
  readonly head: Buffer;
  readonly hasHistory: boolean;
  readonly warnings: readonly Problem[];
} {
  const today = ports.clock.now().toISOString().slice(0, 10);
  const { runbook, problems, digest, historyOffset } = parseRunbook(document.bytes, {
    fileName: document.fileName,
    today,
  });
  const head = document.bytes.subarray(0, historyOffset ?? document.bytes.length);
  draft.text(document.fileName.replace(/\.md$/, ''), digest, head, historyOffset !== null);
  const errors = problems.filter((problem) => problem.severity === 'error');
  if (runbook === null || errors.length > 0) {
    throw new RunbookError('runbook-invalid', `${document.displayPath} is not a valid runbook: ${summary(errors)}.`, {
      fix: `Correct what is named; \`runbook validate ${document.displayPath}\` checks again without running anything.`,
      problems,
      document: document.displayPath,
    });
  }
  return { runbook, head, hasHistory: historyOffset !== null, warnings: problems };
}

function summary(errors: readonly Problem[]): string {
  return errors.length === 1 ? 'it has one error' : `it has ${String(errors.length)} errors`;
}
