/** The first durable transition of a run that was accepted. */
import type { RunRecord } from '../core/run.ts';
import { headOf, recordOf } from './draft.ts';
import type { Draft } from './draft.ts';
import { leaseUntil } from './lease.ts';
import type { EnginePorts } from './ports.ts';

/** @throws AlreadyAsked where a run came of the same request; as the ledger */
export async function enqueue(ports: EnginePorts, draft: Draft): Promise<RunRecord> {
  const { ledger, owners } = ports;
  const record = recordOf(ports, draft, null);
  const text = headOf(draft) ?? Buffer.alloc(0);
  await ledger.enqueue(record, owners.current, text, leaseUntil(ports), draft.request.key);
  return record;
}
