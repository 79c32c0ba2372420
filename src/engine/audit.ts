/** Was the record altered? The chain from its first link to its last, then what is kept beside it. */
import { createChainAudit } from '../core/audit.ts';
import type { Anchor, ChainAudit } from '../core/audit.ts';
import { RunbookError } from '../core/errors.ts';
import type { Finding, LedgerView } from '../core/ports.ts';

export interface AuditReport {
  /** Folder of the ledger that this one is a copy of; null for none. */
  readonly copyOf: string | null;
  /** Links that hold, from the first one on. */
  readonly records: number;
  /** How many of them were taken out by `prune`. */
  readonly takenOut: number;
  readonly runs: number;
  readonly operations: number;
  readonly documents: number;
  /** The last link that holds, to be kept elsewhere; null for none. */
  readonly last: Anchor | null;
  /** The first thing that is wrong with the chain, then the first ones beside it. */
  readonly findings: readonly Finding[];
  /** There are more than are told. */
  readonly hasMore: boolean;
}

const MAX_FINDINGS = 20;
const PROGRESS_EVERY = 20_000;

/**
 * Memory follows neither the length of the chain nor the number of findings.
 * @param anchors links that were kept elsewhere
 * @param onProgress told now and then how many links were looked at, of how many
 */
export function auditRecord(
  view: LedgerView,
  anchors: readonly Anchor[],
  onProgress: (done: number, of: number) => void = () => {},
): AuditReport {
  let audit = createChainAudit([], anchors);
  const findings: Finding[] = [];
  let hasMore = false;
  const place = (): number => audit.last.seq + 1;

  for (const finding of orDamage(place, chain())) findings.push(finding);
  for (const finding of orDamage(() => null, view.discrepancies())) {
    hasMore = findings.length === MAX_FINDINGS;
    if (hasMore) break;
    findings.push(finding);
  }
  return {
    records: audit.last.seq,
    takenOut: audit.takenOut,
    ...factsOf(view),
    last: audit.last.seq === 0 ? null : audit.last,
    findings,
    hasMore,
  };

  function* chain(): Generator<Finding> {
    audit = createChainAudit(view.operations(), anchors);
    const finding = firstOf(view, audit, onProgress);
    if (finding !== null) yield finding;
  }
}

function firstOf(view: LedgerView, audit: ChainAudit, onProgress: (done: number, of: number) => void): Finding | null {
  const of = view.lastSeq();
  for (const link of view.links()) {
    const finding = audit.take(link);
    if (finding !== null) return finding;
    if (audit.last.seq % PROGRESS_EVERY === 0) onProgress(audit.last.seq, of);
  }
  return audit.end();
}

/** A file whose pages are damaged is an answer, too. */
function* orDamage(place: () => number | null, findings: Iterable<Finding>): Generator<Finding> {
  try {
    yield* findings;
  } catch (error) {
    if (!(error instanceof RunbookError) || error.code !== 'unavailable') throw error;
    yield { seq: place(), runId: null, fault: 'file', message: error.message };
  }
}

function factsOf(view: LedgerView): ReturnType<LedgerView['counts']> & Pick<AuditReport, 'copyOf'> {
  try {
    return { copyOf: view.copyOf(), ...view.counts() };
  } catch (error) {
    if (!(error instanceof RunbookError)) throw error;
    return { copyOf: null, runs: 0, operations: 0, documents: 0 };
  }
}
