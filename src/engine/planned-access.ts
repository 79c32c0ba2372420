/** Of a plan: which document, who asks, and what lets them in. */
import { authorize } from '../core/claims.ts';
import type { Masker } from '../core/masking/masker.ts';
import type { LoadedDocument } from '../core/ports.ts';
import type { RunRequest } from '../core/run.ts';
import type { Runbook } from '../core/runbook.ts';
import type { Authentication } from './access.ts';
import type { Draft } from './draft.ts';
import type { PlannedClaims, PlannedDocument, PlannedWho, RunPlan } from './planned.ts';
import type { EnginePorts } from './ports.ts';

export async function describeDocument(
  { facts }: Pick<EnginePorts, 'facts'>,
  { parsed }: Draft,
  { path, displayPath, fileName }: LoadedDocument,
): Promise<PlannedDocument> {
  return {
    name: fileName.replace(/\.md$/, ''),
    path,
    displayPath,
    digest: parsed?.digest ?? '',
    commit: await facts.commit(path),
  };
}

export function describeWho({ osUser }: Pick<EnginePorts, 'osUser'>, { identity }: Draft): PlannedWho {
  return {
    subject: identity?.subject ?? null,
    roles: identity?.roles ?? [],
    issuer: identity?.issuer ?? null,
    expiresAt: identity?.expiresAt.toISOString() ?? null,
    selfMade: identity?.selfMade ?? false,
    osUser,
  };
}

/** The same questions as `checkClaims`, and what they come to. */
export function describeClaims(
  authentication: Authentication,
  { claims: required }: Runbook,
  { stubs }: RunRequest,
): PlannedClaims {
  const none = { required, metBy: null, missing: [] };
  if (stubs !== null) return { ...none, answer: 'not asked' };
  const { identity } = authentication;
  const isBad = identity === null && authentication.failed !== null;
  if (required === null) return { ...none, answer: isBad ? 'bad token' : 'not required' };
  const claims = identity?.claims ?? null;
  const metBy = required.find((alternative) => authorize(claims, [alternative]).allowed) ?? null;
  if (metBy !== null) return { ...none, answer: 'met', metBy };
  const decision = authorize(claims, required);
  const missing = decision.allowed ? [] : decision.missing;
  return { ...none, missing, answer: identity !== null ? 'lacking' : isBad ? 'bad token' : 'no token' };
}

/** Their texts are ours, whatever a secret is called. */
const OUR_WORDS = new Set(['code', 'source', 'answer', 'runs', 'rung', 'mode', 'found', 'from', 'severity', 'rule']);

/** Every text of it: what is secret may stand anywhere, also in a sentence about something else. */
export function maskPlan(masker: Masker, plan: RunPlan): RunPlan {
  const masked = (value: unknown): unknown => {
    if (typeof value === 'string') return masker.text(value);
    if (Array.isArray(value)) return value.map(masked);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([name, member]) => [name, OUR_WORDS.has(name) ? member : masked(member)]),
    );
  };
  // Only texts change, and none of them becomes something else.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return masked(plan) as RunPlan;
}
