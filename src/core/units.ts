/** Units as a runbook writes them: durations (`90s`, `10m`, `1h30m`) and sizes (`10MiB`). */

const DURATION = /^(?:(\d{1,9})h)?(?:(\d{1,9})m)?(?:(\d{1,9})s)?$/;
const SIZE = /^(\d{1,9})([KMG])iB$/;
const SIZE_FACTORS: ReadonlyMap<string, number> = new Map([
  ['K', 1024],
  ['M', 1024 ** 2],
  ['G', 1024 ** 3],
]);

/** Timers of the platform hold 2^31-1 ms; 24 days is the last whole day below it. */
export const MAX_DURATION_MS = 24 * 24 * 3_600_000;

/** Milliseconds; null when `text` is not a duration above zero and up to 24 days. A bare number has no unit: null. */
export function parseDuration(text: string): number | null {
  const match = DURATION.exec(text);
  if (match === null) return null;
  const [hours, minutes, seconds] = [match[1], match[2], match[3]].map((part) => Number(part ?? 0));
  const ms = ((hours ?? 0) * 3600 + (minutes ?? 0) * 60 + (seconds ?? 0)) * 1000;
  return ms > 0 && ms <= MAX_DURATION_MS ? ms : null;
}

const DAY_MS = 24 * 3_600_000;
const AGE = /^(\d{1,6})d(.*)$/;

/** Milliseconds; null when `text` is not an age above zero: days (`90d`, `1d12h`), or a duration. Not for timers. */
export function parseAge(text: string): number | null {
  const [, days, rest] = AGE.exec(text) ?? [null, '0', text];
  const whole = Number(days) * DAY_MS;
  const part = rest === '' ? 0 : parseDuration(rest ?? '');
  return part === null || whole + part === 0 ? null : whole + part;
}

/** Bytes; null when `text` is not a whole number above zero with `KiB`, `MiB` or `GiB`. */
export function parseSize(text: string): number | null {
  const match = SIZE.exec(text);
  if (match === null) return null;
  const bytes = Number(match[1]) * (SIZE_FACTORS.get(match[2] ?? '') ?? Number.NaN);
  return bytes > 0 && Number.isSafeInteger(bytes) ? bytes : null;
}

const DURATION_UNITS: readonly (readonly [string, number])[] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
];

/** 90000 → `1m30s`, 5000 → `5s`: whole seconds exactly; else below a minute `12.3s`, below a second `250ms`. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)}ms`;
  if (ms < 60_000 && ms % 1000 !== 0) return `${(ms / 1000).toFixed(1)}s`;
  let rest = Math.round(ms / 1000) * 1000;
  let text = '';
  for (const [unit, size] of DURATION_UNITS) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) text += `${count}${unit}`;
  }
  return text;
}

/** 10485760 → `10MiB`, exactly, as `parseSize` takes it; bytes where they are no whole number of KiB. */
export function formatSize(bytes: number): string {
  const [unit, factor] = [...SIZE_FACTORS].findLast(([, size]) => bytes % size === 0) ?? [];
  return unit === undefined || factor === undefined ? `${bytes} B` : `${bytes / factor}${unit}iB`;
}

/** 10485760 → `10.0 MiB`. */
export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  const units = ['KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes / 1024;
  let index = 0;
  while (value >= 1024 && index < units.length - 1) {
    value /= 1024;
    index += 1;
  }
  return `${value.toFixed(1)} ${units[index] ?? ''}`;
}
