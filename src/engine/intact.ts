/** What is kept of an output, against the record of its run. */
import { RunbookError } from '../core/errors.ts';
import { createOutputCheck } from '../core/output-check.ts';
import type { RunOutput } from '../core/ports.ts';
import type { OutputSummary, RunRecord } from '../core/run.ts';

type Kept = Pick<RunOutput, 'facts' | 'read'>;

/** Null where the run has no end, nothing is kept any more, or it cannot be read. */
export async function isIntact(
  output: Kept,
  { runId, result }: Pick<RunRecord, 'runId' | 'result'>,
): Promise<boolean | null> {
  if (result === null) return null;
  try {
    return await fitsRecord(output, runId, result.output);
  } catch (error) {
    if (error instanceof RunbookError) return null;
    throw error;
  }
}

/** Null where nothing is kept. @throws RunbookError `io` */
export async function fitsRecord(output: Kept, runId: string, record: OutputSummary): Promise<boolean | null> {
  if ((await output.facts(runId)) === null) return null;
  const check = createOutputCheck();
  for await (const item of output.read(runId)) check.take(item);
  if (check.fits(record)) return true;
  // It may have been removed between the two looks.
  return (await output.facts(runId)) === null ? null : false;
}
