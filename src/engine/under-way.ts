/** What goes on beside a run: its lease is held, and others whose owner is gone are looked after. */
import type { RunEventSink, StopReason } from '../core/run.ts';
import type { Draft } from './draft.ts';
import { holdLease } from './lease.ts';
import type { Lease } from './lease.ts';
import { notify } from './notices.ts';
import type { EnginePorts } from './ports.ts';
import { recover } from './recover.ts';
import { repeat } from './repeat.ts';

const OTHERS_MS = 30_000;

/**
 * From `enqueue` to the record of the end. The draft's `stop` and `requests` are the lease's from then on, too; whoever watches hears at
 * once why the run is being ended.
 */
export async function whileUnderWay<T>(
  ports: EnginePorts,
  draft: Draft,
  emit: RunEventSink,
  work: (lease: Lease) => Promise<T>,
  othersMs = OTHERS_MS,
): Promise<T> {
  const lease = holdLease(ports, draft.runId);
  draft.stop = AbortSignal.any([draft.stop, lease.signal]);
  draft.requests = async () => await lease.requests();
  lease.signal.addEventListener('abort', () => {
    const { message = '' }: StopReason = lease.signal.reason;
    void notify(draft, emit, 'warning', [message]);
  });
  const others = repeat(othersMs, async () => {
    await lookAfterOthers(ports, draft, emit);
  });
  try {
    return await work(lease);
  } finally {
    await Promise.all([lease.release(), others()]);
  }
}

/** Also right before a run. Never throws. */
export async function lookAfterOthers(ports: EnginePorts, draft: Draft, emit: RunEventSink): Promise<void> {
  await recover(ports, async (warning) => {
    await notify(draft, emit, 'warning', [warning]);
  });
}
