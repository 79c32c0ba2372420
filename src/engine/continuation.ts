/** The run that a `--from` or `--only` goes on from, and whether this one may use what that one left. */
import { endOfLastStep } from '../core/interruption.ts';
import { hadDigest } from '../core/parse/history.ts';
import type { Interruption, RunRecord, StoredRun } from '../core/run.ts';
import type { Runbook } from '../core/runbook.ts';
import { headOf, recordedVariables } from './draft.ts';
import type { Draft } from './draft.ts';
import { describePlace } from './entry.ts';
import type { EnginePorts } from './ports.ts';

export interface EarlierRun {
  readonly run: StoredRun;
  /** Why nothing is taken over from it, one sentence; null where its work folder and outputs are. */
  readonly obstacle: string | null;
}

/** So many runs are looked at for one with the same variables. */
const LOOKED_AT = 20;

/** The newest incomplete run of the document, one with the same variables before others; null for none. */
export async function findEarlierRun(
  { ledger }: EnginePorts,
  draft: Draft,
  runbook: Runbook,
): Promise<EarlierRun | null> {
  const { request, document } = draft;
  if (request.choice === null || request.stubs !== null || document === null) return null;
  const { path } = document;
  // Compared as they are told: of a secret within a value nothing else is known.
  const variables = recordedVariables(draft);
  const differing = (run: StoredRun): readonly string[] => differingVariables(variables, run.variables, runbook);
  const incomplete = await ledger.list({ path, incomplete: true, limit: LOOKED_AT });
  const run = incomplete.find((candidate) => differing(candidate).length === 0) ?? incomplete[0];
  if (run === undefined) return null;
  const others = differing(run);
  // What it left is of another host, say.
  if (others.length > 0) return { run, obstacle: `${others.join(', ')}: not what it was in run ${run.runId}` };
  if (await isOfOriginal(ledger, run))
    return { run, obstacle: `Run ${run.runId} belongs to the ledger that this one is a copy of` };
  const succeeded = await ledger.list({ path, outcome: 'succeeded', limit: LOOKED_AT });
  const since = succeeded.find(
    (other) => other.seq > run.seq && other.steps?.only === undefined && differing(other).length === 0,
  );
  return { run, obstacle: since === undefined ? null : `Run ${since.runId} has succeeded since run ${run.runId}` };
}

/** Its work folder is still that ledger's, also once this copy is one of its own. */
async function isOfOriginal(ledger: EnginePorts['ledger'], run: StoredRun): Promise<boolean> {
  if ((await ledger.copyOf()) !== null) return true;
  const done = await ledger.operations(Number.MAX_SAFE_INTEGER);
  return done.some(({ operation, seq }) => operation === 'move' && seq > run.seq);
}

/** What a person is to know before such a run begins. */
export function noticesOfEarlier(
  earlier: EarlierRun | null,
  runbook: Runbook,
  draft: Draft,
): { readonly infos: readonly string[]; readonly warnings: readonly string[] } {
  if (earlier === null) return { infos: [], warnings: [] };
  const { run, obstacle } = earlier;
  const { runId, result, state, interruption } = run;
  const warnings = [
    state === 'started'
      ? `Run ${runId} has no end in the ledger: if it is still under way, this one runs beside it.`
      : null,
    interruption === undefined ? null : interruptedAt(runId, interruption),
    isUnchanged(run, draft) ? null : `${runbook.name} has changed since run ${runId}.`,
    obstacle === null ? null : `${obstacle}; nothing is taken over from that run.`,
  ].filter((text) => text !== null);
  return { infos: [`This run goes on from run ${runId} (${result?.outcome ?? state}).`], warnings };
}

function isUnchanged({ runbook }: StoredRun, draft: Draft): boolean {
  const head = headOf(draft);
  return head !== null && runbook.digest !== null && hadDigest(head, runbook.digest);
}

function interruptedAt(runId: string, interruption: Interruption): string {
  const isUnknown = interruption.progress !== null && endOfLastStep(interruption) === null;
  const doubt = isUnknown ? ', and nobody knows how much of that step was done' : '';
  return `Run ${runId} was interrupted ${describePlace(interruption)}${doubt}.`;
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
