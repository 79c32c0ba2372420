/** Parts of a runbook or of a run in words, for lists, pages and messages. */
import { describeInterruption } from '../engine/entry.ts';
import type { Pause } from '../core/ports.ts';
import { exitCodeOf } from '../core/run.ts';
import type { StoredRun } from '../core/run.ts';
import type { ClaimAlternative, Limits } from '../core/runbook.ts';
import { formatBytes, formatDuration } from '../core/units.ts';

/** `roles = sre or dba and environment = production; or repository = acme/ops` */
export function describeAlternatives(alternatives: readonly ClaimAlternative[]): string {
  return alternatives
    .map((alternative) => alternative.map(({ claim, anyOf }) => `${claim} = ${anyOf.join(' or ')}`).join(' and '))
    .join('; or ');
}

export function describeLimits(limits: Limits): readonly string[] {
  return [
    limits.timeoutMs === undefined ? null : `ends after ${formatDuration(limits.timeoutMs)}`,
    limits.maxOutputBytes === undefined ? null : `keeps ${formatBytes(limits.maxOutputBytes)} of output`,
    limits.concurrency === undefined ? null : `at most ${limits.concurrency} at once`,
    limits.memoryBytes === undefined ? null : `memory ${formatBytes(limits.memoryBytes)}`,
    limits.processes === undefined ? null : `${limits.processes} processes`,
  ].filter((text) => text !== null);
}

/** The first sentence of a description, for one line of a list. */
export function summaryOf(description: string): string {
  const paragraph = (description.split(/\n[ \t]*\n/, 1)[0] ?? '').replaceAll('\n', ' ');
  const end = paragraph.search(/[.:!?](?: |$)/);
  return end === -1 ? paragraph : paragraph.slice(0, end + 1);
}

/** At most `length` characters, with `…` where something is left out. */
export function shorten(text: string, length: number): string {
  const characters = Array.from(text);
  return characters.length <= length ? text : `${characters.slice(0, length - 1).join('')}…`;
}

/** How a run ended, or where it is: `succeeded, exit 0`, `Interrupted at “Drain” (step 2 of 4). …`. */
export function describeEnd({ state, result, refusal, interruption }: StoredRun): string {
  if (result !== null) {
    const reason = result.reason === null ? '' : `: ${result.reason}`;
    return `${result.outcome}, exit ${exitCodeOf(result)}${reason}`;
  }
  if (refusal !== null) return `refused: ${refusal.message}`;
  return interruption === undefined ? state : describeInterruption(interruption);
}

/** `anna@ops-1`, or what is known of it; of somebody with a token the subject and its issuer. */
export function describeWho({
  osUser,
  host,
  subject,
  issuer,
}: {
  readonly osUser: string | null;
  readonly host: string | null;
  readonly subject?: string | null;
  readonly issuer?: string | null;
}): string {
  if (typeof subject === 'string') return `${subject} of ${issuer ?? 'no issuer'}`;
  return [osUser, host].filter((part) => part !== null).join('@');
}

/** `3m12s`: whole seconds, never negative, since clocks may step. */
export function describeSpan(fromIso: string, now: Date): string {
  const seconds = Math.max(0, Math.floor((now.getTime() - Date.parse(fromIso)) / 1000));
  return seconds === 0 ? '0s' : formatDuration(seconds * 1000);
}

/** `5m ago`: in one unit, for a column; never negative, since clocks may step. */
export function describeAge(iso: string, now: Date): string {
  const seconds = Math.max(0, Math.floor((now.getTime() - Date.parse(iso)) / 1000));
  const [unit, size] = AGE_UNITS.find(([, one]) => seconds >= one) ?? (['s', 1] as const);
  return `${Math.floor(seconds / size)}${unit} ago`;
}
const AGE_UNITS = [
  ['d', 86_400],
  ['h', 3600],
  ['m', 60],
] as const;

/** `since … by …: reason`, behind “paused”. */
export function describePause({ since, by, reason }: Pause): string {
  return `since ${since}${by === null ? '' : ` by ${by}`}${reason === null ? '' : `: ${reason}`}`;
}
