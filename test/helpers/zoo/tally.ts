/** Counts of many rounds, as a table. */
import type { Round } from './rounds.ts';

type Counted = Pick<Round, 'survivors' | 'deadMs'>;

export interface Tally {
  add(row: string, rounds: readonly Counted[]): void;
  /** One line a row: rounds, rounds with a survivor, who survived, median and maximum of the time until all were dead. */
  table(): string;
}

export function createTally(): Tally {
  const rows = new Map<string, readonly Counted[]>();
  return {
    add: (row, rounds) => {
      rows.set(row, [...(rows.get(row) ?? []), ...rounds]);
    },
    table: () => {
      const width = Math.max(...[...rows.keys()].map((row) => row.length));
      const lines = [...rows].map(([row, rounds]) => {
        const leaky = rounds.filter(({ survivors }) => survivors.length > 0);
        const kinds = [...new Set(leaky.flatMap(({ survivors }) => survivors))].sort();
        const times = rounds.flatMap(({ deadMs }) => (deadMs === null ? [] : [deadMs])).sort((a, b) => a - b);
        const figures = `${times[Math.floor(times.length / 2)] ?? '-'} / ${times.at(-1) ?? '-'} ms`;
        return `${row.padEnd(width)}  ${String(leaky.length).padStart(3)} of ${rounds.length}  ${figures.padEnd(16)} ${kinds.join(' ')}`;
      });
      return ['rounds with a survivor, time until all were dead (median / maximum), who survived', ...lines].join('\n');
    },
  };
}
