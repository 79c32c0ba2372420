/** From the bytes of a document to a runbook that may be carried out. */
import { RunbookError } from '../core/errors.ts';
import { parseRunbook } from '../core/parse/parse.ts';
import type { LoadedDocument } from '../core/ports.ts';
import type { Runbook } from '../core/runbook.ts';
import type { Draft } from './draft.ts';
import type { EnginePorts } from './ports.ts';

/** @throws RunbookError `runbook-invalid` with all problems */
export function readRunbook({ clock }: Pick<EnginePorts, 'clock'>, document: LoadedDocument, draft: Draft): Runbook {
  const today = clock.now().toISOString().slice(0, 10);
  draft.parsed = parseRunbook(document.bytes, { fileName: document.fileName, today });
  const { runbook, problems } = draft.parsed;
  if (runbook !== null) return runbook;
  const errors = problems.filter((problem) => problem.severity === 'error').length;
  const count = errors === 1 ? 'one error' : `${String(errors)} errors`;
  throw new RunbookError('runbook-invalid', `${document.displayPath} is not a valid runbook: it has ${count}.`, {
    fix: `Correct what is named; \`runbook validate ${document.displayPath}\` checks again without running anything.`,
    problems,
    document: document.displayPath,
  });
}
