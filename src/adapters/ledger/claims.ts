/** Of several processes that would do what is left to do for a run, one does it; who dies at it is followed. */
import type { RunLedger } from '../../core/ports.ts';
import type { RunOwner } from '../../core/run.ts';
import type { LedgerFile, OwnerRow } from './file.ts';
import { A_MOMENT_MS, OWNER_COLUMNS } from './file.ts';
import { stored } from './stored.ts';

interface Claim {
  readonly by: RunOwner;
  readonly leaseUntil: string | null;
}

export function createClaims(file: LedgerFile): Pick<RunLedger, 'claimRecovery' | 'claimEntry'> {
  const { db } = file;
  const rowOf = (condition: string) =>
    db.prepare<[string], OwnerRow & { readonly claim: string | null }>(
      `SELECT ${OWNER_COLUMNS}, entry_writer AS claim FROM runs WHERE run_id = ? AND ${condition}`,
    );
  const underWay = rowOf("state IN ('queued', 'started')");
  const pending = rowOf("entry = 'pending'");
  const set = db.prepare<[string, string]>('UPDATE runs SET entry_writer = ? WHERE run_id = ?');

  /** Not synced: a claim that is lost with the machine was by somebody who is lost with it. */
  const claim = (
    statement: typeof pending,
    runId: string,
    { by, leaseUntil }: Claim,
    isOwnersAnyway: boolean,
  ): boolean =>
    file.note(() => {
      const row = statement.get(runId);
      if (row === undefined) return false;
      const { claim: before, leaseUntil: lease, ...owner } = row;
      const current = before === null ? { by: owner, leaseUntil: lease } : stored<Claim>(before);
      const isOwn = isSame(current.by, by) && (before !== null || isOwnersAnyway);
      if (!isOwn && !file.isGone(current.by, current.leaseUntil)) return false;
      set.run(JSON.stringify({ by, leaseUntil } satisfies Claim), runId);
      return true;
    }, A_MOMENT_MS);

  return {
    claimRecovery: async (runId, by, leaseUntil) => claim(underWay, runId, { by, leaseUntil }, false),
    claimEntry: async (runId, by, leaseUntil) => claim(pending, runId, { by, leaseUntil: leaseUntil ?? null }, true),
  };
}

function isSame(a: RunOwner, b: RunOwner): boolean {
  return a.bootId === b.bootId && a.pidNamespace === b.pidNamespace && a.pid === b.pid && a.startTime === b.startTime;
}
