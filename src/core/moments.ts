/** Moments as people name them: a date, a month, a time, or how long ago. Always in UTC, as everything that is recorded. */

const DAYS = /^(\d{4}-\d\d)(-\d\d)?$/;
const TIME = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(?::(\d\d)(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)?$/;
const AGO = /^(?:(\d{1,4})w)?(?:(\d{1,5})d)?(?:(\d{1,6})h)?(?:(\d{1,8})m)?(?:(\d{1,9})s)?$/;
const AGO_MS = [7 * 86_400_000, 86_400_000, 3_600_000, 60_000, 1000] as const;

/** From `from` on, before `to`; equal for a moment. */
export interface Period {
  readonly from: Date;
  readonly to: Date;
}

/**
 * `2026-03-01` is that whole day, `2026-03` the month; `2026-03-01T14:30` (`:05.123`, `Z`, `+01:00`) is a moment, as is
 * `7d` or `1d12h` (w, d, h, m, s), counted back from now. Without a zone it is UTC. Null for anything else.
 */
export function parsePeriod(text: string, now: Date): Period | null {
  if (DAYS.test(text)) return wholeDays(text);
  const time = TIME.exec(text);
  if (time !== null) {
    const [, date = '', minutes = '', seconds = '00', fraction = '', zone = 'Z'] = time;
    return wholeDays(date) === null ? null : moment(Date.parse(`${date}T${minutes}:${seconds}${fraction}${zone}`));
  }
  const ago = text === '' ? null : AGO.exec(text);
  if (ago === null) return null;
  return moment(AGO_MS.reduce((at, ms, n) => at - Number(ago[n + 1] ?? 0) * ms, now.getTime()));
}

/** A day or a month; null for one that no calendar has. */
function wholeDays(text: string): Period | null {
  const [year = 0, month = 0, day] = text.split('-').map(Number);
  const from = new Date(0);
  from.setUTCFullYear(year, month - 1, day ?? 1);
  if (!from.toISOString().startsWith(text)) return null;
  const to = new Date(from);
  if (day === undefined) to.setUTCMonth(month);
  else to.setUTCDate(day + 1);
  return isWritable(to) ? { from, to } : null;
}

function moment(at: number): Period | null {
  const date = new Date(at);
  return isWritable(date) ? { from: date, to: date } : null;
}

/** Years of four digits: texts of times are compared. */
function isWritable(date: Date): boolean {
  const year = date.getUTCFullYear();
  return year >= 0 && year <= 9999;
}
