/** Durations and sizes as people write them. Both refuse a plain number: nobody can see whether 90 means seconds. */

const DURATION_UNITS: readonly (readonly [string, number])[] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1],
];
const SIZE_UNITS: Readonly<Record<string, number>> = {
  B: 1,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
  TiB: 1024 ** 4,
};

/** `90s`, `10m`, `1h30m`, `250ms` → milliseconds; null for anything else, also for zero. Units fall from large to small. */
export function parseDurationMs(text: string): number | null {
  if (!/^(?:\d{1,9}(?:ms|[dhms]))+$/.test(text)) return null;
  let total = 0;
  let last = -1;
  for (const [, digits, unit] of text.matchAll(/(\d{1,9})(ms|[dhms])/g)) {
    const index = DURATION_UNITS.findIndex(([name]) => name === unit);
    if (index <= last) return null;
    last = index;
    total += Number(digits) * (DURATION_UNITS[index]?.[1] ?? 0);
  }
  return total > 0 ? total : null;
}

/** `10MiB`, `512KiB`, `1GiB`, `100B` → bytes; null for anything else, also for zero. */
export function parseSizeBytes(text: string): number | null {
  const match = /^(\d{1,12})(B|KiB|MiB|GiB|TiB)$/.exec(text);
  const bytes = Number(match?.[1] ?? 0) * (SIZE_UNITS[match?.[2] ?? ''] ?? 0);
  return bytes > 0 && Number.isSafeInteger(bytes) ? bytes : null;
}

/** 90500 → `1m30s`; below a minute with one decimal: `12.3s`; below a second `250ms`. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${String(Math.round(ms))}ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)}s`;
  let rest = Math.round(ms / 1000) * 1000;
  let text = '';
  for (const [unit, size] of DURATION_UNITS.slice(0, 4)) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) text += `${String(count)}${unit}`;
  }
  return text;
}

/** 10485760 → `10.0 MiB`. */
export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${String(bytes)} B`;
  const units = ['KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes / 1024;
  let index = 0;
  while (value >= 1024 && index < units.length - 1) {
    value /= 1024;
    index += 1;
  }
  return `${value.toFixed(1)} ${units[index] ?? ''}`;
}
