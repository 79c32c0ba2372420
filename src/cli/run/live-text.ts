/** What the live line says: `⠋ 2/4 Drain  1m12s of 10m  no output for 4m`, in so many columns. */
import { formatDuration } from '../../core/units.ts';
import { fitWidth, widthOf } from '../../core/width.ts';

export interface StepProgress {
  /** From 0. */
  readonly step: number;
  readonly of: number;
  /** Safe to be shown. */
  readonly name: string;
  readonly elapsedMs: number;
  readonly timeoutMs: number | null;
  readonly runElapsedMs: number;
  readonly runTimeoutMs: number | null;
  /** Since the last output. */
  readonly silentMs: number;
}

/** So long nobody wonders. */
const SILENT_MS = 10_000;
const MIN_NAME = 8;
const WHEEL = Array.from('⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏');
const PLAIN_WHEEL = Array.from('|/-\\');

/** The last column stays free: a terminal would begin a new line behind it. Nothing where there is no room to say anything. */
export function liveText(progress: StepProgress, columns: number, isUnicode: boolean): string {
  const { step, of, name, elapsedMs, silentMs } = progress;
  const room = columns - 1;
  const wheel = isUnicode ? WHEEL : PLAIN_WHEEL;
  const head = `${wheel[Math.floor(elapsedMs / 1000) % wheel.length] ?? ''} ${of > 1 ? `${step + 1}/${of} ` : ''}`;
  const silence = silentMs < SILENT_MS ? '' : `  no output for ${roughly(silentMs)}`;
  const tails = [`  ${timeOf(progress)}${silence}`, `  ${timeOf(progress)}`, ''];
  for (const tail of tails) {
    const left = room - widthOf(head) - widthOf(tail);
    if (left >= Math.min(MIN_NAME, widthOf(name))) return `${head}${fitWidth(name, left)}${tail}`;
  }
  return room < MIN_NAME ? '' : fitWidth(`${head}${name}`, room);
}

/** Of the two limits the one that comes first. */
function timeOf({ of, elapsedMs, timeoutMs, runElapsedMs, runTimeoutMs }: StepProgress): string {
  const isRuns = runTimeoutMs !== null && (timeoutMs === null || runTimeoutMs - runElapsedMs < timeoutMs - elapsedMs);
  if (!isRuns) return `${seconds(elapsedMs)}${timeoutMs === null ? '' : ` of ${formatDuration(timeoutMs)}`}`;
  const run = `${seconds(runElapsedMs)} of ${formatDuration(runTimeoutMs)}`;
  return of === 1 ? run : `${seconds(elapsedMs)}, run ${run}`;
}

function seconds(ms: number): string {
  return ms < 1000 ? '0s' : formatDuration(Math.floor(ms / 1000) * 1000);
}

/** In steps that grow: each change costs bytes on a slow link. */
function roughly(ms: number): string {
  return formatDuration(ms < 60_000 ? Math.floor(ms / 10_000) * 10_000 : Math.floor(ms / 60_000) * 60_000);
}
