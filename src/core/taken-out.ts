/** Which records were taken out by which operation, and whether what those say can be. */
import { textFault } from './chain.ts';
import type { ChainLink } from './chain.ts';

/** What an operation says of itself. */
interface Pruning {
  /** The first and the last number that it took out; 0 where there is none. */
  readonly first: number;
  readonly end: number;
  readonly digest: string;
  /** Why it cannot be so, to go on from “Record N”; null where it can. */
  readonly problem: string | null;
}

export interface TakenOut {
  /** Number of the operation that took a record out; null where it has to be there. */
  by(seq: number): number | null;
  /** Null where a record is no such operation. */
  pruning(seq: number): Pruning | null;
  /** The first operation that was changed since, so that nobody knows what it had taken out; null for none. */
  readonly altered: number | null;
}

interface Range {
  readonly first: number;
  readonly last: number;
  readonly by: number;
}

/** Memory follows the number of operations and of their groups of records, not the length of the chain. */
export function createTakenOut(operations: Iterable<ChainLink>): TakenOut {
  const prunings = new Map<number, Pruning>();
  const ranges: Range[] = [];
  let altered: number | null = null;
  for (const link of operations) {
    const { seq } = link;
    if (textFault(link) !== null) altered ??= seq;
    const said = readPruned(link.record);
    if (said === null || prunings.has(seq)) continue;
    const isOrdered = said.ranges.every(
      ([first, last], n) => first > (said.ranges[n - 1]?.[1] ?? 0) && last >= first && last < seq,
    );
    const pruning = { first: said.ranges[0]?.[0] ?? 0, end: said.ranges.at(-1)?.[1] ?? 0, digest: said.digest };
    let problem = isOrdered ? null : 'says that records were taken out that it cannot have taken out';
    for (const [first, last] of isOrdered ? said.ranges : []) {
      const other = insert(ranges, { first, last, by: seq });
      if (other !== null) problem = `says that it took out what record ${other} had taken out`;
    }
    prunings.set(seq, { ...pruning, problem });
  }
  return {
    by: (seq) => rangeOf(ranges, seq)?.by ?? null,
    pruning: (seq) => prunings.get(seq) ?? null,
    altered,
  };
}

/**
 * Nothing is taken out twice: of two operations that say so, the earlier one is believed.
 * @returns the one that has it already; null where there is none
 */
function insert(ranges: Range[], { first, last, by }: Range): number | null {
  const place = countTo(ranges, first);
  const parts: Range[] = [];
  let other: number | null = null;
  let from = first;
  for (let n = Math.max(place - 1, 0); n < ranges.length; n += 1) {
    const taken = ranges[n];
    if (taken === undefined || taken.first > last) break;
    if (taken.last < from) continue;
    other ??= taken.by;
    if (taken.first > from) parts.push({ first: from, last: taken.first - 1, by });
    from = taken.last + 1;
  }
  if (from <= last) parts.push({ first: from, last, by });
  ranges.splice(place, 0, ...parts);
  if (other !== null) ranges.sort((a, b) => a.first - b.first);
  return other;
}

function rangeOf(ranges: readonly Range[], seq: number): Range | null {
  const range = ranges[countTo(ranges, seq) - 1];
  return range !== undefined && seq <= range.last ? range : null;
}

/** How many ranges begin at or before the number. */
function countTo(ranges: readonly Range[], seq: number): number {
  let [from, to] = [0, ranges.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((ranges[middle]?.first ?? 0) <= seq) from = middle + 1;
    else to = middle;
  }
  return from;
}

function readPruned(
  record: string,
): { readonly ranges: readonly (readonly [number, number])[]; readonly digest: string } | null {
  try {
    const { operation, pruned }: { operation?: unknown; pruned?: { ranges?: unknown; digest?: unknown } } =
      JSON.parse(record);
    if (operation !== 'prune' || pruned === undefined || !Array.isArray(pruned.ranges)) return null;
    const ranges = pruned.ranges.filter(isPair);
    if (ranges.length < pruned.ranges.length || typeof pruned.digest !== 'string') return null;
    return { ranges, digest: pruned.digest };
  } catch {
    return null;
  }
}

function isPair(value: unknown): value is [number, number] {
  return Array.isArray(value) && value.length === 2 && value.every((one) => Number.isSafeInteger(one) && one > 0);
}
