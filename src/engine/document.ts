/** From the bytes of a document to a runbook. */
import { RunbookError } from '../core/errors.ts';
import { parseRunbook } from '../core/parse/parse.ts';
import type { LoadedDocument } from '../core/ports.ts';
import type { ParseResult, Problem, Runbook } from '../core/runbook.ts';
import type { Draft } from './draft.ts';
import type { EnginePorts } from './ports.ts';

export function parseDocument(
  { clock }: Pick<EnginePorts, 'clock'>,
  { bytes, fileName }: Pick<LoadedDocument, 'bytes' | 'fileName'>,
): ParseResult {
  return parseRunbook(bytes, { fileName, today: dayOf(clock) });
}

/** `YYYY-MM-DD`, in UTC. */
export function dayOf(clock: EnginePorts['clock']): string {
  return clock.now().toISOString().slice(0, 10);
}

/** The document as one that may be carried out. @throws RunbookError `runbook-invalid` with all problems */
export function checkDocument(ports: Pick<EnginePorts, 'clock'>, document: LoadedDocument, draft: Draft): Runbook {
  draft.parsed = parseDocument(ports, document);
  const { runbook, problems } = draft.parsed;
  if (runbook !== null) return runbook;
  const { displayPath } = document;
  const errors = problems.filter((problem) => problem.severity === 'error').length;
  const count = errors === 1 ? 'one error' : `${errors} errors`;
  throw new RunbookError('runbook-invalid', `${displayPath} is not a valid runbook: it has ${count}.`, {
    fix: `Correct what is named; \`runbook validate ${displayPath}\` checks again without running anything.`,
    problems,
    document: displayPath,
  });
}

/** What is not wrong but should be seen before a run, like a review that is overdue. */
export function warningsOf({ document, parsed }: Draft): readonly string[] {
  return warningTexts(document?.displayPath ?? '', parsed?.problems ?? []);
}

/** As notices tell them. */
export function warningTexts(displayPath: string, problems: readonly Problem[]): readonly string[] {
  return problems.map(({ line, message, rule }) => `${displayPath}:${line}: ${message} (${rule})`);
}
