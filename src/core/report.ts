/** Whether what somebody reports of a run that took place elsewhere is one story. Its shape is checked before. */
import { createHash } from 'node:crypto';
import type { RunRecord } from './run.ts';
import { isUnderWay } from './run-state.ts';

/** So much a clock may be ahead; later records would seem to be older ones. */
const AHEAD_MS = 5 * 60_000;

/** Half a sentence; null where it is one. */
export function whyNoReport(record: RunRecord, now: Date): string | null {
  const { runId, state, enqueuedAt, startedAt, result, refusal, interruption, attested } = record;
  if (attested !== undefined) return 'it was reported from elsewhere already';
  if (isUnderWay(state)) return `the run has not ended: it is ${state}`;
  if ((state === 'finished') !== (result !== null))
    return `a run that is ${state} has ${result === null ? 'no' : 'a'} result`;
  if ((state === 'refused') !== (refusal !== null))
    return `a run that is ${state} has ${refusal === null ? 'no' : 'a'} refusal`;
  if ((state === 'interrupted') !== (interruption !== undefined))
    return `a run that is ${state} has ${interruption === undefined ? 'no' : 'an'} interruption`;
  if (refusal !== null && startedAt !== null) return 'a run that was refused has begun';
  if (result !== null && result.runId !== runId) return 'its result is of another run';
  const latest = new Date(now.getTime() + AHEAD_MS).toISOString();
  const times = [enqueuedAt, startedAt, result?.startedAt, result?.finishedAt, interruption?.at];
  for (const time of times) {
    if (time === null || time === undefined) continue;
    if (!isInstant(time)) return `“${time}” is no time`;
    if (time > latest) return `${time} is still to come: its clock is ahead`;
  }
  return null;
}

/** Half a sentence; null where the text is the one that was run. */
export function whyNotItsDocument({ runbook }: RunRecord, text: Buffer | null): string | null {
  if (text === null) return null;
  if (runbook.digest === null) return 'there was no document to read, and one is sent';
  return createHash('sha256').update(text).digest('hex') === runbook.digest
    ? null
    : 'the document is not the one that it names';
}

/** Of those that look like one. */
function isInstant(text: string): boolean {
  const ms = Date.parse(text);
  return !Number.isNaN(ms) && new Date(ms).toISOString() === text;
}
