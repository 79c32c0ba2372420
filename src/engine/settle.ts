/** A copy of a ledger that somebody works with becomes a ledger of its own. */
import { operationOf } from './operations.ts';
import type { OperationPorts } from './operations.ts';

export interface Settled {
  /** Folder of the ledger that it was copied from. */
  readonly from: string;
  /** Runs that were under way in it: interrupted, here alone. */
  readonly runIds: readonly string[];
}

/** Null where it lives here already. @throws RunbookError `io`, `busy` */
export async function settle(ports: OperationPorts): Promise<Settled | null> {
  const from = await ports.ledger.copyOf();
  if (from === null) return null;
  const operation = { ...operationOf(ports, 'move', null), reason: `copied from ${from}` };
  const reason = `It was under way when this ledger was copied from ${from}, which may know its end.`;
  const runIds = await ports.ledger.moveIn(operation, reason);
  return runIds === null ? null : { from, runIds };
}
