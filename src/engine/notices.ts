/** Sentences for whoever watches a run. */
import type { NoticeLevel, RunEventSink } from '../core/run-events.ts';
import type { Draft } from './draft.ts';
import { maskEvent } from './secrets.ts';

/** Only lost output ends a run (see output.ts); a listener that fails to hear of anything else must not. */
export function tellerOf({ masker }: Draft, listener: RunEventSink): RunEventSink {
  return async (event) => {
    await Promise.resolve(listener(maskEvent(masker, event))).catch(() => {});
  };
}

/** @param messages null: nothing to tell */
export async function notify(
  { runId }: Draft,
  emit: RunEventSink,
  level: NoticeLevel,
  messages: readonly (string | null)[],
): Promise<void> {
  for (const message of messages) if (message !== null) await emit({ type: 'notice', runId, level, message });
}
