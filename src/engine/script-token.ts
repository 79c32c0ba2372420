/** What the scripts of a run may call other runbooks with: never more than its caller may, and not for longer than it runs. */
import { hideToken } from './secrets.ts';
import type { RunContext } from './script.ts';

/** A run without a limit calls others for a day at most; a child's call has its own limit then. */
const LONGEST_MS = 24 * 3_600_000;

export async function withScriptToken<T>(
  { ports, draft, plan, document }: Pick<RunContext, 'ports' | 'draft' | 'plan' | 'document'>,
  work: (token: string | null) => Promise<T>,
): Promise<T> {
  const { runTokens, clock } = ports;
  const { request, identity, runId, masker } = draft;
  // A real server would really run what a rehearsal asks it for.
  if (request.stubs !== null) return await work(null);
  if (runTokens === null) return await work(request.token);
  if (identity === null) return await work(null);
  const token = await runTokens.issue({
    runId,
    identity,
    callChain: [...request.callChain, document.fileName],
    expiresAt: new Date(clock.now().getTime() + (plan.timeoutMs ?? LONGEST_MS)),
  });
  hideToken(masker, token);
  try {
    return await work(token);
  } finally {
    runTokens.revoke(runId);
  }
}
