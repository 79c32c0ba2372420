/** Parts of a runbook in words, for lists and pages. */
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
  return shorten(end === -1 ? paragraph : paragraph.slice(0, end + 1), 80);
}

/** At most `length` characters, with `…` where something is left out. */
export function shorten(text: string, length: number): string {
  const characters = Array.from(text);
  return characters.length <= length ? text : `${characters.slice(0, length - 1).join('')}…`;
}
