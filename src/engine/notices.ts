/** Sentences for whoever watches a run. */
import type { RunEventSink } from '../core/run.ts';
import type { Draft } from './draft.ts';

/** @param messages null: nothing to tell */
export async function notify(
  { runId }: Draft,
  emit: RunEventSink,
  level: 'info' | 'warning',
  messages: readonly (string | null)[],
): Promise<void> {
  for (const message of messages) if (message !== null) await emit({ type: 'notice', runId, level, message });
}
