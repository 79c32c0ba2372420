/** Who asks, and whether this runbook is theirs to run. Fails closed: whatever is unclear is a refusal. */
import { authorize, explainMissing, explainNeeded, listMissing } from '../core/claims.ts';
import type { MissingClaim } from '../core/claims.ts';
import { RunbookError } from '../core/errors.ts';
import type { Identity, LoadedDocument } from '../core/ports.ts';
import type { RunRequest } from '../core/run.ts';
import type { Runbook } from '../core/runbook.ts';
import type { Draft } from './draft.ts';
import type { EnginePorts } from './ports.ts';

/** `failed` is kept until the document is known, so that one answer says what is wrong with the token and what is needed. */
export type Authentication =
  | { readonly identity: Identity }
  | { readonly identity: null; readonly failed: RunbookError | null };

export async function authenticate(ports: EnginePorts, draft: Draft): Promise<Authentication> {
  const { token, stubs } = draft.request;
  if (token === null || stubs !== null) return { identity: null, failed: null };
  if (token === '') {
    const failed = new RunbookError('unauthenticated', 'What was to be the token is empty.', {
      fix: 'Check the command or the file that the token comes from.',
    });
    return { identity: null, failed };
  }
  try {
    const identity = await ports.authenticator.authenticate(token);
    draft.identity = identity;
    return { identity };
  } catch (error) {
    if (error instanceof RunbookError && error.code === 'unauthenticated') return { identity: null, failed: error };
    throw error;
  }
}

/** Stage0's two rules: a runbook may not be in its own chain, and the chain may not be longer than the limit. */
export function checkCallChain(ports: EnginePorts, request: RunRequest, document: LoadedDocument): void {
  const { callChain } = request;
  if (callChain.includes(document.fileName)) {
    throw new RunbookError(
      'recursion',
      `Recursion detected: Runbook ${document.fileName} already in execution chain: ${callChain.join(' → ')}.`,
      {
        fix: 'A runbook may not call itself, directly or through others; take the call out of the script.',
      },
    );
  }
  const max = ports.limits.maxRecursionDepth;
  if (callChain.length >= max) {
    throw new RunbookError('recursion', `Recursion depth limit exceeded: ${callChain.length} (max: ${max}).`, {
      fix: 'Call fewer runbooks in a row, or raise the setting max_recursion_depth.',
    });
  }
}

/**
 * A runbook without a claims section may be run by the local user; a bad token is refused even there. A rehearsal needs
 * no claims.
 */
export function checkClaims(
  authentication: Authentication,
  runbook: Runbook,
  { request, operation }: Pick<Draft, 'request' | 'operation'>,
): void {
  if (request.stubs !== null) return;
  const required = runbook.claims;
  const decision = required === null ? null : authorize(authentication.identity?.claims ?? null, required);
  if (authentication.identity === null && authentication.failed !== null) {
    const { failed } = authentication;
    const needs = decision?.allowed === false ? ` ${runbook.name} ${explainNeeded(decision)}.` : '';
    throw new RunbookError('unauthenticated', `${failed.message}${needs}`, { fix: failed.fix, cause: failed });
  }
  if (decision === null || decision.allowed) return;
  const why = `${runbook.name} ${explainMissing(decision)}`;
  if (authentication.identity === null) {
    throw new RunbookError('unauthenticated', `${why}.`, {
      fix: 'Get a token from your identity provider and give it with --token-file FILE, --token - (from stdin) or RUNBOOK_TOKEN; for development `runbook token mint` makes one.',
    });
  }
  throw new ClaimsLacking(operation, why, decision.missing);
}

/** A verified token that may not run this runbook. */
export class ClaimsLacking extends RunbookError {
  readonly missing: readonly MissingClaim[];
  /** What the record and the document say of it: Stage0's sentence, which people search their runbooks for. */
  readonly recorded: string;

  constructor(operation: Draft['operation'], why: string, missing: readonly MissingClaim[]) {
    super('forbidden', `RBAC check failed for ${operation}: ${why}.`, {
      fix: 'Ask the owner of the runbook for the claim, or use a token that has it.',
    });
    this.missing = missing;
    this.recorded = `RBAC check failed for ${operation}. Missing or invalid claims: ${listMissing(missing)}`;
  }
}
