/** Whether a request would be accepted: the checks of a run, and nothing else of it. Only a refusal for lacking claims is recorded. */
import { RunbookError } from '../core/errors.ts';
import { checkGiven } from '../core/given.ts';
import type { RunEventSink, RunRequest } from '../core/run.ts';
import type { Problem } from '../core/runbook.ts';
import { chooseSteps } from '../core/step-choice.ts';
import { authenticate, checkClaims } from './access.ts';
import { parseDocument } from './document.ts';
import { startDraft } from './draft.ts';
import type { EnginePorts } from './ports.ts';
import { inOrder } from './queries.ts';
import { refuse } from './refuse.ts';
import { findRequirements, problemsOf } from './requirements.ts';
import { hideSecrets } from './secrets.ts';

export interface CheckedRequest {
  /** File name of the document. */
  readonly fileName: string;
  /** Of the document, and of what it needs; in the order of their lines. */
  readonly problems: readonly Problem[];
  /** Sentences that a run would warn with: secrets that cannot be masked. */
  readonly warnings: readonly string[];
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
  if (runbook === null) return { fileName, problems, warnings: [] };
  try {
    checkClaims(authentication, runbook, draft);
  } catch (error) {
    if (error instanceof RunbookError) await refuse(ports, draft, error, listener);
    throw error;
  }
  const given = checkGiven(request, ports.openNames);
  // What may not be given is neither missing nor wrong besides.
  const sound = { ...request, given: new Map([...request.given].filter(([name]) => !given.faulty.has(name))) };
  const found = await findRequirements(ports, document, runbook, chooseSteps(runbook, null), sound);
  const unmet = problemsOf(
    found,
    found.missing.filter(({ name }) => !given.faulty.has(name)),
    request,
  );
  return {
    fileName,
    problems: inOrder([...problems, ...given.problems, ...unmet]),
    warnings: hideSecrets(ports, draft, found.values),
  };
}
