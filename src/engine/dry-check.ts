/** Whether a request would be accepted: the checks of a run, and nothing else of it. Only a refusal for lacking claims is recorded. */
import { RunbookError } from '../core/errors.ts';
import type { RunEventSink, RunRequest } from '../core/run.ts';
import type { Problem } from '../core/runbook.ts';
import { authenticate, checkClaims } from './access.ts';
import { parseDocument } from './document.ts';
import { startDraft } from './draft.ts';
import type { EnginePorts } from './ports.ts';
import { inOrder, unmetRequirements } from './queries.ts';
import { refuse } from './refuse.ts';

export interface CheckedRequest {
  /** File name of the document. */
  readonly fileName: string;
  /** Of the document, and of what it needs; in the order of their lines. */
  readonly problems: readonly Problem[];
}

/** @throws RunbookError `not-found`, `io`, `usage`, `unauthenticated`, `forbidden` */
export async function checkRequest(
  ports: EnginePorts,
  request: RunRequest,
  listener: RunEventSink,
): Promise<CheckedRequest> {
  const draft = startDraft(ports, request, 'validate');
  const authentication = await authenticate(ports, draft);
  const document = (draft.document = await ports.source.load(request.reference));
  const { fileName } = document;
  draft.parsed = parseDocument(ports, document);
  const { runbook, problems } = draft.parsed;
  if (runbook === null) return { fileName, problems };
  try {
    checkClaims(authentication, runbook, draft);
  } catch (error) {
    if (error instanceof RunbookError) await refuse(ports, draft, error, listener);
    throw error;
  }
  const unmet = await unmetRequirements(ports, document, runbook, request.given);
  return { fileName, problems: inOrder([...problems, ...unmet]) };
}
