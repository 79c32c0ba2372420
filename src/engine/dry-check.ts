/** Whether a request would be accepted: the checks of a run, and nothing else of it. Only a refusal for lacking claims is recorded. */
import { checkVariables, resolveVariables } from '../core/environment.ts';
import { RunbookError } from '../core/errors.ts';
import { checkReadiness } from '../core/readiness.ts';
import type { RunEventSink, RunRequest } from '../core/run.ts';
import type { Problem } from '../core/runbook.ts';
import { authenticate, checkClaims } from './access.ts';
import { parseDocument } from './document.ts';
import { startDraft } from './draft.ts';
import type { EnginePorts } from './ports.ts';
import { refuse } from './refuse.ts';
import { gatherFacts } from './requirements.ts';

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
  const { values, missing } = resolveVariables(runbook.env, {
    given: request.given,
    wanted: [],
    envFile: new Map(),
    caller: ports.callerEnvironment,
    // Only whether there will be a value is asked here.
    generate: (length) => 'x'.repeat(length),
  });
  const unmet = [
    ...checkVariables(values, missing),
    ...checkReadiness(runbook, await gatherFacts(ports, document, runbook)),
  ];
  return { fileName, problems: [...problems, ...unmet].sort((a, b) => a.line - b.line || a.column - b.column) };
}
