/** What a run can be in, and the one table of how it gets there. */

export type RunState = 'queued' | 'started' | 'finished' | 'interrupted' | 'refused';

/** The one table of legal transitions. `null` is "not there yet". */
const TRANSITIONS: ReadonlyMap<RunState | null, ReadonlySet<RunState>> = new Map<
  RunState | null,
  ReadonlySet<RunState>
>([
  [null, new Set(['queued', 'refused'])],
  ['queued', new Set(['started', 'finished', 'interrupted'])],
  ['started', new Set(['finished', 'interrupted'])],
]);

/** Whether a run may go from one state to another (`queued → finished` is a cancel before the start). */
export function isLegalTransition(from: RunState | null, to: RunState): boolean {
  return TRANSITIONS.get(from)?.has(to) ?? false;
}

/** Whether a run that took place elsewhere may be entered so: at once, and only with its end. */
export function isLegalReport(from: RunState | null, to: RunState): boolean {
  return from === null && !isUnderWay(to);
}

/** Whether it has no end yet. */
export function isUnderWay(state: RunState): boolean {
  return state === 'queued' || state === 'started';
}
