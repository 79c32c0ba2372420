/** What is kept of an output, against the record of its run. */
import { createOutputCheck } from '../core/output-check.ts';
import type { RunOutput } from '../core/ports.ts';
import type { LeftOutput, RecordedOutput, RunRecord } from '../core/run.ts';

type Kept = Pick<RunOutput, 'facts' | 'read'>;

/** What is recorded of the output; null where there is no end yet, or nobody could look. */
export function recordedOutput({
  result,
  interruption,
}: Pick<RunRecord, 'result' | 'interruption'>): RecordedOutput | null {
  return result?.output ?? interruption?.output ?? null;
}

/** Bytes of it that were kept. */
export function keptBytesOf(record: RecordedOutput): number {
  return 'dropped' in record ? record.bytes - record.dropped : record.bytes;
}

/** Null where nothing is kept. @throws RunbookError `io` */
export async function fitsRecord(output: Kept, runId: string, record: RecordedOutput): Promise<boolean | null> {
  if ((await output.facts(runId)) === null) return null;
  const check = createOutputCheck();
  for await (const item of output.read(runId)) check.take(item);
  if (check.fits(record)) return true;
  // It may have been removed between the two looks.
  return (await output.facts(runId)) === null ? null : false;
}

/** What lies there of a run whose runner is gone, on disk by then. @throws RunbookError `io` */
export async function leftOutput(output: Kept & Pick<RunOutput, 'sync'>, runId: string): Promise<LeftOutput> {
  await output.sync(runId);
  const check = createOutputCheck();
  for await (const item of output.read(runId)) check.take(item);
  return check.left();
}
