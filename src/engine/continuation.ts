/** The run that a `--from` or `--only` goes on from, and whether this one may use what that one left. */
import type { RunRecord, StoredRun } from '../core/run.ts';
import type { Runbook } from '../core/runbook.ts';
import type { Draft } from './draft.ts';
import type { EnginePorts } from './ports.ts';

export interface EarlierRun {
  readonly run: StoredRun;
  /** Declared variables, no secrets, that had another value then: what that run left is of something else. */
  readonly differing: readonly string[];
}

/** So many unsuccessful runs are looked at for one with the same variables. */
const LOOKED_AT = 20;

/** The newest incomplete run of the document, one with the same variables before others; null for none. */
export async function findEarlierRun(
  { ledger }: EnginePorts,
  { request, document, variables }: Draft,
  runbook: Runbook,
): Promise<EarlierRun | null> {
  if (request.choice === null || request.stubs !== null || document === null) return null;
  const runs = await ledger.list({ path: document.path, incomplete: true, limit: LOOKED_AT });
  const candidates = runs.map((run) => ({ run, differing: differingVariables(variables, run.variables, runbook) }));
  return candidates.find(({ differing }) => differing.length === 0) ?? candidates[0] ?? null;
}

/** What a person is to know before such a run begins. */
export function noticesOfEarlier(
  earlier: EarlierRun | null,
  runbook: Runbook,
): { readonly infos: readonly string[]; readonly warnings: readonly string[] } {
  if (earlier === null) return { infos: [], warnings: [] };
  const { run, differing } = earlier;
  const { runId } = run;
  const warnings = [
    run.result === null
      ? `Run ${runId} has no end in the ledger: if it is still under way, this one runs beside it.`
      : null,
    run.runbook.digest === runbook.digest ? null : `${runbook.name} has changed since run ${runId}.`,
    differing.length === 0
      ? null
      : `${differing.join(', ')}: not what it was in run ${runId}, so nothing is taken over from that run.`,
  ].filter((text) => text !== null);
  return { infos: [`This run goes on from run ${runId} (${run.result?.outcome ?? run.state}).`], warnings };
}

function differingVariables(
  now: RunRecord['variables'],
  then: RunRecord['variables'],
  runbook: Runbook,
): readonly string[] {
  const before = new Map(then.map((variable) => [variable.name, variable]));
  const compared = new Set(runbook.env.filter(({ secret }) => !secret).map(({ name }) => name));
  return now
    .filter(({ name, value, hmac }) => {
      const other = before.get(name);
      return compared.has(name) && other !== undefined && (other.value !== value || other.hmac !== hmac);
    })
    .map(({ name }) => name);
}
