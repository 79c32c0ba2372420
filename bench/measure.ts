/** Figures that mean something on a machine that others use as well: ratios to a floor, taken round by round. */
import { performance } from 'node:perf_hooks';

export interface Candidate {
  readonly name: string;
  /** One round. @returns milliseconds, unless it is the time of the call that counts */
  readonly run: () => Promise<number | void>;
  /** What it is compared with, each with the ratio to reach where there is one; nothing for a floor. */
  readonly against?: readonly (readonly [floor: string, target?: number])[];
}

export interface Limits {
  readonly rounds: number;
  /** After so much time no round is begun. */
  readonly budgetMs: number;
}

/**
 * All candidates once a round, one after the other, so that what slows the machine down slows all of them; the first
 * round warms caches and does not count. The ratio of a candidate is the median of its rounds' ratios, not a ratio of medians.
 */
export async function compare(title: string, candidates: readonly Candidate[], limits: Limits): Promise<void> {
  const began = performance.now();
  const times = new Map<string, number[]>(candidates.map(({ name }) => [name, []]));
  let round = 0;
  for (; round <= limits.rounds && (round < 2 || performance.now() - began < limits.budgetMs); round += 1) {
    for (const { name, run } of candidates) {
      const start = performance.now();
      const told = await run();
      if (round > 0) times.get(name)?.push(told ?? performance.now() - start);
    }
  }
  const rows = candidates.flatMap(({ name, against = [] }) => {
    const own = times.get(name) ?? [];
    const ratios = against.map(([floor, target]) => {
      const of = times.get(floor) ?? [];
      const ratio = median(own.map((ms, n) => ms / (of[n] ?? Number.NaN)));
      return [`${ratio.toFixed(2)}×`, target === undefined ? '' : `≤ ${target}×`, floor];
    });
    const [first = [], ...others] = ratios;
    return [[name, shown(median(own))].concat(first), ...others.map((other) => ['', ''].concat(other))];
  });
  table(`${title} (${round - 1} rounds)`, ['', 'median', 'ratio', 'target', 'to'], rows);
}

function shown(ms: number): string {
  return `${ms.toFixed(ms < 10 ? 2 : 1)} ms`;
}

export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? Number.NaN)
    : ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
}

export function table(title: string, head: readonly string[], rows: readonly (readonly string[])[]): void {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ');
  console.log(`\n${title}\n${all.map((row) => line(row).trimEnd()).join('\n')}`);
}
