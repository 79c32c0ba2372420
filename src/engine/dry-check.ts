/** Whether a request would be accepted: the checks of a run, and nothing else of it. Only a refusal for lacking claims is recorded. */
import { RunbookError } from '../core/errors.ts';
import { checkGiven } from '../core/given.ts';
import type { RunEventSink, RunRequest } from '../core/run.ts';
import type { Problem } from '../core/runbook.ts';
import { authenticate, checkClaims } from './access.ts';
import { parseDocument } from './document.ts';
import { startDraft } from './draft.ts';
import type { EnginePorts } from './ports.ts';
import { inOrder, unmetRequirements } from './queries.ts';
import { refuse } from './refuse.ts';
import { checkPeople } from './requirements.ts';

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
  const given = checkGiven(request, ports.openNames);
  // What may not be given is neither missing nor wrong besides.
  const others = new Map([...request.given].filter(([name]) => !given.faulty.has(name)));
  const unmet = (await unmetRequirements(ports, document, runbook, others)).filter(
    ({ rule, about }) => rule !== 'variable-missing' || !given.faulty.has(about ?? ''),
  );
  const people = checkPeople(request, runbook);
  return { fileName, problems: inOrder([...problems, ...given.problems, ...unmet, ...people]) };
}
